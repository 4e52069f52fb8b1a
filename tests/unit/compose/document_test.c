/* SPDX-License-Identifier: GPL-2.0-or-later
 * document_test.c - YAML as the loader takes it, and what it refuses with which place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <stdint.h>
#include <cmocka.h>

#include "compose/document.h"
#include "engine/base/times.h"
#include "helper.h"

/* Work, not waiting: a busy machine makes no test fail. */
static int64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

struct parsed {
	struct arena *arena;
	struct problems problems;
	struct node **roots;
	size_t count;
	int r;
};

static struct parsed parse(const char *text, size_t length)
{
	struct parsed p = { .arena = arena_new() };

	p.r = document_parse(p.arena, "f", text, length, &p.problems, &p.roots, &p.count);
	return p;
}

static void parsed_release(struct parsed *p)
{
	problems_release(&p->problems);
	arena_free(p->arena);
}

static void check_refusals(const char *const (*rows)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct parsed p = parse(rows[i][0], strlen(rows[i][0]));
		cleanup_error struct error err = ERROR_INIT;

		assert_true(p.r < 0);
		problems_to_error(&p.problems, &err);
		assert_has(error_text(&err), rows[i][1]);
		parsed_release(&p);
	}
}

static void row_10_3_duplicate_keys_are_told_with_both_places(void **state)
{
	static const char *const rows[][2] = {
		{ "a: 1\nb: 2\na: 3\n",
			"f:3:1: mapping key \"a\" already defined at line 1, column 1" },
		{ "a: 1\n'a': 3\n",
			"f:2:1: mapping key \"a\" already defined at line 1, column 1" },
		{ "x: {a: 1, b: 2, \"a\": 3}\n",
			"f:1:17: mapping key \"a\" already defined at line 1, column 5" },
		{ "b: &b {}\na:\n  <<: *b\n  <<: *b\n",
			"f:4:3: mapping key \"<<\" already defined at line 3" },
	};

	(void)state;
	check_refusals(rows, ARRAY_LEN(rows));
}

static void row_10_5_bytes_that_are_no_text_have_a_place(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *message;
	} rows[] = {
		{ "a: b\nc: \xff\n", 10, "f:2:4: yaml: invalid UTF-8: byte 0xff" },
		{ "a: \xc0\xaf\n", 6, "f:1:4: yaml: invalid UTF-8" },
		{ "a: \xed\xa0\x80\n", 7, "f:1:4: yaml: invalid UTF-8" },
		{ "a: b\0c\n", 7, "f:1:5: yaml: control characters are not allowed: NUL" },
		{ "\xff\xfe"
		  "a\0",
			4, "f:1:1: the text is UTF-16" },
		{ "a: \"x\\0y\"\n", 10, "f:1:4: yaml: a value must not hold a NUL character" },
		{ "a:\n\tb: c\n", 9,
			"f:2:1: yaml: line 2: found character that cannot start any token" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed p = parse(rows[i].text, rows[i].length);
		cleanup_error struct error err = ERROR_INIT;

		assert_true(p.r < 0);
		problems_to_error(&p.problems, &err);
		assert_has(error_text(&err), rows[i].message);
		parsed_release(&p);
	}
}

static void byte_order_mark_is_fine(void **state)
{
	struct parsed p = parse("\xef\xbb\xbf"
				"a: b\n",
		8);

	(void)state;
	assert_int_equal(p.r, 0);
	assert_string_equal(node_get_text(p.roots[0], "a"), "b");
	parsed_release(&p);
}

static void row_10_1_alias_bomb_is_refused_quickly(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int64_t start = cpu_time();
	struct parsed p;

	(void)state;
	strbuf_add_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		strbuf_addf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			strbuf_addf(&text, "%s*a%d", j ? "," : "", i - 1);
		strbuf_add_str(&text, "]\n");
	}
	p = parse(text.data, text.length);
	assert_true(p.r < 0);
	assert_has(p.problems.items[0].text, "unfold to more than");
	assert_true(cpu_time() - start < NS_PER_SEC);
	parsed_release(&p);
}

static void row_10_2_nesting_stops_at_a_bound(void **state)
{
	static const char openers[] = "[{";
	enum { SIZE = 1 << 20 };
	cleanup_free char *text = xmalloc(SIZE);

	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t start = cpu_time();
		struct parsed p;

		memset(text, openers[i], SIZE);
		p = parse(text, SIZE);
		assert_true(p.r < 0);
		assert_has(p.problems.items[0].text, "exceeded max depth");
		assert_true(cpu_time() - start < NS_PER_SEC / 2);
		parsed_release(&p);
	}
}

static void row_10_2_deep_blocks_and_aliases_count_too(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct parsed p;

	(void)state;
	for (int i = 0; i < 150; i++)
		strbuf_add_str(&text, "- ");
	strbuf_add_str(&text, "x\n");
	p = parse(text.data, text.length);
	assert_has(p.problems.items[0].text, "exceeded max depth");
	parsed_release(&p);
	/* Each anchor alone is shallow; one on top of the other is not. */
	strbuf_clear(&text);
	strbuf_add_str(&text, "a0: &a0 [x]\n");
	for (int i = 1; i < 150; i++)
		strbuf_addf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	p = parse(text.data, text.length);
	assert_has(p.problems.items[0].text, "exceeded max depth");
	parsed_release(&p);
}

