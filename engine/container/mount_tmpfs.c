/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_tmpfs.c - a new tmpfs with the options that docker lets a container's have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"
#include "engine/container/mount_words.h"

#define MODE_DEFAULT	   01777
#define ATTRIBUTES_DEFAULT (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define OPTIONS_MAX	   32

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
		if (!mount_word_find(*option) && !find_key(*option))
			return error_set(err, -EINVAL, "invalid tmpfs option \"%s\"", *option);
	return 0;
}

/* "uid" and "gid" are the container's, the kernel asks for the host's. What is no number is its to
 * refuse. Heap, NULL on failure. */
static char *value_on_host(
	const struct spec *spec, const char *key, const char *value, struct error *err)
{
	const bool is_uid = strcmp(key, "uid") == 0;
	uint64_t inside;
	uint32_t outside;
	int r;

	if ((!is_uid && strcmp(key, "gid") != 0) || parse_u64(value, 0, UINT32_MAX, &inside) < 0)
		return xstrdup(value);
	r = is_uid ? spec_host_uid(spec, (uint32_t)inside, &outside, err)
		   : spec_host_gid(spec, (uint32_t)inside, &outside, err);
	return r < 0 ? NULL : xasprintf("%u", outside);
}

int tmpfs_new(const struct spec *spec, const struct spec_mount *mount, struct error *err)
{
	cleanup_free char *mode =
		xasprintf("%o", mount->tmpfs_mode ? mount->tmpfs_mode : MODE_DEFAULT);
	cleanup_free char *size = xasprintf("%llu", (unsigned long long)mount->tmpfs_size);
	struct mount_option options[OPTIONS_MAX] = { { "mode", mode } };
	unsigned int attributes = ATTRIBUTES_DEFAULT;
	cleanup_strv char **values = NULL;
	size_t count = 1;

	if (mount->tmpfs_size)
		options[count++] = (struct mount_option){ "size", size };
	/* The last word on a matter counts, as with mount(8). */
	for (char **option = mount->tmpfs_options; option && *option && count < OPTIONS_MAX;
		option++) {
		const struct mount_word *word = mount_word_find(*option);
		const char *key = find_key(*option);

		if (word)
			attributes = mount_word_apply(word, attributes);
		if (word && word->is_option)
			options[count++] = (struct mount_option){ word->name, NULL };
		if (key) {
			char *value = value_on_host(spec, key, *option + strlen(key) + 1, err);

			if (!value)
				return -EINVAL;
			strv_take(&values, value);
			options[count++] = (struct mount_option){ key, value };
		}
	}
	if (mount->read_only)
		attributes |= MOUNT_ATTR_RDONLY;
	return mount_new("tmpfs", options, count, attributes, err);
}
