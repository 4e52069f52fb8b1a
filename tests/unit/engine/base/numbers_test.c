/* SPDX-License-Identifier: GPL-2.0-or-later
 * numbers_test.c - texts into numbers and back. */
#include "engine/base/numbers.h"

#include "support.h"

/* What every table says: the text, the answer, the value (when the answer is 0). */
struct row {
	const char *text;
	int result;
	int64_t value;
};

static void check(const struct row *row, int result, int64_t value)
{
	if (result != row->result || (result == 0 && value != row->value))
		fail_msg("'%s': got %d, %lld; expected %d, %lld", row->text, result,
			(long long)value, row->result, (long long)row->value);
	if (result != 0 && value != -77)
		fail_msg("'%s': output set on failure", row->text);
}

static void row_10_10_unsigned_numbers_check_form_then_range(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "65535", 0, 65535 },
		{ "007", 0, 7 },
		{ "65536", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999999999x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r;

		value = (uint64_t)-77;
		r = parse_u64(rows[i].text, 0, 65535, &value);
		check(&rows[i], r, (int64_t)value);
	}
	assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(parse_u64("4", 5, 9, &value), -ERANGE);
}

static void signed_numbers_reach_both_ends(void **state)
{
	static const struct row rows[] = {
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-1", 0, -1 },
		{ "-0", 0, 0 },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "--1", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t value = -77;
		int r = parse_i64(rows[i].text, INT64_MIN, INT64_MAX, &value);

		check(&rows[i], r, value);
	}
}

static void octal_modes(void **state)
{
	static const struct row rows[] = {
		{ "0440", 0, 0440 },
		{ "7777", 0, 07777 },
		{ "0", 0, 0 },
		{ "10000", -ERANGE, 0 },
		{ "777777777777777777777777", -ERANGE, 0 },
		{ "0448", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t value = (uint32_t)-77;
		int r = parse_octal(rows[i].text, 07777, &value);

		check(&rows[i], r, (int32_t)value);
	}
}

static void row_10_10_sizes_read_as_docker_reads_them(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "32b", 0, 32 },
		{ "32B", 0, 32 },
		{ "1k", 0, 1024 },
		{ "1K", 0, 1024 },
		{ "32kb", 0, 32 << 10 },
		{ "32KiB", 0, 32 << 10 },
		{ "64 KiB", 0, 64 << 10 },
		{ "100m", 0, 100 << 20 },
		{ "1.5g", 0, 3LL << 29 },
		{ ".5m", 0, 1 << 19 },
		{ "5.k", 0, 5120 },
		{ "1.1g", 0, 1181116006 },
		{ "2t", 0, 2LL << 40 },
		{ "3 Pb", 0, 3LL << 50 },
		{ "12 ", 0, 12 },
		{ "0.1", 0, 0 },
		{ "8191p", 0, 8191LL << 50 },
		{ "2147483648", 0, 2147483648 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "8192p", -ERANGE, 0 },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "18446744073709551617", -ERANGE, 0 },
		{ "18014398509481985k", -ERANGE, 0 }, /* wraps to 1k in 64 bits */
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "-1k", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 },
		{ "1 k ", -EINVAL, 0 },
		{ "1  k", -EINVAL, 0 },
		{ "1bb", -EINVAL, 0 },
		{ "1ib", -EINVAL, 0 },
		{ "1ki", -EINVAL, 0 },
		{ "1kibi", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
		{ "1.2.3", -EINVAL, 0 },
		{ "1,5g", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "inf", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = (uint64_t)-77;
		int r = parse_bytes(rows[i].text, &value);

		check(&rows[i], r, (int64_t)value);
	}
}

static void row_10_10_durations_read_as_go_reads_them(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "5s", 0, 5000000000 },
		{ "+5s", 0, 5000000000 },
		{ "-5s", 0, -5000000000 },
		{ "1m30s", 0, 90000000000 },
		{ "500ms", 0, 500000000 },
		{ "1.5h", 0, 5400000000000 },
		{ ".5s", 0, 500000000 },
		{ "5.s", 0, 5000000000 },
		{ "1h2m3.004s", 0, 3723004000000 },
		{ "10us", 0, 10000 },
		{ "10\xc2\xb5s", 0, 10000 },
		{ "10\xce\xbcs", 0, 10000 },
		{ "7ns", 0, 7 },
		{ "0.3333333333333333333333h", 0, 1199999999999 },
		{ "1d", 0, 86400000000000 },
		{ "1w2d", 0, 9 * 86400000000000 },
		{ "30s1m", 0, 90000000000 },
		{ "9223372036854775807ns", 0, INT64_MAX },
		{ "-9223372036854775808ns", 0, INT64_MIN },
		{ "9223372036854775808ns", -ERANGE, 0 },
		{ "-9223372036854775809ns", -ERANGE, 0 },
		{ "2562048h", -ERANGE, 0 },
		{ "9223372036s9223372036s", -ERANGE, 0 },
		{ "99999999999999999999999s", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "5", -EINVAL, 0 },
		{ "00", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ ".s", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "5s ", -EINVAL, 0 },
		{ "5x", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "1m-30s", -EINVAL, 0 },
		{ "1s5", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t value = -77;
		int r = parse_duration(rows[i].text, &value);

		check(&rows[i], r, value);
	}
}

