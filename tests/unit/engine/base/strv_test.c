/* SPDX-License-Identifier: GPL-2.0-or-later
 * strv_test.c - vectors of strings and environments. */
#include "engine/base/strv.h"

#include "support.h"

static void assert_joined(char *const *strv, const char *expected)
{
	cleanup_free char *joined = strv_join(strv, "|");

	assert_string_equal(joined, expected);
}

static void null_is_an_empty_vector(void **state)
{
	char **empty = NULL;
	char *nothing[] = { NULL };

	(void)state;
	assert_int_equal(strv_length(NULL), 0);
	assert_null(strv_copy(NULL));
	assert_false(strv_contains(NULL, "a"));
	assert_true(strv_equal(NULL, nothing));
	assert_joined(NULL, "");
	assert_null(env_get(NULL, "A"));
	strv_remove(NULL, "a");
	strv_sort(NULL);
	strv_free(NULL);
	strv_extend(&empty, NULL);
	env_set(&empty, "A", NULL);
	env_merge(&empty, NULL);
	assert_null(empty);
}

static void split_drops_empty_fields(void **state)
{
	static const struct {
		const char *text, *separators, *expected;
	} rows[] = {
		{ "", " ", "" },
		{ "  ", " ", "" },
		{ "a", " ", "a" },
		{ " a  b ", " ", "a|b" },
		{ "a,b;c", ",;", "a|b|c" },
		{ "1 2 3 4 5 6 7 8 9 10", " ", "1|2|3|4|5|6|7|8|9|10" },
		{ "1 2 3 4 5 6 7 8", " ", "1|2|3|4|5|6|7|8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strv char **fields = strv_split(rows[i].text, rows[i].separators);

		assert_joined(fields, rows[i].expected);
		strv_add(&fields, "x"); /* a split vector may grow */
		assert_true(strv_contains(fields, "x"));
	}
}

static void add_copy_equal_sort_remove(void **state)
{
	cleanup_strv char **a = NULL;
	cleanup_strv char **b = NULL;

	(void)state;
	strv_add(&a, "c");
	strv_take(&a, xstrdup("a"));
	strv_add(&a, "b");
	strv_add(&a, "a");
	b = strv_copy(a);
	assert_true(strv_equal(a, b));
	strv_sort(b);
	assert_joined(b, "a|a|b|c");
	assert_false(strv_equal(a, b));
	strv_remove(b, "a");
	assert_joined(b, "b|c");
	strv_extend(&b, a);
	assert_joined(b, "b|c|c|a|b|a");
	strv_remove(b, "absent");
	assert_int_equal(strv_length(b), 6);
}

static void sort_is_by_bytes(void **state)
{
	cleanup_strv char **v = strv_split("b B \xc3\xa4 a10 a2 ~", " ");

	(void)state;
	strv_sort(v);
	assert_joined(v, "B|a10|a2|b|~|\xc3\xa4");
}

static void environment_is_keyed_by_name(void **state)
{
	cleanup_strv char **env = NULL;
	cleanup_strv char **more = strv_split("B=2,A=3,NOVALUE,C=x=y", ",");

	(void)state;
	env_set(&env, "A", "1");
	env_set(&env, "AB", "other");
	assert_string_equal(env_get(env, "A"), "1");
	assert_null(env_get(env, "B"));
	env_merge(&env, more);
	assert_joined(env, "A=3|AB=other|B=2|C=x=y");
	env_set(&env, "B", "");
	assert_string_equal(env_get(env, "B"), "");
	env_set(&env, "A", NULL);
	assert_null(env_get(env, "A"));
	assert_joined(env, "AB=other|B=|C=x=y");
}

static void removing_a_variable_removes_doubles(void **state)
{
	cleanup_strv char **env = strv_split("A=1,B=2,A=3,A=4", ",");

	(void)state;
	env_set(&env, "A", NULL);
	assert_joined(env, "B=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_an_empty_vector),
		cmocka_unit_test(split_drops_empty_fields),
		cmocka_unit_test(add_copy_equal_sort_remove),
		cmocka_unit_test(sort_is_by_bytes),
		cmocka_unit_test(environment_is_keyed_by_name),
		cmocka_unit_test(removing_a_variable_removes_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
