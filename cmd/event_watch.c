/* SPDX-License-Identifier: GPL-2.0-or-later
 * event_watch.c - the loop around the log of events: wake up by inotify, end by signal. */
#include "cmd/event_watch.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/loop.h"

#define LOOK_MS 500

struct run {
	const struct event_watch *watch;
	struct loop *loop;
	struct loop_source *source;
	struct loop_source *output; /* stdout, where it tells that its reader has gone */
	bool interrupted;
};

static void on_signal(int signal, void *arg)
{
	(void)signal;
	((struct run *)arg)->interrupted = true;
}

static void on_ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
}

static void on_output(int fd, uint32_t events, void *arg)
{
	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP))
		((struct run *)arg)->interrupted = true;
}

static int begin(struct run *run, struct error *err)
{
	int fd = event_reader_fd(run->watch->reader);
	sigset_t signals;
	int r = loop_new(&run->loop, err);

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (r == 0)
		r = loop_watch_signals(run->loop, &signals, on_signal, run, err);
	if (r == 0 && fd >= 0)
		r = loop_add_fd(run->loop, fd, EPOLLIN, on_ready, run, &run->source, err);
	/* A file cannot be polled, and needs not be. */
	if (r == 0)
		(void)loop_add_fd(
			run->loop, STDOUT_FILENO, EPOLLERR, on_output, run, &run->output, NULL);
	return r;
}

static int take_events(const struct event_watch *watch, struct error *err)
{
	for (;;) {
		cleanup_event_record struct event_record record = { 0 };
		int r = event_reader_next(watch->reader, &record, err);

		if (r <= 0)
			return r;
		if (watch->until_ns && record.time_ns > watch->until_ns)
			return 1;
		r = watch->event(&record, watch->arg, err);
		if (r != 0)
			return r;
	}
}

/* 1 = enough. */
static int turn(const struct event_watch *watch, struct error *err)
{
	int64_t now = time_now();
	int r = take_events(watch, err);

	if (r == 0 && watch->look)
		r = watch->look(watch->arg, err);
	fflush(stdout);
	if (r == 0 && watch->until_ns && now >= watch->until_ns)
		r = 1;
	return r;
}

static int wait_ms(const struct event_watch *watch)
{
	int64_t left_ns = watch->until_ns ? watch->until_ns - time_now() : INT64_MAX;

	if (left_ns < 0)
		return 0;
	return left_ns < LOOK_MS * NS_PER_MS ? (int)(left_ns / NS_PER_MS) + 1 : LOOK_MS;
}

int event_watch_run(const struct event_watch *watch, struct error *err)
{
	struct run run = { .watch = watch };
	int r = begin(&run, err);

	while (r == 0 && !run.interrupted) {
		r = turn(watch, err);
		if (r == 0) {
			int n = loop_run_once(run.loop, wait_ms(watch), err);

			r = n < 0 ? n : 0;
		}
	}
	if (run.loop)
		loop_free(run.loop);
	if (r < 0)
		return r;
	return r == 0 ? EXIT_INTERRUPTED : 0;
}
