/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach_keys_test.c - keys as they are written and as they are typed. */
#include "cmd/detach_keys.h"

#include <errno.h>

#include "engine/base/strbuf.h"
#include "support.h"

static void keys_are_characters_and_control_keys(void **state)
{
	static const struct {
		const char *text, *keys; /* NULL: refused */
	} rows[] = {
		{ "ctrl-p,ctrl-q", "\x10\x11" },
		{ "a,B,9", "aB9" },
		{ "ctrl-a,ctrl-z,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_",
			"\x01\x1a\x1b\x1c\x1d\x1e\x1f" },
		{ "ctrl-x,d", "\x18"
			      "d" },
		{ "", NULL },
		{ "ctrl-", NULL },
		{ "ctrl-P", NULL },
		{ "ctrl-pq", NULL },
		{ "ab", NULL },
		{ "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct detach_keys keys;
		int r = detach_keys_parse(rows[i].text, &keys, &err);

		if (!rows[i].keys) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(keys.count, strlen(rows[i].keys));
		assert_memory_equal(keys.keys, rows[i].keys, keys.count);
	}
}

/* Chunks are separated by '|'. */
static void what_is_typed_arrives_but_for_the_keys(void **state)
{
	static const struct {
		const char *keys, *typed, *arrives;
		bool detached;
	} rows[] = {
		{ "p,q", "hello", "hello", false },
		{ "p,q", "abpq", "ab", true },
		{ "p,q", "ab|p|q", "ab", true },
		{ "p,q", "p|x", "px", false },
		{ "p,q", "pp", "p", false }, /* the second may be the beginning */
		{ "p,q", "ppq", "p", true },
		{ "p,q", "p|p|p|x", "pppx", false },
		{ "p,q", "pqrest", "", true },
		{ "q", "abq", "ab", true },
		{ "a,a,b", "aaab", "a", true },
		{ "a,a,b", "aacaab", "aac", true },
		{ "a,b,a,c", "ababac", "ab", true },
		{ "a,b,a,c", "abab|x", "ababx", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf arrived = STRBUF_INIT;
		struct detach_keys keys;
		bool detached = false;

		assert_int_equal(detach_keys_parse(rows[i].keys, &keys, NULL), 0);
		for (const char *chunk = rows[i].typed; *chunk && !detached;) {
			char bytes[64 + DETACH_KEYS_MAX];
			size_t length = strcspn(chunk, "|");

			memcpy(bytes, chunk, length);
			strbuf_add(&arrived, bytes,
				detach_keys_filter(&keys, bytes, length, &detached));
			chunk += length + (chunk[length] == '|');
		}
		if (strcmp(strbuf_text(&arrived), rows[i].arrives) != 0 ||
			detached != rows[i].detached)
			fail_msg("'%s' with '%s': '%s', %s", rows[i].typed, rows[i].keys,
				strbuf_text(&arrived), detached ? "detached" : "attached");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_characters_and_control_keys),
		cmocka_unit_test(what_is_typed_arrives_but_for_the_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
