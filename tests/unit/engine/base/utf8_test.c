/* SPDX-License-Identifier: GPL-2.0-or-later
 * utf8_test.c - well-formed sequences and all the others. */
#include "engine/base/utf8.h"

#include "support.h"

static void decodes_the_ends_of_every_range(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		uint32_t point;
	} rows[] = {
		{ "A", 1, 'A' },
		{ "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 },
		{ "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 },
		{ "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 0xe000 },
		{ "\xef\xbf\xbd", 3, 0xfffd },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t point;

		assert_int_equal(
			utf8_decode(rows[i].bytes, strlen(rows[i].bytes), &point), rows[i].length);
		assert_int_equal(point, rows[i].point);
		for (size_t cut = 1; cut < rows[i].length; cut++)
			assert_int_equal(utf8_decode(rows[i].bytes, cut, &point), 0);
	}
}

static void refuses_ill_formed_sequences(void **state)
{
	static const char *const rows[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3(",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe2\x82(",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
	};
	uint32_t point = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (utf8_decode(rows[i], strlen(rows[i]), &point) != 0)
			fail_msg("row %zu was accepted", i);
	assert_int_equal(utf8_decode("", 0, &point), 0);
	assert_int_equal(utf8_decode("\0", 1, &point), 1);
	assert_int_equal(point, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_the_ends_of_every_range),
		cmocka_unit_test(refuses_ill_formed_sequences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
