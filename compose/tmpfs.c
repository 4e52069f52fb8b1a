/* SPDX-License-Identifier: GPL-2.0-or-later
 * tmpfs.c - read tmpfs options. */
#include "compose/tmpfs.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

/* What every tmpfs mount of a container has anyway. */
static const char *const defaults[] = { "rw", "noexec", "nosuid", "nodev" };

static bool parse_option(const char *word, struct tmpfs_options *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (strcmp(word, defaults[i]) == 0)
			return true;
	if (strcmp(word, "ro") == 0) {
		ret->read_only = true;
		return true;
	}
	if (strncmp(word, "size=", 5) == 0)
		return parse_bytes(word + 5, &ret->size) == 0;
	if (strncmp(word, "mode=", 5) == 0)
		return parse_octal(word + 5, 07777, &ret->mode) == 0;
	return false;
}

bool tmpfs_options_parse(const char *text, struct tmpfs_options *ret)
{
	cleanup_strv char **words = strv_split(text, ",");

	*ret = (struct tmpfs_options){ 0 };
	for (size_t i = 0; i < strv_length(words); i++)
		if (!parse_option(words[i], ret))
			return false;
	return true;
}
