/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_stat_test.c - /proc/PID/stat with every oddity its second field may have. */
#include "engine/base/process_stat.h"

#include "support.h"

#define REST                                                                      \
	" S 41 42 43 34817 42 4194304 1 2 3 4 1500 500 0 0 20 0 1 0 1000 999 88 " \
	"18446744073709551615"

static void row_13_3_fields_are_found_behind_any_name(void **state)
{
	static const char *const names[] = { "(sh)", "(a b)", "(x) S 9 9 (y)", "()", "(\n)",
		"())" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *text = xasprintf("44 %s" REST, names[i]);
		struct process_stat stat;

		assert_int_equal(process_stat_parse(text, &stat), 0);
		assert_int_equal(stat.process.pid, 44);
		assert_int_equal(stat.process.start_time, 1000);
		assert_int_equal(stat.state, 'S');
		assert_int_equal(stat.parent, 41);
		assert_int_equal(stat.session, 43);
		assert_int_equal(stat.terminal, 34817);
		assert_int_equal(stat.user_ticks, 1500);
		assert_int_equal(stat.system_ticks, 500);
	}
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const texts[] = { "", "42", "42 (x", "42 (x) S 41", "42 (x) S a b c",
		"(x)" REST };
	struct process_stat stat;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(process_stat_parse(texts[i], &stat), -EBADMSG);
}

static void our_own_is_read(void **state)
{
	struct process_stat stat;

	(void)state;
	assert_int_equal(process_stat_read(getpid(), &stat, NULL), 0);
	assert_int_equal(stat.process.pid, getpid());
	assert_int_equal(stat.parent, getppid());
	assert_int_equal(stat.session, getsid(0));
	assert_int_equal(stat.state, 'R');
	assert_int_equal(process_stat_read(0, &stat, NULL), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_13_3_fields_are_found_behind_any_name),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(our_own_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
