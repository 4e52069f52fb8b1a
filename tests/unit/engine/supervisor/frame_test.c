/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame_test.c - frames cut anywhere come out whole; too long ones are refused on both sides. */
#include "engine/supervisor/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"

static void frames_come_out_whole_wherever_the_stream_is_cut(void **state)
{
	static const char *const payloads[] = { "{}", "", "{\"a\":1}", "x" };
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++)
		assert_int_equal(frame_put(&whole, payloads[i], strlen(payloads[i]), NULL), 0);
	for (size_t cut = 1; cut <= whole.length; cut++) {
		cleanup_strbuf struct strbuf stream = STRBUF_INIT;
		size_t seen = 0;

		for (size_t at = 0; at < whole.length; at += cut) {
			size_t left = whole.length - at, length;
			const char *payload;

			strbuf_add(&stream, whole.data + at, left < cut ? left : cut);
			while (frame_peek(&stream, &payload, &length, NULL) == 1) {
				assert_int_equal(length, strlen(payloads[seen]));
				assert_memory_equal(payload, payloads[seen], length);
				frame_drop(&stream);
				seen++;
			}
		}
		assert_int_equal(seen, ARRAY_LEN(payloads));
		assert_int_equal(stream.length, 0);
	}
}

static void row_11_5_a_length_over_the_bound_is_refused_at_once(void **state)
{
	static const struct {
		unsigned char header[FRAME_HEADER];
		int expected;
	} rows[] = {
		{ { 0x00, 0x00, 0x01, 0x00 }, 0 }, /* 65536: allowed, still to come */
		{ { 0x01, 0x00, 0x01, 0x00 }, -EMSGSIZE },
		{ { 0xff, 0xff, 0xff, 0xff }, -EMSGSIZE },
		{ { 0x00, 0x00, 0x00, 0x80 }, -EMSGSIZE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf stream = STRBUF_INIT;
		const char *payload;
		size_t length;

		strbuf_add(&stream, rows[i].header, FRAME_HEADER);
		assert_int_equal(frame_peek(&stream, &payload, &length, NULL), rows[i].expected);
	}
}

static void a_payload_over_the_bound_is_not_sent(void **state)
{
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	cleanup_free char *payload = xcalloc(1, FRAME_MAX + 1);

	(void)state;
	assert_int_equal(frame_put(&stream, payload, FRAME_MAX + 1, NULL), -EMSGSIZE);
	assert_int_equal(stream.length, 0);
	assert_int_equal(frame_put(&stream, payload, FRAME_MAX, NULL), 0);
	assert_int_equal(stream.length, FRAME_HEADER + FRAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_out_whole_wherever_the_stream_is_cut),
		cmocka_unit_test(row_11_5_a_length_over_the_bound_is_refused_at_once),
		cmocka_unit_test(a_payload_over_the_bound_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
