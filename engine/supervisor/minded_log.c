/* SPDX-License-Identifier: GPL-2.0-or-later
 * minded_log.c - what becomes of a container's output: the log file, and the host's logging. */
#include "engine/base/log.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_forward.h"
#include "engine/supervisor/minded.h"

#define PUSH_DELAY (100 * NS_PER_MS)

int minded_log_open(struct minded *minded, struct error *err)
{
	const struct container *container = minded->container;
	int r = 0;

	if (!minded->forward)
		r = log_forward_open(container, &minded->forward, err);
	if (r == 0 && !minded->log && log_driver_keeps_file(container->log_driver))
		r = log_writer_open(minded->supervisor->engine, container->id,
			container->log_max_size, container->log_max_file, &minded->log, err);
	return r;
}

static void push_again(void *arg);

/* What the other side has not taken goes on when it takes more, whether or not another line comes.
 */
static void push(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = log_forward_push(minded->forward, &err);

	if (r < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (r > 0 && !minded->forward_timer)
		minded->forward_timer =
			loop_add_timer(minded->supervisor->loop, PUSH_DELAY, push_again, minded);
}

static void push_again(void *arg)
{
	struct minded *minded = arg;

	minded->forward_timer = NULL;
	push(minded);
}

static void forward(struct minded *minded, enum log_stream stream, int64_t now, const char *bytes,
	size_t length)
{
	cleanup_error struct error err = ERROR_INIT;

	if (!minded->forward)
		return;
	if (log_forward_write(minded->forward, stream, now, bytes, length, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	push(minded);
}

/* The first of a row of failures is told. */
static void note_outcome(struct minded *minded, int r, const struct error *err)
{
	if (r < 0 && !minded->log_failed)
		log_warning("container %s: %s", minded->container->name, error_text(err));
	minded->log_failed = r < 0;
}

void minded_log_write(struct minded *minded, enum log_stream stream, int64_t now, const char *bytes,
	size_t length)
{
	cleanup_error struct error err = ERROR_INIT;
	struct journal *journal = &minded->outputs[stream].journal;

	forward(minded, stream, now, bytes, length);
	note_outcome(minded, journal_log(journal, minded->log, now, bytes, length, &err), &err);
}

void minded_log_note(struct minded *minded, enum log_stream stream, int64_t now, const char *bytes,
	size_t length)
{
	cleanup_error struct error err = ERROR_INIT;

	forward(minded, stream, now, bytes, length);
	if (!minded->log)
		return;
	note_outcome(minded, log_writer_write(minded->log, stream, now, bytes, length, &err), &err);
	journal_settle(&minded->outputs[stream].journal, minded->log);
}

void minded_log_flush(struct minded *minded)
{
	if (minded->forward) {
		log_forward_flush(minded->forward, time_now());
		push(minded);
	}
	for (enum log_stream stream = LOG_STDOUT; minded->log && stream <= LOG_STDERR; stream++) {
		cleanup_error struct error err = ERROR_INIT;
		struct journal *journal = &minded->outputs[stream].journal;

		note_outcome(minded, journal_flush(journal, minded->log, time_now(), &err), &err);
	}
}

void minded_log_close(struct minded *minded)
{
	loop_cancel(minded->forward_timer);
	minded->forward_timer = NULL;
	log_writer_free(minded->log);
	log_forward_free(minded->forward);
	minded->log = NULL;
	minded->forward = NULL;
}
