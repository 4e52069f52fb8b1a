/* SPDX-License-Identifier: GPL-2.0-or-later
 * loop_test.c - order of timers, sources removed inside callbacks, signals, files that epoll
 * refuses. */
#include "engine/supervisor/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

static int set_up(void **state)
{
	struct loop *loop;

	if (loop_new(&loop, NULL) < 0)
		return -1;
	*state = loop;
	return 0;
}

static int tear_down(void **state)
{
	loop_free(*state);
	return 0;
}

struct fired {
	struct fired_log *log;
	int number;
};

struct fired_log {
	int numbers[512];
	size_t count;
};

static void note(void *arg)
{
	struct fired *fired = arg;

	fired->log->numbers[fired->log->count++] = fired->number;
}

static void timers_fire_by_deadline_then_in_the_order_set(void **state)
{
	struct loop *loop = *state;
	static const int delays_ms[] = { 9, 3, 3, 0, 6, 3, 0, 12 };
	static const int expected[] = { 3, 6, 1, 2, 5, 4, 0, 7 };
	struct fired_log log = { .count = 0 };
	struct fired fired[ARRAY_LEN(delays_ms)];

	for (size_t i = 0; i < ARRAY_LEN(delays_ms); i++) {
		fired[i] = (struct fired){ &log, (int)i };
		loop_add_timer(loop, delays_ms[i] * NS_PER_MS, note, &fired[i]);
	}
	while (log.count < ARRAY_LEN(expected))
		assert_true(loop_run_once(loop, 1000, NULL) >= 0);
	assert_memory_equal(log.numbers, expected, sizeof(expected));
}

static void heap_keeps_its_order_when_timers_are_cancelled(void **state)
{
	struct loop *loop = *state;
	struct loop_timer *timers[300];
	struct fired_log log = { .count = 0 };
	struct fired fired[300];
	uint32_t seed = 12345;
	size_t left = 0;

	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		seed = seed * 1664525 + 1013904223;
		fired[i] = (struct fired){ &log, (int)(seed >> 8) % 5000 };
		timers[i] = loop_add_timer(loop, fired[i].number * 1000, note, &fired[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
		if (i % 3 == 0)
			loop_cancel(timers[i]);
		else
			left++;
	}
	while (log.count < left)
		assert_true(loop_run_once(loop, 1000, NULL) >= 0);
	for (size_t i = 1; i < log.count; i++) {
		/* Delays count from slightly different moments: allow for the time of setting. */
		assert_true(log.numbers[i - 1] <= log.numbers[i] + 2000);
	}
	assert_int_equal(loop_run_once(loop, 10, NULL), 0);
}

static void no_timer_fires_early(void **state)
{
	struct loop *loop = *state;
	struct fired_log log = { .count = 0 };
	struct fired fired = { &log, 1 };
	int64_t start = time_monotonic();

	loop_add_timer(loop, 20 * NS_PER_MS + 300, note, &fired);
	while (log.count == 0)
		loop_run_once(loop, -1, NULL);
	assert_true(time_monotonic() - start >= 20 * NS_PER_MS + 300);
}

struct again {
	struct loop *loop;
	int count;
};

static void set_again(void *arg)
{
	struct again *again = arg;

	again->count++;
	loop_add_timer(again->loop, 0, set_again, again);
}

static void a_timer_that_sets_itself_does_not_starve_the_loop(void **state)
{
	struct again again = { *state, 0 };

	loop_add_timer(again.loop, 0, set_again, &again);
	assert_int_equal(loop_run_once(again.loop, 0, NULL), 1);
	assert_int_equal(again.count, 1);
	assert_int_equal(loop_run_once(again.loop, 0, NULL), 1);
	assert_int_equal(again.count, 2);
}

struct pair {
	struct loop_source *sources[2];
	int calls;
};

/* Removes itself and the other one, which is ready in the same batch. */
static void remove_both(int fd, uint32_t events, void *arg)
{
	struct pair *pair = arg;

	(void)fd;
	(void)events;
	pair->calls++;
	loop_remove(pair->sources[0]);
	loop_remove(pair->sources[1]);
}

static void a_source_removed_in_a_callback_is_not_called(void **state)
{
	struct loop *loop = *state;
	struct pair pair = { .calls = 0 };
	int fds[2][2];

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pipe2(fds[i], O_CLOEXEC), 0);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
		assert_int_equal(loop_add_fd(loop, fds[i][0], EPOLLIN, remove_both, &pair,
					 &pair.sources[i], NULL),
			0);
	}
	assert_int_equal(loop_run_once(loop, 100, NULL), 1);
	assert_int_equal(pair.calls, 1);
	assert_int_equal(loop_run_once(loop, 0, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

struct counted {
	struct loop_source *source;
	int calls;
	uint32_t events;
};

static void count(int fd, uint32_t events, void *arg)
{
	struct counted *counted = arg;

	(void)fd;
	counted->calls++;
	counted->events = events;
}

static void a_source_without_events_hears_no_hang_up(void **state)
{
	struct loop *loop = *state;
	struct counted counted = { .calls = 0 };
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(
		loop_add_fd(loop, fds[0], EPOLLIN, count, &counted, &counted.source, NULL), 0);
	loop_modify(counted.source, 0);
	close(fds[1]);
	assert_int_equal(loop_run_once(loop, 5, NULL), 0);
	loop_modify(counted.source, EPOLLIN);
	assert_int_equal(loop_run_once(loop, 100, NULL), 1);
	assert_true(counted.events & EPOLLHUP);
	loop_remove(counted.source);
	close(fds[0]);
}

static void a_regular_file_is_always_ready(void **state)
{
	struct loop *loop = *state;
	struct counted counted = { .calls = 0 };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(loop_add_fd(loop, fd, EPOLLIN, count, &counted, &counted.source, NULL), 0);
	assert_int_equal(loop_run_once(loop, -1, NULL), 1);
	assert_int_equal(loop_run_once(loop, -1, NULL), 1);
	loop_modify(counted.source, 0);
	assert_int_equal(loop_run_once(loop, 1, NULL), 0);
	loop_modify(counted.source, EPOLLIN);
	assert_int_equal(loop_run_once(loop, -1, NULL), 1);
	loop_remove(counted.source);
	assert_int_equal(loop_run_once(loop, 1, NULL), 0);
	close(fd);
}

static void remove_self(int fd, uint32_t events, void *arg)
{
	struct counted *counted = arg;

	count(fd, events, arg);
	loop_remove(counted->source);
}

static void always_ready_sources_may_remove_themselves(void **state)
{
	struct loop *loop = *state;
	struct counted counted[3] = { { .calls = 0 } };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(loop_add_fd(loop, fd, EPOLLIN, i == 1 ? remove_self : count,
					 &counted[i], &counted[i].source, NULL),
			0);
	for (int i = 0; i < 3; i++)
		loop_run_once(loop, 0, NULL);
	assert_int_equal(counted[1].calls, 1);
	assert_true(counted[0].calls >= 2);
	assert_int_equal(counted[2].calls, 3);
	close(fd);
}

static void see_signal(int signal, void *arg)
{
	int *seen = arg;

	*seen = signal;
}

static void signals_arrive_in_the_loop_and_the_mask_comes_back(void **state)
{
	struct loop *loop = *state;
	sigset_t set, before, after;
	int first = 0, second = 0;

	sigprocmask(SIG_BLOCK, NULL, &before);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_watch_signals(loop, &set, see_signal, &first, NULL), 0);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(loop_watch_signals(loop, &set, see_signal, &second, NULL), 0);
	raise(SIGUSR1);
	loop_run_once(loop, 100, NULL);
	assert_int_equal(first, 0);
	assert_int_equal(second, SIGUSR1);
	raise(SIGUSR2);
	loop_run_once(loop, 100, NULL);
	assert_int_equal(second, SIGUSR2);
	loop_free(loop);
	sigprocmask(SIG_BLOCK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGUSR1), sigismember(&before, SIGUSR1));
	assert_int_equal(sigismember(&after, SIGUSR2), 0);
	assert_int_equal(loop_new(&loop, NULL), 0);
	*state = loop;
}

