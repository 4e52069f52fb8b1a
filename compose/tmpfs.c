/* SPDX-License-Identifier: GPL-2.0-or-later
 * tmpfs.c - read tmpfs options. */
#include "compose/tmpfs.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

/* A size or mode in a form of the kernel's own ("50%") stays a word. */
static bool parse_option(const char *word, struct tmpfs_options *ret)
{
	if (strncmp(word, "size=", 5) == 0)
		return parse_bytes(word + 5, &ret->size) == 0;
	if (strncmp(word, "mode=", 5) == 0)
		return parse_octal(word + 5, 07777, &ret->mode) == 0;
	if (strcmp(word, "ro") == 0)
		ret->read_only = true;
	else if (strcmp(word, "rw") == 0)
		ret->read_only = false;
	else
		return false;
	return true;
}

void tmpfs_options_parse(struct arena *arena, const char *text, struct tmpfs_options *ret)
{
	cleanup_strv char **words = strv_split(text, ",");
	const size_t count = strv_length(words);
	size_t kept = 0;

	*ret = (struct tmpfs_options){ 0 };
	ret->words = arena_alloc(arena, (count + 1) * sizeof(*ret->words));
	for (size_t i = 0; i < count; i++)
		if (*words[i] && !parse_option(words[i], ret))
			ret->words[kept++] = arena_strdup(arena, words[i]);
	if (kept == 0)
		ret->words = NULL;
}
