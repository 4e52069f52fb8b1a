/* SPDX-License-Identifier: GPL-2.0-or-later
 * processes_test.c - what `top` shows of a process, from what the kernel tells. */
#include "engine/container/processes.h"

#include "engine/base/times.h"
#include "tests/unit/engine/container/support.h"

static void times_are_of_its_whole_life(void **state)
{
	static const struct process_stat stat = {
		.process = { 42, 1000 },
		.parent = 41,
		.terminal = 34817,
		.user_ticks = 1500,
		.system_ticks = 500,
	};
	struct process_entry entry = { 0 };

	(void)state;
	/* Begun 10 s after the boot, looked at 50 s after it: 20 s of CPU in 40 s. */
	process_entry_fill(&entry, &stat, 50 * NS_PER_SEC, 1000 * NS_PER_SEC, 100);
	assert_int_equal(entry.pid, 42);
	assert_int_equal(entry.ppid, 41);
	assert_int_equal(entry.cpu_seconds, 20);
	assert_int_equal(entry.cpu_percent, 50);
	assert_int_equal(entry.started_ns, 960 * NS_PER_SEC);
	assert_string_equal(entry.tty, "pts/1");
}

static void terminals_have_names(void **state)
{
	static const struct {
		unsigned int number;
		const char *name;
	} rows[] = {
		{ 0, "?" },
		{ 34816, "pts/0" },
		{ 1025, "tty1" },
		{ 1088, "ttyS0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct process_stat stat = { .terminal = rows[i].number };
		struct process_entry entry = { 0 };

		process_entry_fill(&entry, &stat, 0, 0, 100);
		assert_string_equal(entry.tty, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_of_its_whole_life),
		cmocka_unit_test(terminals_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
