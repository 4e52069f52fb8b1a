/* SPDX-License-Identifier: GPL-2.0-or-later
 * protocol.c - requests and events as JSON, for the control socket. */
#include "engine/supervisor/protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/supervisor/frame.h"

#define PROTOCOL_VERSION 1
/* A message is cut to this, so that an event always fits a frame however it is escaped. */
#define MESSAGE_MAX 8192

static const char *const operation_names[] = {
	[OPERATION_START] = "start",
	[OPERATION_STOP] = "stop",
	[OPERATION_KILL] = "kill",
	[OPERATION_RESTART] = "restart",
	[OPERATION_PAUSE] = "pause",
	[OPERATION_UNPAUSE] = "unpause",
	[OPERATION_ATTACH] = "attach",
	[OPERATION_RESIZE] = "resize",
};

static const char *const event_names[] = {
	[EVENT_REPLY] = "reply",
	[EVENT_STARTED] = "started",
	[EVENT_EXITED] = "exited",
	[EVENT_PAUSED] = "paused",
	[EVENT_UNPAUSED] = "unpaused",
	[EVENT_HEALTH] = "health",
};

const char *operation_name(enum operation operation)
{
	return operation_names[operation];
}

static int find_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

static int put(struct strbuf *stream, const struct json *json, struct error *err)
{
	cleanup_free char *text = json_print(json);

	return frame_put(stream, text, strlen(text), err);
}

int protocol_put_greeting(struct strbuf *stream, struct error *err)
{
	cleanup_json struct json *json = json_new_object();

	json_set_int(json, "supervisor", PROTOCOL_VERSION);
	return put(stream, json, err);
}

int protocol_put_request(
	struct strbuf *stream, const struct request *request, uint64_t tag, struct error *err)
{
	cleanup_json struct json *json = json_new_object();

	json_set_u64(json, "tag", tag);
	json_set_string(json, "operation", operation_names[request->operation]);
	json_set_string(json, "id", request->id);
	if (request->signal)
		json_set_int(json, "signal", request->signal);
	if (request->timeout_ns >= 0)
		json_set_u64(json, "timeout_ns", (uint64_t)request->timeout_ns);
	if (request->operation == OPERATION_RESIZE) {
		json_set_int(json, "rows", request->rows);
		json_set_int(json, "columns", request->columns);
	}
	return put(stream, json, err);
}

int protocol_put_event(struct strbuf *stream, const struct event *event, struct error *err)
{
	cleanup_json struct json *json = json_new_object();

	json_set_string(json, "event", event_names[event->kind]);
	if (event->tag)
		json_set_u64(json, "tag", event->tag);
	if (event->id[0])
		json_set_string(json, "id", event->id);
	json_set_u64(json, "time_ns", (uint64_t)event->time_ns);
	if (event->kind == EVENT_EXITED) {
		json_set_int(json, "exit_code", event->exit_code);
		json_set_bool(json, "oom_killed", event->oom_killed);
		json_set_bool(json, "restarting", event->restarting);
	}
	if (event->health != HEALTH_NONE)
		json_set_string(json, "health", container_health_name(event->health));
	if (event->error.code) {
		cleanup_free char *message = xstrndup(error_text(&event->error), MESSAGE_MAX);

		json_set_int(json, "error", event->error.code);
		json_set_int(json, "error_exit_code", event->error.exit_code);
		json_set_string(json, "message", message);
	}
	return put(stream, json, err);
}

static int parse_object(const char *payload, size_t length, struct json **ret, struct error *err)
{
	int r = json_parse(payload, length, ret, err);

	if (r < 0)
		return error_set(err, -EBADMSG, "not a message: %s", error_text(err));
	if (json_is_object(*ret))
		return 0;
	json_free(steal_ptr(*ret));
	return error_set(err, -EBADMSG, "not a message: no object");
}

int protocol_parse_greeting(const char *payload, size_t length, struct error *err)
{
	cleanup_json struct json *json = NULL;
	int64_t version;
	int r = parse_object(payload, length, &json, err);

	if (r < 0)
		return r;
	version = json_int(json_get(json, "supervisor"), 0);
	if (version != PROTOCOL_VERSION)
		return error_set(err, -EPROTO,
			"the supervisor is of another version of mycompose (protocol %lld, not %d)",
			(long long)version, PROTOCOL_VERSION);
	return 0;
}

static int parse_id(const struct json *json, char id[static ID_LENGTH + 1], struct error *err)
{
	const char *text = json_string(json_get(json, "id"));

	if (!text || strlen(text) != ID_LENGTH || strspn(text, "0123456789abcdef") != ID_LENGTH)
		return error_set(err, -EBADMSG, "'id': not a container id");
	memcpy(id, text, ID_LENGTH + 1);
	return 0;
}

