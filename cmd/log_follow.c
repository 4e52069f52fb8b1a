/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_follow.c - merge log readers by time; wait for more by inotify, look at the containers
 * themselves twice a second. */
#include "cmd/log_follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "cmd/project_run.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/times.h"
#include "engine/supervisor/loop.h"

#define LOOK_MS		 500
#define EXIT_INTERRUPTED 130

struct source {
	char *id;
	size_t number; /* of the printer */
	struct log_reader *reader;
	struct loop_source *watch;
	struct log_record record; /* the next one, when has_record */
	bool has_record;
	bool line_open[2]; /* an unfinished line has been printed, per stream */
	bool is_up;
};

struct log_follow {
	struct app *app;
	struct log_follow_options options;
	struct log_printer *printer;
	struct loop *loop; /* while following */
	struct source **sources;
	size_t count;
	bool interrupted;
};

struct log_follow *log_follow_new(struct app *app, const struct log_follow_options *options)
{
	struct log_follow *follow = xcalloc(1, sizeof(*follow));

	follow->app = app;
	follow->options = *options;
	follow->printer = log_printer_new(app, &options->printer);
	return follow;
}

static void source_free(struct source *source)
{
	loop_remove(source->watch);
	log_reader_free(source->reader);
	free(source->id);
	free(source);
}

void log_follow_free(struct log_follow *follow)
{
	if (!follow)
		return;
	for (size_t i = 0; i < follow->count; i++)
		source_free(follow->sources[i]);
	free(follow->sources);
	if (follow->loop)
		loop_free(follow->loop);
	log_printer_free(follow->printer);
	free(follow);
}

/* Being woken is all that matters: the readers are asked after it. */
static void on_log_ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
}

static int watch_source(struct log_follow *follow, struct source *source, struct error *err)
{
	if (!follow->loop || source->watch)
		return 0;
	return loop_add_fd(follow->loop, log_reader_fd(source->reader), EPOLLIN, on_log_ready,
		source, &source->watch, err);
}

int log_follow_add(struct log_follow *follow, const struct listed *listed, struct error *err)
{
	const struct container *container = listed->container;
	struct log_reader_options options = follow->options.reader;
	struct log_reader *reader = NULL;
	struct source *source;
	int r;

	for (size_t i = 0; i < follow->count; i++) {
		if (!strcmp(follow->sources[i]->id, container->id)) {
			follow->sources[i]->is_up = listed_is_up(listed);
			return 0;
		}
	}
	if (follow->loop) /* it came since: all that it has written is new */
		options.tail = -1;
	r = log_reader_open(&follow->app->engine, container->id, &options, &reader, err);
	if (r < 0)
		return error_wrap(err, "logs of %s", container->name);
	source = xcalloc(1, sizeof(*source));
	source->id = xstrdup(container->id);
	source->reader = reader;
	source->is_up = listed_is_up(listed);
	source->number = log_printer_add(
		follow->printer, log_printer_short_name(follow->options.project, container->name));
	*(struct source **)array_add(follow->sources, follow->count) = source;
	return watch_source(follow, source, err);
}

static int fetch(struct source *source, struct error *err)
{
	int r;

	if (source->has_record)
		return 0;
	r = log_reader_next(source->reader, &source->record, err);
	source->has_record = r > 0;
	return r < 0 ? r : 0;
}

static void print_record(struct log_follow *follow, struct source *source)
{
	const struct log_record *record = &source->record;
	bool *line_open = &source->line_open[record->stream];

	if (record->has_newline && !*line_open) {
		log_printer_line(follow->printer, source->number, record->stream, record->time_ns,
			record->text, record->length);
	} else {
		log_printer_bytes(follow->printer, source->number, record->stream, record->time_ns,
			record->text, record->length);
		if (record->has_newline)
			log_printer_bytes(follow->printer, source->number, record->stream,
				record->time_ns, "\n", 1);
		*line_open = !record->has_newline;
	}
	source->has_record = false;
}