static void row_10_3_merge_keys_never_override(void **state)
{
	static const char text[] =
		"b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nm:\n  y: own\n  <<: [*b, *c]\n";
	struct parsed p = parse(text, strlen(text));
	struct node *m = node_get(p.roots[0], "m");

	(void)state;
	assert_int_equal(p.r, 0);
	assert_string_equal(node_get_text(m, "y"), "own");
	assert_int_equal(node_get(m, "x")->integer, 1);
	assert_int_equal(node_get(m, "z")->integer, 4);
	assert_int_equal(m->count, 3);
	parsed_release(&p);
}

static void row_10_3_anchor_inside_itself_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "a: &a {b: *a}\n", "f:1:11: yaml: anchor 'a' value contains itself" },
		{ "a: *zz\n", "f:1:4: yaml: unknown anchor 'zz' referenced" },
		{ "a:\n  <<: 5\n", "f:2:7: yaml: map merge requires map or sequence of maps" },
	};

	(void)state;
	check_refusals(rows, ARRAY_LEN(rows));
}

static void an_alias_is_a_copy(void **state)
{
	static const char text[] = "a: &a {v: $X}\nb: *a\n";
	struct parsed p = parse(text, strlen(text));
	struct node *a = node_get(p.roots[0], "a"), *b = node_get(p.roots[0], "b");

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_true(node_equal(a, b));
	node_set_string(p.arena, a, "v", "changed");
	assert_string_equal(node_get_text(b, "v"), "$X");
	parsed_release(&p);
}

static void row_10_6_scalars_have_the_kind_users_expect(void **state)
{
	static const struct {
		const char *text;
		enum node_kind kind;
		const char *shown;
	} rows[] = {
		{ "22:22", NODE_STRING, "22:22" },
		{ "0644", NODE_INT, "420" },
		{ "0o17", NODE_INT, "15" },
		{ "089", NODE_FLOAT, "89" },
		{ "1e3", NODE_FLOAT, "1000" },
		{ "1.50", NODE_FLOAT, "1.5" },
		{ "1e30", NODE_FLOAT, "1e+30" },
		{ "yes", NODE_STRING, "yes" },
		{ "no", NODE_STRING, "no" },
		{ "on", NODE_STRING, "on" },
		{ "true", NODE_BOOL, "true" },
		{ "True", NODE_BOOL, "true" },
		{ "tRue", NODE_STRING, "tRue" },
		{ "~", NODE_NULL, "" },
		{ "2001-01-01", NODE_TIMESTAMP, "2001-01-01 00:00:00 +0000 UTC" },
		{ "2001-02-30", NODE_STRING, "2001-02-30" },
		{ "1_000", NODE_INT, "1000" },
		{ "0x1F", NODE_INT, "31" },
		{ "0x", NODE_STRING, "0x" },
		{ "-9223372036854775808", NODE_INT, "-9223372036854775808" },
		{ "12345678901234567890", NODE_FLOAT, "12345678901234567890" },
		{ "'5'", NODE_STRING, "5" },
		{ "!!str 5", NODE_STRING, "5" },
		{ "!!int '5'", NODE_INT, "5" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed p = parse(rows[i].text, strlen(rows[i].text));

		assert_int_equal(p.r, 0);
		if (rows[i].kind == NODE_NULL) {
			assert_int_equal(p.count, 0);
		} else {
			assert_int_equal(p.roots[0]->kind, rows[i].kind);
			assert_string_equal(node_scalar_text(p.arena, p.roots[0]), rows[i].shown);
		}
		parsed_release(&p);
	}
}

static void a_hundred_thousand_keys_load_in_linear_time(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int64_t start = cpu_time();
	struct parsed p;

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_addf(&text, "key%d: v\n", i);
	p = parse(text.data, text.length);
	assert_int_equal(p.r, 0);
	assert_int_equal(p.roots[0]->count, 100000);
	assert_true(cpu_time() - start < 3 * NS_PER_SEC);
	parsed_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_10_3_duplicate_keys_are_told_with_both_places),
		cmocka_unit_test(row_10_5_bytes_that_are_no_text_have_a_place),
		cmocka_unit_test(byte_order_mark_is_fine),
		cmocka_unit_test(row_10_1_alias_bomb_is_refused_quickly),
		cmocka_unit_test(row_10_2_nesting_stops_at_a_bound),
		cmocka_unit_test(row_10_2_deep_blocks_and_aliases_count_too),
		cmocka_unit_test(row_10_3_merge_keys_never_override),
		cmocka_unit_test(row_10_3_anchor_inside_itself_is_refused),
		cmocka_unit_test(an_alias_is_a_copy),
		cmocka_unit_test(row_10_6_scalars_have_the_kind_users_expect),
		cmocka_unit_test(a_hundred_thousand_keys_load_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