struct nested {
	struct loop *loop;
	struct loop_source *source;
	int fd;
	int depth;
};

/* Runs the loop from inside a callback, where the source that is being called is removed. */
static void run_nested(int fd, uint32_t events, void *arg)
{
	struct nested *nested = arg;

	(void)fd;
	(void)events;
	if (nested->depth++ == 0) {
		loop_run_once(nested->loop, 0, NULL);
		return;
	}
	loop_remove(nested->source);
}

static void the_loop_may_run_inside_a_callback(void **state)
{
	struct nested nested = { .loop = *state };
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(loop_add_fd(nested.loop, fds[0], EPOLLIN, run_nested, &nested,
				 &nested.source, NULL),
		0);
	loop_run_once(nested.loop, 0, NULL);
	assert_int_equal(nested.depth, 2);
	assert_int_equal(loop_run_once(nested.loop, 0, NULL), 0);
	close(fds[0]);
	close(fds[1]);
}

static void a_paused_source_is_not_heard_until_its_time_or_a_new_wish(void **state)
{
	struct loop *loop = *state;
	struct loop_source *source;
	struct counted counted = { 0 };
	int fds[2];

	loop_pause(NULL, 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(loop_add_fd(loop, fds[0], EPOLLIN, count, &counted, &source, NULL), 0);
	loop_pause(source, NS_PER_SEC * 3600);
	loop_pause(source, 0); /* it goes by the first */
	loop_run_once(loop, 10, NULL);
	assert_int_equal(counted.calls, 0);
	loop_modify(source, EPOLLIN);
	loop_run_once(loop, 1000, NULL);
	assert_int_equal(counted.calls, 1);
	loop_pause(source, NS_PER_MS);
	while (counted.calls == 1)
		assert_true(loop_run_once(loop, 1000, NULL) >= 0);
	loop_pause(source, NS_PER_SEC);
	loop_remove(source); /* with its timer */
	assert_int_equal(loop_run_once(loop, 0, NULL), 0);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_by_deadline_then_in_the_order_set),
		TEST(heap_keeps_its_order_when_timers_are_cancelled),
		TEST(no_timer_fires_early),
		TEST(a_timer_that_sets_itself_does_not_starve_the_loop),
		TEST(a_source_removed_in_a_callback_is_not_called),
		TEST(a_source_without_events_hears_no_hang_up),
		TEST(a_regular_file_is_always_ready),
		TEST(always_ready_sources_may_remove_themselves),
		TEST(signals_arrive_in_the_loop_and_the_mask_comes_back),
		TEST(the_loop_may_run_inside_a_callback),
		TEST(a_paused_source_is_not_heard_until_its_time_or_a_new_wish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