/* All that the readers have at the moment, oldest first. */
static int print_available(struct log_follow *follow, struct error *err)
{
	for (;;) {
		struct source *oldest = NULL;

		for (size_t i = 0; i < follow->count; i++) {
			struct source *source = follow->sources[i];
			int r = fetch(source, err);

			if (r < 0)
				return r;
			if (source->has_record &&
				(!oldest || source->record.time_ns < oldest->record.time_ns))
				oldest = source;
		}
		if (!oldest)
			break;
		print_record(follow, oldest);
	}
	return 0;
}

static void on_signal(int signal, void *arg)
{
	struct log_follow *follow = arg;

	(void)signal;
	follow->interrupted = true;
}

static int start_following(struct log_follow *follow, struct error *err)
{
	sigset_t signals;
	int r = loop_new(&follow->loop, err);

	for (size_t i = 0; r == 0 && i < follow->count; i++)
		r = watch_source(follow, follow->sources[i], err);
	if (r < 0)
		return r;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	return loop_watch_signals(follow->loop, &signals, on_signal, follow, err);
}

/* A container that is gone is not up either. */
static void refresh(struct log_follow *follow, struct source *source)
{
	source->is_up = false;
	(void)container_load_is_up(&follow->app->engine, source->id, &source->is_up, NULL);
}

static bool any_up(const struct log_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++)
		if (follow->sources[i]->is_up)
			return true;
	return false;
}

/* None is up, and nobody is about to put another in its place: between an old container's end and
 * the start of its successor there is none either. */
static bool seems_over(const struct log_follow *follow)
{
	return !any_up(follow) && !(follow->options.project && project_run_is_busy(follow->app));
}

int log_follow_run(struct log_follow *follow,
	int (*look)(struct log_follow *follow, void *arg, struct error *err), void *arg,
	struct error *err)
{
	int64_t next_look = 0;
	int r = follow->options.follow ? start_following(follow, err) : 0;

	if (r == 0)
		r = print_available(follow, err);
	fflush(stdout);
	while (r == 0 && follow->options.follow && !follow->interrupted && !ferror(stdout)) {
		bool seemed_over = seems_over(follow);

		if (!seemed_over)
			r = loop_run_once(follow->loop, LOOK_MS, err);
		if (r >= 0 && (seemed_over || time_monotonic() >= next_look)) {
			for (size_t i = 0; i < follow->count; i++)
				refresh(follow, follow->sources[i]);
			r = look ? look(follow, arg, err) : 0;
			next_look = time_monotonic() + LOOK_MS * NS_PER_MS;
		}
		/* After the look: what a container wrote before its end is in the file by then. */
		if (r >= 0)
			r = print_available(follow, err);
		fflush(stdout);
		if (seemed_over && !any_up(follow))
			break;
	}
	for (size_t i = 0; i < follow->count; i++)
		log_printer_flush(follow->printer, follow->sources[i]->number);
	if (r < 0)
		return r;
	return follow->interrupted ? EXIT_INTERRUPTED : 0;
}

int log_time_parse(
	const char *flag, const char *text, int64_t now_ns, int64_t *ret_ns, struct error *err)
{
	uint64_t seconds;
	int64_t ns;

	if (time_parse_rfc3339(text, ret_ns) == 0)
		return 0;
	if (parse_u64(text, 0, INT64_MAX / NS_PER_SEC, &seconds) == 0) {
		*ret_ns = (int64_t)seconds * NS_PER_SEC;
		return 0;
	}
	if (parse_duration(text, &ns) == 0) {
		*ret_ns = now_ns - ns;
		return 0;
	}
	return error_set(err, -EINVAL,
		"invalid value for \"%s\": \"%s\" is neither a time such as "
		"2026-01-02T15:04:05Z nor a duration such as 42m",
		flag, text);
}

int log_tail_parse(const char *text, int64_t *ret, struct error *err)
{
	if (!strcmp(text, "all") || !strcmp(text, "-1")) {
		*ret = -1;
		return 0;
	}
	if (parse_i64(text, 0, INT32_MAX, ret) < 0)
		return error_set(err, -EINVAL,
			"invalid value for \"--tail\": \"%s\" is neither a number nor \"all\"",
			text);
	return 0;
}
