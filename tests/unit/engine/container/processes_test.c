/* SPDX-License-Identifier: GPL-2.0-or-later
 * processes_test.c - /proc/PID/stat with every oddity its second field may have. */
#include "engine/container/processes.h"

#include "engine/base/times.h"
#include "tests/unit/engine/container/support.h"

#define REST(tty)          \
	" S 41 42 42 " tty \
	" 42 4194304 1 2 3 4 1500 500 0 0 20 0 1 0 1000 999 88 18446744073709551615"

static void fields_are_found_behind_any_name(void **state)
{
	static const char *const names[] = { "(sh)", "(a b)", "(x) S 9 9 (y)", "()", "(\n)" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *text = xasprintf("42 %s" REST("34817"), names[i]);
		cleanup_error struct error err = ERROR_INIT;
		struct process_entry entry = { 0 };

		/* Begun 10 s after the boot, looked at 50 s after it: 20 s of CPU in 40 s. */
		check_ok(process_stat_parse(
				 text, 50 * NS_PER_SEC, 1000 * NS_PER_SEC, 100, &entry, &err),
			&err);
		assert_int_equal(entry.ppid, 41);
		assert_int_equal(entry.cpu_seconds, 20);
		assert_int_equal(entry.cpu_percent, 50);
		assert_int_equal(entry.started_ns, 960 * NS_PER_SEC);
		assert_string_equal(entry.tty, "pts/1");
	}
}

static void terminals_have_names(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "42 (x)" REST("0"), "?" },
		{ "42 (x)" REST("34816"), "pts/0" },
		{ "42 (x)" REST("1025"), "tty1" },
		{ "42 (x)" REST("1088"), "ttyS0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct process_entry entry = { 0 };

		assert_int_equal(process_stat_parse(rows[i].text, 0, 0, 100, &entry, NULL), 0);
		assert_string_equal(entry.tty, rows[i].name);
	}
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const texts[] = { "", "42", "42 (x", "42 (x) S 41", "42 (x) S a b c" };
	struct process_entry entry = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(process_stat_parse(texts[i], 0, 0, 100, &entry, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_behind_any_name),
		cmocka_unit_test(terminals_have_names),
		cmocka_unit_test(what_is_no_such_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