static void cpus_are_thousandths(void **state)
{
	static const struct row rows[] = {
		{ "0.5", 0, 500 },
		{ "1", 0, 1000 },
		{ "2.25", 0, 2250 },
		{ ".001", 0, 1 },
		{ "0.1239", 0, 123 },
		{ "0", -ERANGE, 0 },
		{ "0.0009", -ERANGE, 0 },
		{ "18446744073709552", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1/2", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "nan", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = (uint64_t)-77;
		int r = parse_cpus(rows[i].text, &value);

		check(&rows[i], r, (int64_t)value);
	}
}

static void cpusets_have_a_form(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "0-2,5", 0, 0 },
		{ "3,1", 0, 0 },
		{ "2-2", 0, 0 },
		{ "", -EINVAL, 0 },
		{ ",", -EINVAL, 0 },
		{ "1,", -EINVAL, 0 },
		{ "1-", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "2-1", -EINVAL, 0 },
		{ "1-2-3", -EINVAL, 0 },
		{ "0 1", -EINVAL, 0 },
		{ "0\n", -EINVAL, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (parse_cpuset(rows[i].text) != rows[i].result)
			fail_msg("'%s'", rows[i].text);
}

static void durations_print_as_in_go(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0s" },
		{ 1, "1ns" },
		{ 1100, "1.1\xc2\xb5s" },
		{ 2200000, "2.2ms" },
		{ 500000000, "500ms" },
		{ 999999999, "999.999999ms" },
		{ 1000000000, "1s" },
		{ 3300000000, "3.3s" },
		{ 90000000000, "1m30s" },
		{ 245000000000, "4m5s" },
		{ 245001000000, "4m5.001s" },
		{ 7200000000000, "2h0m0s" },
		{ 18367001000000, "5h6m7.001s" },
		{ 86400000000000, "24h0m0s" },
		{ -90000000000, "-1m30s" },
		{ INT64_MAX, "2562047h47m16.854775807s" },
		{ INT64_MIN, "-2562047h47m16.854775808s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = format_duration(rows[i].ns);
		int64_t back;

		assert_string_equal(text, rows[i].text);
		assert_int_equal(parse_duration(text, &back), 0);
		assert_int_equal(back, rows[i].ns);
	}
}

static void sizes_print_with_three_and_four_digits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *decimal, *binary;
	} rows[] = {
		{ 0, "0B", "0B" },
		{ 512, "512B", "512B" },
		{ 999, "999B", "999B" },
		{ 1000, "1kB", "1000B" },
		{ 1024, "1.02kB", "1KiB" },
		{ 12300, "12.3kB", "12.01KiB" },
		{ 1984000, "1.98MB", "1.892MiB" },
		{ 13107200, "13.1MB", "12.5MiB" },
		{ 77800000, "77.8MB", "74.2MiB" },
		{ 1ULL << 40, "1.1TB", "1TiB" },
		{ UINT64_MAX, "18.4EB", "16EiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *decimal = format_size(rows[i].bytes);
		cleanup_free char *binary = format_size_binary(rows[i].bytes);

		assert_string_equal(decimal, rows[i].decimal);
		assert_string_equal(binary, rows[i].binary);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_10_10_unsigned_numbers_check_form_then_range),
		cmocka_unit_test(signed_numbers_reach_both_ends),
		cmocka_unit_test(octal_modes),
		cmocka_unit_test(row_10_10_sizes_read_as_docker_reads_them),
		cmocka_unit_test(row_10_10_durations_read_as_go_reads_them),
		cmocka_unit_test(cpus_are_thousandths),
		cmocka_unit_test(cpusets_have_a_form),
		cmocka_unit_test(durations_print_as_in_go),
		cmocka_unit_test(sizes_print_with_three_and_four_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
