/* SPDX-License-Identifier: GPL-2.0-or-later
 * cpuset_test.c - is a list of CPUs within another? */
#include "tests/unit/engine/cgroup/support.h"

static void lists_are_compared_as_sets(void **state)
{
	static const struct {
		const char *available, *wanted;
		int expected;
	} rows[] = {
		{ "0-3", "1", 1 },
		{ "0-3", "0-3", 1 },
		{ "0-3", "3,1-2", 1 },
		{ "0-3\n", "2", 1 },
		{ "0,2", "1", 0 },
		{ "0-3", "3-4", 0 },
		{ "", "0", 0 },
		{ "0-3", "x", -EINVAL },
		{ "0-3", "2-1", -EINVAL },
		{ "0-3", "1-", -EINVAL },
		{ "0-3", "99999", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
			cpuset_contains(rows[i].available, rows[i].wanted), rows[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_compared_as_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
