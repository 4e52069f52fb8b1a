/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop.c - the event loop: epoll for fds, a binary heap for timers, a signalfd for signals. */
#include "engine/supervisor/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

#define EVENTS_PER_ROUND 64

struct loop_source {
	struct loop *loop;
	int fd;
	uint32_t events;
	bool always_ready; /* a regular file or /dev/null: epoll(7) refuses it with EPERM */
	bool removed;
	uint32_t paused_events;
	struct loop_timer *pause_timer;
	loop_fd_handler handler;
	void *arg;
	struct loop_source *previous, *next;
};

struct loop_timer {
	struct loop *loop;
	int64_t deadline_ns;
	uint64_t sequence; /* equal deadlines fire in the order they were set */
	size_t index;	   /* in the heap */
	loop_timer_handler handler;
	void *arg;
};

struct signal_slot {
	loop_signal_handler handler;
	void *arg;
};

struct loop {
	int epoll_fd;
	int signal_fd;
	struct loop_source *signal_source;
	bool mask_saved;
	sigset_t old_mask;
	sigset_t watched;
	struct signal_slot signals[_NSIG];
	struct loop_source *sources;
	struct loop_source *removed; /* freed when no round is running: a batch may point to them */
	size_t always_ready_count;   /* of those with events wanted */
	struct loop_timer **heap;
	size_t timer_count;
	uint64_t next_sequence;
	unsigned int depth; /* of loop_run_once: a callback may run the loop itself */
};

int loop_new(struct loop **ret, struct error *err)
{
	struct loop *loop;
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "epoll_create1");
	loop = xcalloc(1, sizeof(*loop));
	loop->epoll_fd = fd;
	loop->signal_fd = -1;
	sigemptyset(&loop->watched);
	*ret = loop;
	return 0;
}

static void free_list(struct loop_source **list)
{
	while (*list) {
		struct loop_source *source = *list;

		*list = source->next;
		free(source);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	free_list(&loop->sources);
	free_list(&loop->removed);
	for (size_t i = 0; i < loop->timer_count; i++)
		free(loop->heap[i]);
	free(loop->heap);
	close_fd(&loop->signal_fd);
	close_fd(&loop->epoll_fd);
	if (loop->mask_saved)
		sigprocmask(SIG_SETMASK, &loop->old_mask, NULL);
	free(loop);
}

int loop_fd(const struct loop *loop)
{
	return loop->epoll_fd;
}

/* With no events wanted it is taken out of the epoll set: epoll(7) would go on reporting errors and
 * hang-ups, again and again. */
static int set_events(struct loop_source *source, uint32_t events)
{
	struct loop *loop = source->loop;
	struct epoll_event event = { .events = events, .data.ptr = source };
	int operation = EPOLL_CTL_MOD;

	if (source->events == events)
		return 0;
	if (source->events == 0)
		operation = EPOLL_CTL_ADD;
	if (events == 0)
		operation = EPOLL_CTL_DEL;
	if (!source->always_ready && epoll_ctl(loop->epoll_fd, operation, source->fd, &event) < 0) {
		if (errno != EPERM)
			return -errno;
		source->always_ready = true;
	}
	if (source->always_ready && source->events == 0)
		loop->always_ready_count++;
	if (source->always_ready && events == 0)
		loop->always_ready_count--;
	source->events = events;
	return 0;
}

int loop_add_fd(struct loop *loop, int fd, uint32_t epoll_events, loop_fd_handler handler,
	void *arg, struct loop_source **ret, struct error *err)
{
	struct loop_source *source = xcalloc(1, sizeof(*source));
	int r;

	*source = (struct loop_source){ .loop = loop, .fd = fd, .handler = handler, .arg = arg };
	r = set_events(source, epoll_events);
	if (r < 0) {
		free(source);
		return error_sys(err, r, "watch a file descriptor");
	}
	source->next = loop->sources;
	if (source->next)
		source->next->previous = source;
	loop->sources = source;
	*ret = source;
	return 0;
}

static void pause_end(struct loop_source *source)
{
	loop_cancel(source->pause_timer);
	source->pause_timer = NULL;
}

void loop_modify(struct loop_source *source, uint32_t epoll_events)
{
	if (source->removed)
		return;
	pause_end(source);
	set_events(source, epoll_events);
}

static void pause_over(void *arg)
{
	struct loop_source *source = arg;

	source->pause_timer = NULL;
	set_events(source, source->paused_events);
}

void loop_pause(struct loop_source *source, int64_t delay_ns)
{
	if (!source || source->removed || source->pause_timer)
		return;
	source->paused_events = source->events;
	set_events(source, 0);
	source->pause_timer = loop_add_timer(source->loop, delay_ns, pause_over, source);
}

void loop_remove(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->removed)
		return;
	loop = source->loop;
	pause_end(source);
	set_events(source, 0);
	source->removed = true;
	if (source->previous)
		source->previous->next = source->next;
	else
		loop->sources = source->next;
	if (source->next)
		source->next->previous = source->previous;
	source->previous = NULL;
	source->next = loop->removed;
	loop->removed = source;
	if (loop->depth == 0)
		free_list(&loop->removed);
}

static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
	if (a->deadline_ns != b->deadline_ns)
		return a->deadline_ns < b->deadline_ns;
	return a->sequence < b->sequence;
}

static void heap_put(struct loop *loop, size_t index, struct loop_timer *timer)
{
	loop->heap[index] = timer;
	timer->index = index;
}

