/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_forward.c - lines of output as messages to a socket that is never waited for. */
#include "engine/supervisor/log_forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_address.h"

#define JOURNAL_SOCKET	"unixgram:///run/systemd/journal/socket"
#define SYSLOG_SOCKET	"unix:///dev/log"
#define LOOK_AGAIN_NS	NS_PER_SEC
#define STREAM_BACKLOG	(256 * 1024) /* of what a slow TCP peer has not taken yet */
#define HOST_NAME_BYTES 65

struct log_forward {
	struct log_address address;
	bool is_journal;
	char **fields; /* journald */
	struct syslog_header header;
	char *tag;
	char host[HOST_NAME_BYTES];
	int fd;		       /* -1 = not connected */
	int64_t look_again_ns; /* monotonic: not before */
	struct strbuf unsent;  /* of a stream: whole messages and the rest of a begun one */
	struct strbuf partial[2];
	uint64_t dropped;
	bool failed; /* told */
};

static int connect_now(struct log_forward *forward);

static const char *option(const struct container *container, const char *key)
{
	return env_get(container->log_options, key);
}

/* A journal field's name: capitals, digits, underscores, no underscore first. */
static void add_named(char ***fields, const char *key, const char *value)
{
	cleanup_free char *field = xasprintf("%s=%s", key, value);

	for (char *c = field; *c != '='; c++)
		*c = ascii_is_alnum(*c) ? ascii_to_upper(*c) : '_';
	if (ascii_is_alpha(field[0]))
		strv_add(fields, field);
}

/* Labels or variables that the option lists. */
static void add_listed(char ***fields, const char *names, char *const *from)
{
	cleanup_strv char **wanted = strv_split(names ? names : "", ",");

	for (char **name = wanted; name && *name; name++) {
		const char *value = env_get(from, *name);

		if (value)
			add_named(fields, *name, value);
	}
}

static void describe_for_journal(struct log_forward *forward, const struct container *container)
{
	const char *const pairs[][2] = {
		{ "CONTAINER_ID_FULL", container->id },
		{ "CONTAINER_NAME", container->name },
		{ "CONTAINER_TAG", forward->tag },
		{ "IMAGE_NAME", container->image_ref ? container->image_ref : "" },
		{ "SYSLOG_IDENTIFIER", forward->tag },
	};

	strv_take(&forward->fields, xasprintf("CONTAINER_ID=%.12s", container->id));
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		strv_take(&forward->fields, xasprintf("%s=%s", pairs[i][0], pairs[i][1]));
	add_listed(&forward->fields, option(container, "labels"), container->labels);
	add_listed(&forward->fields, option(container, "env"), container->spec.env);
}

static int describe(
	struct log_forward *forward, const struct container *container, struct error *err)
{
	const char *address = option(container, "syslog-address");
	const char *tag = option(container, "tag");
	int r = log_tag(tag ? tag : "{{.ID}}", container, &forward->tag, err);

	if (r == 0)
		r = log_address_parse(forward->is_journal ? JOURNAL_SOCKET
				      : address		  ? address
							  : SYSLOG_SOCKET,
			&forward->address, err);
	if (r < 0)
		return r;
	if (forward->is_journal) {
		describe_for_journal(forward, container);
		return 0;
	}
	gethostname(forward->host, sizeof(forward->host) - 1);
	forward->header.host = forward->host;
	forward->header.tag = forward->tag;
	forward->header.pid = (int)getpid();
	r = syslog_facility(option(container, "syslog-facility"), &forward->header.facility, err);
	if (r == 0)
		r = syslog_format_parse(option(container, "syslog-format"),
			forward->address.is_local, &forward->header.format, err);
	return r;
}

int log_forward_open(const struct container *container, struct log_forward **ret, struct error *err)
{
	bool is_journal = container->log_driver && strcmp(container->log_driver, "journald") == 0;
	bool is_syslog = container->log_driver && strcmp(container->log_driver, "syslog") == 0;
	struct log_forward *forward;
	int r;

	*ret = NULL;
	if (!is_journal && !is_syslog)
		return 0;
	forward = xcalloc(1, sizeof(*forward));
	forward->fd = -1;
	forward->is_journal = is_journal;
	r = describe(forward, container, err);
	if (r < 0) {
		log_forward_free(forward);
		error_wrap(err, "log driver %s", container->log_driver);
		return r;
	}
	/* So that it stands when the first line comes, which may be the only one. A server that is
	 * not there is looked for again with that. */
	if (forward->address.type == SOCK_STREAM && connect_now(forward) < 0)
		forward->look_again_ns = 0;
	*ret = forward;
	return 0;
}

void log_forward_free(struct log_forward *forward)
{
	if (!forward)
		return;
	if (forward->fd >= 0)
		close(forward->fd);
	strv_free(forward->fields);
	free(forward->tag);
	strbuf_release(&forward->unsent);
	for (size_t i = 0; i < ARRAY_LEN(forward->partial); i++)
		strbuf_release(&forward->partial[i]);
	free(forward);
}

static void hang_up(struct log_forward *forward)
{
	if (forward->fd >= 0)
		close(forward->fd);
	forward->fd = -1;
	/* The rest of a message would be taken for a message by the next listener. */
	strbuf_clear(&forward->unsent);
	forward->look_again_ns = time_monotonic() + LOOK_AGAIN_NS;
}

