/* SPDX-License-Identifier: GPL-2.0-or-later
 * times_test.c - how times are written and read. */
#include "engine/base/times.h"

#include "support.h"

#define DAY (86400 * NS_PER_SEC)

static void rfc3339_drops_trailing_zeros(void **state)
{
	static const struct {
		int64_t ns;
		const char *text, *log;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000001Z" },
		{ 1795497573810562220, "2026-11-24T05:19:33.81056222Z",
			"2026-11-24T05:19:33.810562220Z" },
		{ 1795497570000000000, "2026-11-24T05:19:30Z", "2026-11-24T05:19:30.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224192Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = time_format_rfc3339(rows[i].ns);
		char log[31];

		assert_string_equal(text, rows[i].text);
		time_format_log(rows[i].ns, log);
		assert_string_equal(log, rows[i].log);
	}
}

static void reads_what_it_writes_and_what_people_write(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} rows[] = {
		{ "2026-11-24T05:19:33.81056222Z", 1795497573810562220 },
		{ "2026-11-24T05:19:33Z", 1795497573000000000 },
		{ "2026-11-24t05:19:33z", 1795497573000000000 },
		{ "2026-11-24 05:19:33", 1795497573000000000 },
		{ "2026-11-24T05:19", 1795497540000000000 },
		{ "2026-11-24", 1795478400000000000 },
		{ "2026-11-24T06:19:33+01:00", 1795497573000000000 },
		{ "2026-11-23T22:49:33-06:30", 1795497573000000000 },
		{ "2026-11-24T05:19:33.1234567891Z", 1795497573123456789 },
		{ "2024-02-29", 1709164800000000000 },
		{ "1969-12-31T23:59:59.5Z", -500000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ns;

		if (time_parse_rfc3339(rows[i].text, &ns) != 0)
			fail_msg("'%s' was refused", rows[i].text);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const rows[] = {
		"",
		"2026",
		"2026-11",
		"2026-1-2",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"2026-11-31",
		"2026-11-24T",
		"2026-11-24T05",
		"2026-11-24T24:00:00Z",
		"2026-11-24T05:60:00Z",
		"2026-11-24T05:19:60Z",
		"2026-11-24T05:19:33.Z",
		"2026-11-24T05:19:33Zx",
		"2026-11-24T05:19:33+1:00",
		"2026-11-24T05:19:33+24:00",
		"2026-11-24T05:19:33+01:60",
		"2026-11-24Z",
		" 2026-11-24",
		"0001-01-01T00:00:00Z",
		"2263-01-01",
		"yesterday",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ns = 77;

		if (time_parse_rfc3339(rows[i], &ns) != -EINVAL)
			fail_msg("'%s' was accepted", rows[i]);
		assert_int_equal(ns, 77);
	}
}

static void created_at_is_dockers(void **state)
{
	cleanup_free char *text = time_format_created_at(1795497566999999999);

	(void)state;
	assert_string_equal(text, "2026-11-24 05:19:26 +0000 UTC");
}

static void human_durations_are_go_units(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "Less than a second" },
		{ -5 * NS_PER_SEC, "Less than a second" },
		{ NS_PER_SEC - 1, "Less than a second" },
		{ NS_PER_SEC, "1 second" },
		{ 2 * NS_PER_SEC - 1, "1 second" },
		{ 2 * NS_PER_SEC, "2 seconds" },
		{ 59 * NS_PER_SEC, "59 seconds" },
		{ 60 * NS_PER_SEC, "About a minute" },
		{ 119 * NS_PER_SEC, "About a minute" },
		{ 120 * NS_PER_SEC, "2 minutes" },
		{ 3599 * NS_PER_SEC, "59 minutes" },
		{ 3600 * NS_PER_SEC, "About an hour" },
		{ 5399 * NS_PER_SEC, "About an hour" },
		{ 5400 * NS_PER_SEC, "2 hours" },
		{ 47 * 3600 * NS_PER_SEC, "47 hours" },
		{ 2 * DAY, "2 days" },
		{ 13 * DAY, "13 days" },
		{ 14 * DAY, "2 weeks" },
		{ 21 * DAY, "3 weeks" },
		{ 59 * DAY, "8 weeks" },
		{ 60 * DAY, "2 months" },
		{ 729 * DAY, "24 months" },
		{ 730 * DAY, "2 years" },
		{ 3 * 365 * DAY, "3 years" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = time_format_human(rows[i].ns);

		assert_string_equal(text, rows[i].text);
	}
}

static void clocks_go_forward(void **state)
{
	int64_t start = time_monotonic(), wall = time_now();

	(void)state;
	usleep(2000);
	assert_true(time_monotonic() - start >= 2 * NS_PER_MS);
	assert_true(wall > 1700000000 * NS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3339_drops_trailing_zeros),
		cmocka_unit_test(reads_what_it_writes_and_what_people_write),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(created_at_is_dockers),
		cmocka_unit_test(human_durations_are_go_units),
		cmocka_unit_test(clocks_go_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