static void sift_up(struct loop *loop, struct loop_timer *timer)
{
	size_t index = timer->index;

	while (index > 0 && earlier(timer, loop->heap[(index - 1) / 2])) {
		heap_put(loop, index, loop->heap[(index - 1) / 2]);
		index = (index - 1) / 2;
	}
	heap_put(loop, index, timer);
}

static void sift_down(struct loop *loop, struct loop_timer *timer)
{
	size_t index = timer->index;

	for (;;) {
		size_t child = 2 * index + 1;

		if (child + 1 < loop->timer_count &&
			earlier(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (child >= loop->timer_count || !earlier(loop->heap[child], timer))
			break;
		heap_put(loop, index, loop->heap[child]);
		index = child;
	}
	heap_put(loop, index, timer);
}

struct loop_timer *loop_add_timer(
	struct loop *loop, int64_t delay_ns, loop_timer_handler handler, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer)), **slot;
	int64_t now = time_monotonic();

	if (delay_ns < 0)
		delay_ns = 0;
	*timer = (struct loop_timer){ .loop = loop,
		.deadline_ns = delay_ns > INT64_MAX - now ? INT64_MAX : now + delay_ns,
		.sequence = loop->next_sequence++,
		.index = loop->timer_count,
		.handler = handler,
		.arg = arg };
	slot = array_add(loop->heap, loop->timer_count);
	*slot = timer;
	sift_up(loop, timer);
	return timer;
}

static void heap_take(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer *last = loop->heap[--loop->timer_count];

	if (last == timer)
		return;
	heap_put(loop, timer->index, last);
	sift_up(loop, last);
	sift_down(loop, last);
}

void loop_cancel(struct loop_timer *timer)
{
	if (!timer)
		return;
	heap_take(timer->loop, timer);
	free(timer);
}

static void signal_ready(int fd, uint32_t epoll_events, void *arg)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)epoll_events;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		const struct signal_slot *slot = &loop->signals[info.ssi_signo % _NSIG];

		if (slot->handler)
			slot->handler((int)info.ssi_signo, slot->arg);
	}
}

int loop_watch_signals(struct loop *loop, const sigset_t *signals, loop_signal_handler handler,
	void *arg, struct error *err)
{
	sigset_t old_mask;
	int fd;

	for (int signal = 1; signal < _NSIG; signal++) {
		if (sigismember(signals, signal) != 1)
			continue;
		sigaddset(&loop->watched, signal);
		loop->signals[signal] = (struct signal_slot){ handler, arg };
	}
	if (sigprocmask(SIG_BLOCK, &loop->watched, &old_mask) < 0)
		return error_sys(err, -errno, "block signals");
	if (!loop->mask_saved)
		loop->old_mask = old_mask;
	loop->mask_saved = true;
	fd = signalfd(loop->signal_fd, &loop->watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_sys(err, -errno, "signalfd");
	if (loop->signal_source)
		return 0;
	loop->signal_fd = fd;
	return loop_add_fd(loop, fd, EPOLLIN, signal_ready, loop, &loop->signal_source, err);
}

/* Milliseconds to wait, rounded up so that a timer is due when epoll returns. */
static int wait_ms(const struct loop *loop, int timeout_ms)
{
	int64_t left_ms;

	if (loop->always_ready_count > 0)
		return 0;
	if (loop->timer_count == 0)
		return timeout_ms;
	left_ms = (loop->heap[0]->deadline_ns - time_monotonic() + NS_PER_MS - 1) / NS_PER_MS;
	if (left_ms < 0)
		left_ms = 0;
	if (left_ms > INT_MAX)
		left_ms = INT_MAX;
	return timeout_ms >= 0 && timeout_ms < left_ms ? timeout_ms : (int)left_ms;
}

/* Timers set by the handlers themselves wait for the next round, so that fds get their turn. */
static int run_timers(struct loop *loop)
{
	int64_t now = time_monotonic();
	uint64_t limit = loop->next_sequence;
	int count = 0;

	while (loop->timer_count > 0 && loop->heap[0]->deadline_ns <= now &&
		loop->heap[0]->sequence < limit) {
		struct loop_timer *timer = loop->heap[0];
		loop_timer_handler handler = timer->handler;
		void *arg = timer->arg;

		heap_take(loop, timer);
		free(timer);
		handler(arg);
		count++;
	}
	return count;
}

static int run_always_ready(struct loop *loop)
{
	int count = 0;

	/* A removed source keeps its `next` of the removed list: stop there, the rest has its
	 * turn in the next round. */
	for (struct loop_source *source = loop->always_ready_count ? loop->sources : NULL, *next;
		source; source = next) {
		next = source->next;
		if (!source->always_ready || !source->events)
			continue;
		source->handler(source->fd, source->events, source->arg);
		count++;
		if (source->removed || (next && next->removed))
			break;
	}
	return count;
}

int loop_run_once(struct loop *loop, int timeout_ms, struct error *err)
{
	struct epoll_event events[EVENTS_PER_ROUND];
	int ready, count = 0;

	ready = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, wait_ms(loop, timeout_ms));
	if (ready < 0 && errno != EINTR)
		return error_sys(err, -errno, "epoll_wait");
	loop->depth++;
	for (int i = 0; i < ready; i++) {
		struct loop_source *source = events[i].data.ptr;

		if (source->removed || !source->events)
			continue; /* by a handler of this same batch */
		source->handler(source->fd, events[i].events, source->arg);
		count++;
	}
	count += run_always_ready(loop);
	count += run_timers(loop);
	if (--loop->depth == 0)
		free_list(&loop->removed);
	return count;
}
