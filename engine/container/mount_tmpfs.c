/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_tmpfs.c - a new tmpfs with the options that docker lets a container's have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"

#define MODE_DEFAULT	   01777
#define ATTRIBUTES_DEFAULT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define OPTIONS_MAX	   32

/* Words without a value: attributes of the mount, options of the file system, or what is the case
 * anyway. */
static const struct word {
	const char *name;
	unsigned int set;
	unsigned int clear;
	bool is_option;
} words[] = {
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
	{ "async", 0, 0, false },
	{ "nomand", 0, 0, false },
	{ "sync", 0, 0, true },
	{ "dirsync", 0, 0, true },
};

/* Words with one; the kernel judges it. */
static const char *const keys[] = {
	"size",
	"mode",
	"uid",
	"gid",
	"nr_inodes",
	"nr_blocks",
	"mpol",
};

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static const char *find_key(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strncmp(keys[i], text, strlen(keys[i])) == 0 && text[strlen(keys[i])] == '=')
			return keys[i];
	return NULL;
}

int tmpfs_check(const struct spec_mount *mount, struct error *err)
{
	if (strv_length(mount->tmpfs_options) > OPTIONS_MAX - 2)
		return error_set(err, -E2BIG, "too many tmpfs options");
	for (char **option = mount->tmpfs_options; option && *option; option++)
		if (!find_word(*option) && !find_key(*option))
			return error_set(err, -EINVAL, "invalid tmpfs option \"%s\"", *option);
	return 0;
}

int tmpfs_new(const struct spec_mount *mount, struct error *err)
{
	cleanup_free char *mode =
		xasprintf("%o", mount->tmpfs_mode ? mount->tmpfs_mode : MODE_DEFAULT);
	cleanup_free char *size = xasprintf("%llu", (unsigned long long)mount->tmpfs_size);
	struct mount_option options[OPTIONS_MAX] = { { "mode", mode } };
	unsigned int attributes = ATTRIBUTES_DEFAULT;
	size_t count = 1;

	if (mount->tmpfs_size)
		options[count++] = (struct mount_option){ "size", size };
	/* The last word on a matter counts, as with mount(8). */
	for (char **option = mount->tmpfs_options; option && *option && count < OPTIONS_MAX;
		option++) {
		const struct word *word = find_word(*option);
		const char *key = find_key(*option);

		if (word)
			attributes = (attributes & ~word->clear) | word->set;
		if (word && word->is_option)
			options[count++] = (struct mount_option){ word->name, NULL };
		if (key)
			options[count++] = (struct mount_option){ key, *option + strlen(key) + 1 };
	}
	if (mount->read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	return mount_new("tmpfs", options, count, attributes, err);
}
