/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_follow_test.c - the words of --since, --until and --tail. */
#include "cmd/log_follow.h"

#include "engine/base/times.h"
#include "support.h"

#define NOW (1000000 * NS_PER_SEC)

static void times(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} cases[] = {
		{ "1970-01-01T00:00:10Z", 10 * NS_PER_SEC },
		{ "1970-01-01T01:00:10.5+01:00", 10 * NS_PER_SEC + NS_PER_SEC / 2 },
		{ "1970-01-02", 86400 * NS_PER_SEC },
		{ "42", 42 * NS_PER_SEC },
		{ "42m", NOW - 42 * 60 * NS_PER_SEC },
		{ "1h30m", NOW - 5400 * NS_PER_SEC },
		{ "yesterday", -1 },
		{ "", -1 },
		{ "1x", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		int64_t ns = -1;
		int r = log_time_parse("--since", cases[i].text, NOW, &ns, &err);

		assert_int_equal(r, cases[i].ns < 0 ? -EINVAL : 0);
		assert_int_equal(ns, cases[i].ns);
	}
}

static void tails(void **state)
{
	static const struct {
		const char *text;
		int64_t lines; /* -2: refused */
	} cases[] = { { "all", -1 }, { "-1", -1 }, { "0", 0 }, { "10", 10 }, { "ten", -2 },
		{ "-2", -2 }, { "", -2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		int64_t lines = -2;
		int r = log_tail_parse(cases[i].text, &lines, &err);

		assert_int_equal(r, cases[i].lines == -2 ? -EINVAL : 0);
		assert_int_equal(lines, cases[i].lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(tails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
