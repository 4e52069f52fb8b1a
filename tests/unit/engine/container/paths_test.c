/* SPDX-License-Identifier: GPL-2.0-or-later
 * paths_test.c - paths inside a container as text. */
#include "engine/container/paths.h"

#include "support.h"

static void row_6_1_paths_end_at_the_root(void **state)
{
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{ "/", "/" },
		{ "", "/" },
		{ "/a/b", "/a/b" },
		{ "a/b/", "/a/b" },
		{ "//a///b//", "/a/b" },
		{ "/a/./b/.", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/a/b/../..", "/" },
		{ "../../etc/passwd", "/etc/passwd" },
		{ "/..", "/" },
		{ "/x/../../proc", "/proc" },
		{ "/...", "/..." },
		{ "/..a/.b", "/..a/.b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *clean = path_clean(cases[i].path);

		assert_string_equal(clean, cases[i].clean);
	}
}

static void below_means_whole_components(void **state)
{
	(void)state;
	assert_true(path_is_below("/proc", "/proc"));
	assert_true(path_is_below("/proc/1", "/proc"));
	assert_false(path_is_below("/process", "/proc"));
	assert_false(path_is_below("/", "/proc"));
	assert_true(path_is_below("/a", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_6_1_paths_end_at_the_root),
		cmocka_unit_test(below_means_whole_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
