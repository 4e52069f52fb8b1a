/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop.h - one event loop: file descriptors, timers, signals. No threads.
 * May depend on: engine/base/. epoll(7), timerfd is not used: timers are a heap on the monotonic
 * clock.
 *
 * Sources belong to the loop; removing one from inside a callback (also its own) is fine. */
#ifndef MYCOMPOSE_SUPERVISOR_LOOP_H
#define MYCOMPOSE_SUPERVISOR_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/errors.h"

struct loop;
struct loop_source;
struct loop_timer;

int loop_new(struct loop **ret, struct error *err);
void loop_free(struct loop *loop);
/* The epoll fd, to be polled beside others; timers do not make it readable. */
int loop_fd(const struct loop *loop);

typedef void (*loop_fd_handler)(int fd, uint32_t epoll_events, void *arg);
typedef void (*loop_timer_handler)(void *arg);
typedef void (*loop_signal_handler)(int signal, void *arg);

/* The fd stays the caller's and is not closed; remove the source before closing it. A regular file
 * counts as always ready. */
int loop_add_fd(struct loop *loop, int fd, uint32_t epoll_events, loop_fd_handler handler,
	void *arg, struct loop_source **ret, struct error *err);
/* With 0 nothing is reported, not even an error or a hang-up. */
void loop_modify(struct loop_source *source, uint32_t epoll_events);
void loop_remove(struct loop_source *source); /* NULL is fine */
/* Nothing is reported for so long, then again what is wanted now; loop_modify ends it. For what
 * stays ready because the process lacks something: accept(2) without a descriptor to spare. */
void loop_pause(struct loop_source *source, int64_t delay_ns); /* NULL is fine */

/* One shot, after delay_ns of monotonic time. */
struct loop_timer *loop_add_timer(
	struct loop *loop, int64_t delay_ns, loop_timer_handler handler, void *arg);
void loop_cancel(struct loop_timer *timer); /* NULL is fine; not after it has fired */

/* Blocks the signals in the process and reads them by signalfd; the old mask comes back with
 * loop_free. Children reset theirs themselves. A later call adds signals, or takes some over. */
int loop_watch_signals(struct loop *loop, const sigset_t *signals, loop_signal_handler handler,
	void *arg, struct error *err);

/* Handle what is ready, waiting at most timeout_ms (-1 = until something happens). Returns the
 * number of callbacks made. */
int loop_run_once(struct loop *loop, int timeout_ms, struct error *err);

#endif
