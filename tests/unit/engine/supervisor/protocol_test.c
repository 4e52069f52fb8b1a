/* SPDX-License-Identifier: GPL-2.0-or-later
 * protocol_test.c - requests and events survive the way; whatever else comes is refused. */
#include "engine/supervisor/protocol.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/supervisor/frame.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void requests_survive_the_way(void **state)
{
	static const struct {
		struct request request;
		uint64_t tag;
	} rows[] = {
		{ { OPERATION_START, ID, 0, -1, 0, 0 }, 1 },
		{ { OPERATION_STOP, ID, 0, -1, 0, 0 }, 2 },
		{ { OPERATION_STOP, ID, SIGINT, 0, 0, 0 }, 3 },
		{ { OPERATION_RESTART, ID, 0, 10000000000, 0, 0 }, UINT64_MAX },
		{ { OPERATION_KILL, ID, 64, -1, 0, 0 }, 1ULL << 60 },
		{ { OPERATION_PAUSE, ID, 0, -1, 0, 0 }, 9 },
		{ { OPERATION_UNPAUSE, ID, 0, INT64_MAX, 0, 0 }, 10 },
		{ { OPERATION_ATTACH, ID, 0, -1, 0, 0 }, 11 },
		{ { OPERATION_RESIZE, ID, 0, -1, 24, 65535 }, 12 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf stream = STRBUF_INIT;
		struct request request;
		const char *payload;
		uint64_t tag = 0;
		size_t length;

		assert_int_equal(
			protocol_put_request(&stream, &rows[i].request, rows[i].tag, NULL), 0);
		assert_int_equal(frame_peek(&stream, &payload, &length, NULL), 1);
		assert_int_equal(protocol_parse_request(payload, length, &request, &tag, NULL), 0);
		assert_true(tag == rows[i].tag);
		assert_int_equal(request.operation, rows[i].request.operation);
		assert_string_equal(request.id, ID);
		assert_int_equal(request.signal, rows[i].request.signal);
		assert_true(request.timeout_ns == rows[i].request.timeout_ns);
		assert_int_equal(request.rows, rows[i].request.rows);
		assert_int_equal(request.columns, rows[i].request.columns);
	}
}

static void events_survive_the_way(void **state)
{
	static const struct event rows[] = {
		{ .kind = EVENT_STARTED,
			.id = ID,
			.exit_code = -1,
			.time_ns = 1795500000123456789 },
		{ .kind = EVENT_EXITED, .id = ID, .exit_code = 137, .oom_killed = true },
		{ .kind = EVENT_EXITED, .id = ID, .exit_code = -1, .restarting = true },
		{ .kind = EVENT_PAUSED, .id = ID, .exit_code = -1 },
		{ .kind = EVENT_UNPAUSED, .id = ID, .exit_code = -1 },
		{ .kind = EVENT_HEALTH, .id = ID, .exit_code = -1, .health = HEALTH_STARTING },
		{ .kind = EVENT_HEALTH, .id = ID, .exit_code = -1, .health = HEALTH_HEALTHY },
		{ .kind = EVENT_HEALTH, .id = ID, .exit_code = -1, .health = HEALTH_UNHEALTHY },
		{ .kind = EVENT_REPLY, .id = ID, .exit_code = -1, .tag = 77 },
		{ .kind = EVENT_REPLY,
			.exit_code = -1,
			.tag = 78,
			.error = { -ENOENT, 127, (char *)"exec \"x\": not \033 found" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf stream = STRBUF_INIT;
		struct event event;
		const char *payload;
		size_t length;

		assert_int_equal(protocol_put_event(&stream, &rows[i], NULL), 0);
		assert_int_equal(frame_peek(&stream, &payload, &length, NULL), 1);
		assert_int_equal(protocol_parse_event(payload, length, &event, NULL), 0);
		assert_int_equal(event.kind, rows[i].kind);
		assert_true(event.tag == rows[i].tag);
		assert_string_equal(event.id, rows[i].id);
		assert_int_equal(event.exit_code, rows[i].exit_code);
		assert_int_equal(event.oom_killed, rows[i].oom_killed);
		assert_int_equal(event.restarting, rows[i].restarting);
		assert_int_equal(event.health, rows[i].health);
		assert_true(event.time_ns == rows[i].time_ns);
		assert_int_equal(event.error.code, rows[i].error.code);
		assert_int_equal(event.error.exit_code, rows[i].error.exit_code);
		if (rows[i].error.code)
			assert_string_equal(event.error.message, rows[i].error.message);
		event_release(&event);
	}
}

static void an_error_of_any_size_fits_a_frame(void **state)
{
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	struct event event = { .kind = EVENT_REPLY, .tag = 1, .id = ID };
	char *message = xmalloc(200001);

	(void)state;
	memset(message, '\001', 200000);
	message[200000] = '\0';
	event.error.code = -EIO;
	event.error.message = message;
	assert_int_equal(protocol_put_event(&stream, &event, NULL), 0);
	event_release(&event);
}

static void row_11_5_malformed_requests_are_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"x",
		"[]",
		"null",
		"{}",
		"{\"tag\":1}",
		"{\"tag\":\"x\",\"operation\":\"start\",\"id\":\"" ID "\"}",
		"{\"tag\":-1,\"operation\":\"start\",\"id\":\"" ID "\"}",
		"{\"tag\":1,\"operation\":\"explode\",\"id\":\"" ID "\"}",
		"{\"tag\":1,\"operation\":7,\"id\":\"" ID "\"}",
		"{\"tag\":1,\"operation\":\"start\"}",
		"{\"tag\":1,\"operation\":\"start\",\"id\":\"../../etc/passwd\"}",
		"{\"tag\":1,\"operation\":\"start\",\"id\":\"" ID "0\"}",
		"{\"tag\":1,\"operation\":\"start\",\"id\":\"ABCDEF\"}",
		"{\"tag\":1,\"operation\":\"kill\",\"id\":\"" ID "\",\"signal\":65}",
		"{\"tag\":1,\"operation\":\"kill\",\"id\":\"" ID "\",\"signal\":-9}",
		"{\"tag\":1,\"operation\":\"kill\",\"id\":\"" ID "\",\"signal\":\"9\"}",
		"{\"tag\":1,\"operation\":\"stop\",\"id\":\"" ID "\",\"timeout_ns\":\"soon\"}",
		"{\"tag\":1,\"operation\":\"resize\",\"id\":\"" ID "\",\"rows\":65536}",
		"{\"tag\":1,\"operation\":\"resize\",\"id\":\"" ID "\",\"columns\":-1}",
		"{\"tag\":1,\"operation\":\"start\",\"id\":\"" ID "\"} trailing",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct request request;
		uint64_t tag = 0;

		if (protocol_parse_request(rows[i], strlen(rows[i]), &request, &tag, &err) >= 0)
			fail_msg("accepted: %s", rows[i]);
		assert_non_null(err.message);
	}
}

static void another_version_is_told_apart(void **state)
{
	static const char other[] = "{\"supervisor\":999}";
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf stream = STRBUF_INIT;
	const char *payload;
	size_t length;

	(void)state;
	assert_int_equal(protocol_put_greeting(&stream, NULL), 0);
	assert_int_equal(frame_peek(&stream, &payload, &length, NULL), 1);
	assert_int_equal(protocol_parse_greeting(payload, length, NULL), 0);
	assert_int_equal(protocol_parse_greeting(other, strlen(other), &err), -EPROTO);
	assert_non_null(strstr(error_text(&err), "another version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_survive_the_way),
		cmocka_unit_test(events_survive_the_way),
		cmocka_unit_test(an_error_of_any_size_fits_a_frame),
		cmocka_unit_test(row_11_5_malformed_requests_are_refused),
		cmocka_unit_test(another_version_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
