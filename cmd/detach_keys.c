/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach_keys.c - parse them, find them in what is typed. */
#include "cmd/detach_keys.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* The terminal's own code of the key, -1 = none. */
static int key_of(const char *word)
{
	const char *control = "@abcdefghijklmnopqrstuvwxyz[\\]^_", *found;

	if (strlen(word) == 1)
		return (unsigned char)word[0];
	if (strlen(word) != 6 || strncmp(word, "ctrl-", 5) != 0)
		return -1;
	found = strchr(control, word[5]);
	return found ? (int)(found - control) : -1;
}

int detach_keys_parse(const char *text, struct detach_keys *ret, struct error *err)
{
	cleanup_strv char **words = strv_split(text, ",");
	struct detach_keys keys = { 0 };

	if (strv_length(words) < 1 || strv_length(words) > ARRAY_LEN(keys.keys))
		return error_set(err, -EINVAL, "invalid detach keys \"%s\": 1 to %zu are possible",
			text, ARRAY_LEN(keys.keys));
	for (char **word = words; *word; word++) {
		int key = key_of(*word);

		if (key < 0)
			return error_set(err, -EINVAL,
				"invalid detach keys \"%s\": \"%s\" is no character and no "
				"ctrl-X with X of a-z @ [ \\ ] ^ _",
				text, *word);
		keys.keys[keys.count++] = (char)key;
	}
	*ret = keys;
	return 0;
}

/* After `matched` keys came another byte: the longest end of it all that is a beginning of the
 * keys. */
static size_t still_matched(const struct detach_keys *keys, char byte)
{
	for (size_t length = keys->matched; length > 0; length--)
		if (keys->keys[length - 1] == byte &&
			memcmp(keys->keys, keys->keys + keys->matched - (length - 1), length - 1) ==
				0)
			return length;
	return 0;
}

size_t detach_keys_filter(struct detach_keys *keys, char *bytes, size_t length, bool *ret_detached)
{
	cleanup_free char *typed = xmalloc(length + 1);
	size_t out = 0;

	memcpy(typed, bytes, length);
	*ret_detached = false;
	for (size_t i = 0; i < length && !*ret_detached; i++) {
		size_t before = keys->matched, given_up;

		if (typed[i] == keys->keys[before]) {
			keys->matched++;
			*ret_detached = keys->matched == keys->count;
			continue;
		}
		keys->matched = still_matched(keys, typed[i]);
		given_up = before + 1 - keys->matched;
		/* What was held back goes first, then the byte, unless it begins the keys anew. */
		for (size_t k = 0; k < given_up; k++)
			bytes[out++] = k < before ? keys->keys[k] : typed[i];
	}
	if (*ret_detached)
		keys->matched = 0;
	return out;
}