static int connect_now(struct log_forward *forward)
{
	int fd;

	if (forward->fd >= 0)
		return 0;
	if (time_monotonic() < forward->look_again_ns)
		return -EAGAIN;
	fd = socket(forward->address.address.ss_family,
		forward->address.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	forward->fd = fd;
	if (connect(fd, (const struct sockaddr *)&forward->address.address,
		    forward->address.length) < 0 &&
		errno != EINPROGRESS) {
		int r = -errno;

		hang_up(forward);
		return r;
	}
	return 0;
}

/* 0, or -errno when the message is lost. */
static int send_datagram(struct log_forward *forward, const struct strbuf *message)
{
	/* A server that was started anew has another socket by the same name: once more. */
	for (int attempt = 0; attempt < 2; attempt++) {
		int r = connect_now(forward);

		if (r < 0)
			return r;
		if (send(forward->fd, message->data, message->length,
			    MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
			return -errno;
		hang_up(forward);
		if (attempt == 0)
			forward->look_again_ns = 0;
	}
	return -ECONNREFUSED;
}

static int push_stream(struct log_forward *forward)
{
	while (forward->unsent.length > 0) {
		ssize_t n = send(forward->fd, forward->unsent.data, forward->unsent.length,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS))
			return 0;
		if (n < 0) {
			int r = -errno;

			hang_up(forward);
			return r;
		}
		strbuf_consume(&forward->unsent, (size_t)n);
	}
	return 0;
}

static int send_stream(struct log_forward *forward, const struct strbuf *message)
{
	bool counted = forward->header.format >= SYSLOG_RFC5424;
	int r = connect_now(forward);

	if (r < 0)
		return r;
	if (forward->unsent.length + message->length > STREAM_BACKLOG) {
		r = push_stream(forward);
		if (r < 0)
			return r;
	}
	if (forward->unsent.length + message->length > STREAM_BACKLOG)
		return -ENOBUFS;
	/* RFC 6587: octet counting, or a line each. */
	if (counted)
		strbuf_addf(&forward->unsent, "%zu ", message->length);
	strbuf_add(&forward->unsent, message->data, message->length);
	if (!counted)
		strbuf_add_char(&forward->unsent, '\n');
	return push_stream(forward);
}

/* Only the first loss of a row is an error. */
static int lose(struct log_forward *forward, int code, struct error *err)
{
	forward->dropped++;
	if (forward->failed)
		return 0;
	forward->failed = true;
	return error_sys(err, code, "output does not reach %s; lines are lost, %llu so far",
		forward->is_journal ? "the journal" : "the syslog server",
		(unsigned long long)forward->dropped);
}

static int send_line(struct log_forward *forward, const struct log_line *line, struct error *err)
{
	cleanup_strbuf struct strbuf message = STRBUF_INIT;
	int r;

	if (forward->is_journal)
		journal_message(&message, forward->fields, line);
	else
		syslog_message(&message, &forward->header, line);
	r = forward->address.type == SOCK_STREAM ? send_stream(forward, &message)
						 : send_datagram(forward, &message);
	if (r < 0)
		return lose(forward, r, err);
	forward->failed = false;
	return 0;
}

int log_forward_push(struct log_forward *forward, struct error *err)
{
	int r = forward->unsent.length > 0 ? push_stream(forward) : 0;

	if (r < 0)
		return lose(forward, r, err);
	return forward->unsent.length > 0;
}

static int take_piece(struct log_forward *forward, enum log_stream stream, int64_t time_ns,
	const char *bytes, size_t length, bool is_partial, struct error *err)
{
	struct strbuf *partial = &forward->partial[stream];
	struct log_line line = {
		.stream = stream,
		.time_ns = time_ns,
		.text = bytes,
		.length = length,
		.is_partial = is_partial,
	};
	int r;

	if (partial->length == 0)
		return send_line(forward, &line, err);
	strbuf_add(partial, bytes, length);
	line.text = partial->data;
	line.length = partial->length;
	r = send_line(forward, &line, err);
	strbuf_clear(partial);
	return r;
}

int log_forward_write(struct log_forward *forward, enum log_stream stream, int64_t time_ns,
	const void *bytes, size_t length, struct error *err)
{
	struct strbuf *partial = &forward->partial[stream];
	const char *at = bytes, *end = at + length;
	int r = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t piece = (size_t)((newline ? newline : end) - at);
		size_t room = LOG_PIECE_MAX - partial->length;
		cleanup_error struct error lost = ERROR_INIT;
		int sent = 0;

		if (piece > room) {
			sent = take_piece(forward, stream, time_ns, at, room, true, &lost);
			at += room;
		} else if (newline) {
			sent = take_piece(forward, stream, time_ns, at, piece, false, &lost);
			at += piece + 1;
		} else {
			strbuf_add(partial, at, piece);
			at = end;
		}
		if (sent < 0 && r == 0) {
			r = sent;
			error_move(err, &lost);
		}
	}
	return r;
}

void log_forward_flush(struct log_forward *forward, int64_t time_ns)
{
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++)
		if (forward->partial[stream].length > 0)
			take_piece(forward, stream, time_ns, "", 0, false, NULL);
}
