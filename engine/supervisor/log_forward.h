/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_forward.h - a container's output on its way to the host's logging: the log drivers journald
 * and syslog. May depend on: engine/container/, logfile.h.
 *
 * The json-file log is kept beside it (20 MB in five files, as Docker's cache for such drivers), so
 * that `logs` works whatever the driver. Each line is one message; nothing here ever waits: what
 * the other side does not take (a connection: beyond 256 KiB) is dropped and counted, and a side
 * that was away is looked for again a second later. Sources: systemd's "Native Journal Protocol",
 * RFC 3164, RFC 5424, RFC 6587 (framing), Docker's documentation of the two drivers for options,
 * tags and fields. */
#ifndef MYCOMPOSE_SUPERVISOR_LOG_FORWARD_H
#define MYCOMPOSE_SUPERVISOR_LOG_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"
#include "engine/supervisor/logfile.h"

/* Put driver (NULL = json-file) and options into the container's record, with the size and number
 * of log files that they mean. -EINVAL: no such driver, none of its options, no value for one. */
int log_driver_choose(
	struct container *container, const char *driver, char *const *options, struct error *err);
/* Does it keep a log file that `logs` can read? All but "none" do. */
bool log_driver_keeps_file(const char *driver);

struct log_forward;
/* *ret stays NULL where the driver forwards nothing. */
int log_forward_open(
	const struct container *container, struct log_forward **ret, struct error *err);
/* Raw bytes as they come. The first line that gets lost after one that did not is an error, to be
 * told by the caller. */
int log_forward_write(struct log_forward *forward, enum log_stream stream, int64_t time_ns,
	const void *bytes, size_t length, struct error *err);
/* What a connection has not taken yet: 1 = some of it still waits, to be tried again soon; 0 = all
 * is sent; negative: it is lost, told as by log_forward_write. */
int log_forward_push(struct log_forward *forward, struct error *err);
/* The unfinished lines as they are. */
void log_forward_flush(struct log_forward *forward, int64_t time_ns);
void log_forward_free(struct log_forward *forward);

/* For the files of the drivers and their tests: one message in each form, appended to `out`. */
struct log_line {
	enum log_stream stream;
	int64_t time_ns;
	const char *text;
	size_t length;
	bool is_partial; /* goes on in the next message */
};
enum syslog_format { SYSLOG_RFC3164_LOCAL, SYSLOG_RFC3164, SYSLOG_RFC5424, SYSLOG_RFC5424_MICRO };
struct syslog_header {
	enum syslog_format format;
	unsigned int facility; /* 0 to 23 */
	const char *host;
	const char *tag;
	int pid;
};
struct strbuf;
void syslog_message(
	struct strbuf *out, const struct syslog_header *header, const struct log_line *line);
/* `fields`: "NAME=value" ones that every message of the container has. */
void journal_message(struct strbuf *out, char *const *fields, const struct log_line *line);

/* A tag's {{.ID}} {{.FullID}} {{.Name}} {{.ImageName}} {{.ImageID}} {{.ImageFullID}} filled in;
 * heap. `container` NULL: only check. -EINVAL. */
int log_tag(const char *template, const struct container *container, char **ret, struct error *err);

#endif
