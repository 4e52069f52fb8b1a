/* SPDX-License-Identifier: GPL-2.0-or-later
 * restart_test.c - the restart policies and the back-off, as tables. */
#include "engine/supervisor/restart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

static void row_14_6_policy_decides_by_exit_code_count_and_the_users_stop(void **state)
{
	static const struct {
		struct restart_question question;
		bool due;
	} rows[] = {
		/* policy, bound, restarts so far, exit code, stopped by the user, unhealthy */
		{ { RESTART_NO, 0, 0, 1, false, false }, false },
		{ { RESTART_NO, 0, 0, 0, false, false }, false },
		{ { RESTART_ALWAYS, 0, 0, 0, false, false }, true },
		{ { RESTART_ALWAYS, 0, 1000, 137, false, false }, true },
		{ { RESTART_ALWAYS, 0, 0, -1, false, false }, true },
		{ { RESTART_ALWAYS, 0, 0, 1, true, false }, false },
		{ { RESTART_UNLESS_STOPPED, 0, 0, 0, false, false }, true },
		{ { RESTART_UNLESS_STOPPED, 0, 0, 143, true, false }, false },
		{ { RESTART_ON_FAILURE, 0, 0, 0, false, false }, false },
		{ { RESTART_ON_FAILURE, 0, 0, 1, false, false }, true },
		{ { RESTART_ON_FAILURE, 0, 99, 1, false, false }, true },
		{ { RESTART_ON_FAILURE, 3, 2, 1, false, false }, true },
		{ { RESTART_ON_FAILURE, 3, 3, 1, false, false }, false },
		{ { RESTART_ON_FAILURE, 0, 0, -1, false, false }, false },
		{ { RESTART_ON_FAILURE, 0, 0, 1, true, false }, false },
		{ { RESTART_ALWAYS, 2, 1, 0, false, false }, true },
		{ { RESTART_ALWAYS, 2, 2, 0, false, false }, false },
		{ { RESTART_NO, 0, 0, 143, false, true }, true },
		{ { RESTART_ON_FAILURE, 0, 0, 0, false, true }, true },
		{ { RESTART_NO, 2, 2, 143, false, true }, false },
		{ { RESTART_ALWAYS, 0, 0, 143, true, true }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (restart_is_due(&rows[i].question) != rows[i].due)
			fail_msg("row %zu", i);
	}
}

static void a_run_as_long_as_the_window_begins_the_count_of_restarts_anew(void **state)
{
	static const struct {
		uint32_t restarts;
		int64_t window_ns, ran_ns;
		uint32_t left;
	} rows[] = {
		{ 3, 0, 0, 3 },
		{ 3, 0, 3600 * NS_PER_SEC, 3 },
		{ 3, 5 * NS_PER_SEC, 5 * NS_PER_SEC - 1, 3 },
		{ 3, 5 * NS_PER_SEC, 5 * NS_PER_SEC, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (restart_attempts(rows[i].restarts, rows[i].window_ns, rows[i].ran_ns) !=
			rows[i].left)
			fail_msg("row %zu", i);
	}
}

static void row_13_4_after_an_absence_only_policies_that_need_no_exit_code_apply(void **state)
{
	static const struct {
		enum restart_policy policy;
		bool stopped_by_user;
		bool due;
	} rows[] = {
		{ RESTART_NO, false, false },
		{ RESTART_ON_FAILURE, false, false },
		{ RESTART_ALWAYS, false, true },
		{ RESTART_UNLESS_STOPPED, false, true },
		{ RESTART_UNLESS_STOPPED, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (restart_is_due_after_absence(rows[i].policy, rows[i].stopped_by_user) !=
			rows[i].due)
			fail_msg("row %zu", i);
	}
}

static void row_14_6_delay_doubles_from_100_ms_to_60_s_and_starts_anew_after_10_s(void **state)
{
	static const int64_t expected_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600,
		51200, 60000, 60000 };
	int64_t delay = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected_ms); i++) {
		delay = restart_delay(delay, 5 * NS_PER_MS);
		assert_int_equal(delay, expected_ms[i] * NS_PER_MS);
	}
	assert_int_equal(restart_delay(delay, 10 * NS_PER_SEC - 1), 60 * NS_PER_SEC);
	assert_int_equal(restart_delay(delay, 10 * NS_PER_SEC), 100 * NS_PER_MS);
}

static void row_14_6_a_crash_loop_starts_at_most_ten_times_in_a_minute(void **state)
{
	int64_t now = 0, delay = 0;
	int starts = 0;

	(void)state;
	while (now <= 60 * NS_PER_SEC) {
		starts++;
		delay = restart_delay(delay, 0);
		now += delay;
	}
	assert_int_equal(starts, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_as_long_as_the_window_begins_the_count_of_restarts_anew),
		cmocka_unit_test(row_14_6_policy_decides_by_exit_code_count_and_the_users_stop),
		cmocka_unit_test(
			row_13_4_after_an_absence_only_policies_that_need_no_exit_code_apply),
		cmocka_unit_test(
			row_14_6_delay_doubles_from_100_ms_to_60_s_and_starts_anew_after_10_s),
		cmocka_unit_test(row_14_6_a_crash_loop_starts_at_most_ten_times_in_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
