/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf_test.c - the growing byte string. */
#include "engine/base/strbuf.h"

#include "support.h"

static void grows_over_every_boundary(void **state)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		strbuf_add_char(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.length, i + 1);
		assert_int_equal(buf.data[buf.length], 0);
	}
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
}

static void holds_nul_bytes(void **state)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	(void)state;
	strbuf_add(&buf, "a\0b", 3);
	strbuf_add(&buf, NULL, 0);
	strbuf_add_str(&buf, "c");
	assert_int_equal(buf.length, 4);
	assert_memory_equal(buf.data, "a\0bc", 5);
}

static void formats_texts_of_any_length(void **state)
{
	static const int widths[] = { 0, 1, 62, 63, 64, 65, 1000 };
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	size_t length = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
		strbuf_addf(&buf, "<%*s>", widths[i], "");
		length += (size_t)widths[i] + 2;
		assert_int_equal(buf.length, length);
		assert_int_equal(buf.data[length - 1], '>');
		assert_int_equal(strlen(buf.data), length);
	}
}

static void numbers_are_written_in_decimal(void **state)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	(void)state;
	strbuf_add_u64(&buf, 0);
	strbuf_add_char(&buf, ' ');
	strbuf_add_u64(&buf, UINT64_MAX);
	strbuf_add_char(&buf, ' ');
	strbuf_add_i64(&buf, -1);
	strbuf_add_char(&buf, ' ');
	strbuf_add_i64(&buf, INT64_MIN);
	strbuf_add_char(&buf, ' ');
	strbuf_add_i64(&buf, INT64_MAX);
	assert_string_equal(strbuf_text(&buf),
		"0 18446744073709551615 -1 -9223372036854775808 9223372036854775807");
}

static void consume_drops_from_the_front(void **state)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	(void)state;
	strbuf_consume(&buf, 3);
	strbuf_add_str(&buf, "abcdef");
	strbuf_consume(&buf, 2);
	assert_string_equal(strbuf_text(&buf), "cdef");
	strbuf_consume(&buf, 100);
	assert_string_equal(strbuf_text(&buf), "");
	assert_int_equal(buf.length, 0);
}

static void text_and_steal_are_never_null(void **state)
{
	struct strbuf buf = STRBUF_INIT;
	cleanup_free char *empty = NULL;
	cleanup_free char *full = NULL;

	(void)state;
	assert_string_equal(strbuf_text(&buf), "");
	strbuf_reserve(&buf, 10);
	assert_string_equal(strbuf_text(&buf), "");
	empty = strbuf_steal(&buf);
	assert_string_equal(empty, "");
	strbuf_add_str(&buf, "x");
	strbuf_clear(&buf);
	strbuf_add_str(&buf, "y");
	full = strbuf_steal(&buf);
	assert_string_equal(full, "y");
	assert_null(buf.data);
	assert_int_equal(buf.length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_over_every_boundary),
		cmocka_unit_test(holds_nul_bytes),
		cmocka_unit_test(formats_texts_of_any_length),
		cmocka_unit_test(numbers_are_written_in_decimal),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(text_and_steal_are_never_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