static int parse_size(const struct json *json, const char *key, uint16_t *ret, struct error *err)
{
	int64_t value = 0;
	int r = json_opt_int(json, key, &value, err);

	if (r < 0)
		return r;
	if (value < 0 || value > UINT16_MAX)
		return error_set(err, -EBADMSG, "'%s': out of range", key);
	*ret = (uint16_t)value;
	return 0;
}

int protocol_parse_request(const char *payload, size_t length, struct request *ret,
	uint64_t *ret_tag, struct error *err)
{
	cleanup_json struct json *json = NULL;
	struct request request = { .timeout_ns = -1 };
	uint64_t timeout_ns = UINT64_MAX;
	int64_t signal = 0;
	int operation, r;

	r = parse_object(payload, length, &json, err);
	if (r < 0)
		return r;
	r = json_get_u64(json, "tag", ret_tag, err);
	if (r < 0)
		return r;
	operation = find_name(operation_names, ARRAY_LEN(operation_names),
		json_string(json_get(json, "operation")));
	if (operation < 0)
		return error_set(err, -EBADMSG, "'operation': unknown to this supervisor");
	request.operation = (enum operation)operation;
	r = parse_id(json, request.id, err);
	if (r == 0)
		r = json_opt_int(json, "signal", &signal, err);
	if (r == 0)
		r = json_opt_u64(json, "timeout_ns", &timeout_ns, err);
	if (r == 0)
		r = parse_size(json, "rows", &request.rows, err);
	if (r == 0)
		r = parse_size(json, "columns", &request.columns, err);
	if (r < 0)
		return r;
	if (signal < 0 || signal >= _NSIG)
		return error_set(err, -EBADMSG, "'signal': %lld is none", (long long)signal);
	request.signal = (int)signal;
	if (timeout_ns <= INT64_MAX)
		request.timeout_ns = (int64_t)timeout_ns;
	*ret = request;
	return 0;
}

static int parse_health(const struct json *json, enum container_health *ret, struct error *err)
{
	const char *text = json_string(json_get(json, "health"));

	for (int health = HEALTH_NONE; text && health <= HEALTH_UNHEALTHY; health++) {
		if (strcmp(text, container_health_name((enum container_health)health)) != 0)
			continue;
		*ret = (enum container_health)health;
		return 0;
	}
	return json_get(json, "health") ? error_set(err, -EBADMSG, "'health': unknown") : 0;
}

static int parse_event_error(const struct json *json, struct error *ret, struct error *err)
{
	int64_t code = 0, exit_code = 0;
	const char *message = json_string(json_get(json, "message"));
	int r = json_opt_int(json, "error", &code, err);

	if (r == 0)
		r = json_opt_int(json, "error_exit_code", &exit_code, err);
	if (r < 0)
		return r;
	if (code == 0)
		return 0;
	if (code > 0 || code < -4095 || exit_code < 0 || exit_code > 255)
		return error_set(err, -EBADMSG, "'error': out of range");
	error_set(ret, (int)code, "%s", message ? message : strerror((int)-code));
	ret->exit_code = (int)exit_code;
	return 0;
}

int protocol_parse_event(const char *payload, size_t length, struct event *ret, struct error *err)
{
	cleanup_json struct json *json = NULL;
	struct event event = { .exit_code = -1 };
	uint64_t time_ns = 0;
	int64_t exit_code = -1;
	int kind, r;

	r = parse_object(payload, length, &json, err);
	if (r < 0)
		return r;
	kind = find_name(event_names, ARRAY_LEN(event_names), json_string(json_get(json, "event")));
	if (kind < 0)
		return error_set(err, -EBADMSG, "'event': unknown");
	event.kind = (enum event_kind)kind;
	/* The reply to a request that could not be read has no id. */
	if (event.kind != EVENT_REPLY || json_get(json, "id"))
		r = parse_id(json, event.id, err);
	if (r == 0)
		r = json_opt_u64(json, "tag", &event.tag, err);
	if (r == 0)
		r = json_opt_u64(json, "time_ns", &time_ns, err);
	if (r == 0)
		r = json_opt_int(json, "exit_code", &exit_code, err);
	if (r == 0)
		r = json_opt_bool(json, "oom_killed", &event.oom_killed, err);
	if (r == 0)
		r = json_opt_bool(json, "restarting", &event.restarting, err);
	if (r == 0)
		r = parse_health(json, &event.health, err);
	if (r == 0)
		r = parse_event_error(json, &event.error, err);
	if (r < 0)
		return r;
	event.time_ns = (int64_t)time_ns;
	event.exit_code = (int)exit_code;
	*ret = event;
	return 0;
}
