/* SPDX-License-Identifier: GPL-2.0-or-later
 * protocol.h - requests and events as JSON, for the control socket. May depend on: supervisor.h.
 *
 * The supervisor speaks first: a greeting, which tells the client that it has been accepted and
 * that the supervisor stays for as long as the connection does. */
#ifndef MYCOMPOSE_SUPERVISOR_PROTOCOL_H
#define MYCOMPOSE_SUPERVISOR_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"
#include "engine/supervisor/supervisor.h"

const char *operation_name(enum operation operation); /* "start" */

/* Append a frame. */
int protocol_put_greeting(struct strbuf *stream, struct error *err);
int protocol_put_request(
	struct strbuf *stream, const struct request *request, uint64_t tag, struct error *err);
int protocol_put_event(struct strbuf *stream, const struct event *event, struct error *err);

/* Parse a frame's payload. -EBADMSG with the reason. */
int protocol_parse_greeting(const char *payload, size_t length, struct error *err);
/* *ret_tag is set as soon as it can be read, also on failure, so that the error can be answered. */
int protocol_parse_request(const char *payload, size_t length, struct request *ret,
	uint64_t *ret_tag, struct error *err);
int protocol_parse_event(const char *payload, size_t length, struct event *ret, struct error *err);

#endif
