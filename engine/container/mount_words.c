/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_words.c - the table of mount(8)'s words. */
#include "engine/container/mount_words.h"

#include <string.h>
#include <sys/mount.h>

#include "engine/base/memory.h"

static const struct mount_word words[] = {
	{ "rw", 0, MOUNT_ATTR_RDONLY, false },
	{ "ro", MOUNT_ATTR_RDONLY, 0, false },
	{ "suid", 0, MOUNT_ATTR_NOSUID, false },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0, false },
	{ "dev", 0, MOUNT_ATTR_NODEV, false },
	{ "nodev", MOUNT_ATTR_NODEV, 0, false },
	{ "exec", 0, MOUNT_ATTR_NOEXEC, false },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0, false },
	{ "atime", 0, MOUNT_ATTR__ATIME, false },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, false },
	{ "relatime", 0, MOUNT_ATTR__ATIME, false },
	{ "norelatime", 0, 0, false },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, false },
	{ "nostrictatime", 0, 0, false },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME, false },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0, false },
	{ "defaults", 0, 0, false },
	{ "async", 0, 0, false },
	{ "nomand", 0, 0, false },
	{ "sync", 0, 0, true },
	{ "dirsync", 0, 0, true },
};

const struct mount_word *mount_word_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

unsigned int mount_word_apply(const struct mount_word *word, unsigned int attributes)
{
	return (attributes & ~word->clear) | word->set;
}
