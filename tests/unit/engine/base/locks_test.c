/* SPDX-License-Identifier: GPL-2.0-or-later
 * locks_test.c - one holder at a time, whatever happens to the holder or to the file. */
#include <limits.h>
#include <signal.h>
#include <sys/time.h>

#include "engine/base/times.h"

#include "support.h"

static int waits; /* calls of count_wait; reset by each test that looks */

static void count_wait(const char *name)
{
	assert_string_equal(name, "lock");
	waits++;
}

/* Each takes its own open file description, so one process may stand for two. */
static void row_13_7_second_holder_is_told_to_wait(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int first = lock_take(scratch->fd, "lock", 0, count_wait, &err);
	struct stat st;

	waits = 0;
	assert_true(first >= 0);
	assert_int_equal(fstat(first, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(lock_take(scratch->fd, "lock", 0, count_wait, &err), -EWOULDBLOCK);
	assert_string_equal(error_text(&err), "lock 'lock': held by another process");
	assert_int_equal(waits, 0);
	close_fd(&first);
	first = lock_take(scratch->fd, "lock", 0, NULL, NULL);
	assert_true(first >= 0);
}

static void waits_no_longer_than_asked(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_fd int first = lock_take(scratch->fd, "lock", 0, NULL, NULL);
	int64_t start = time_monotonic(), took;

	waits = 0;
	assert_int_equal(lock_take(scratch->fd, "lock", 120, count_wait, NULL), -EWOULDBLOCK);
	took = time_monotonic() - start;
	assert_true(took >= 119 * NS_PER_MS && took < 5 * NS_PER_SEC);
	assert_int_equal(waits, 1);
	assert_true(first >= 0);
}

/* Hold the lock for 100 ms, saying by a byte that it is held. */
static pid_t start_holder(const struct scratch *scratch, bool remove_file)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = lock_take(scratch->fd, "lock", 0, NULL, NULL);

		if (fd < 0 || write(ends[1], "x", 1) != 1)
			_exit(1);
		usleep(100 * 1000);
		if (remove_file)
			unlinkat(scratch->fd, "lock", 0);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void gets_the_lock_when_its_holder_ends(void **state)
{
	static const int timeouts[] = { -1, 10000 };
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
		pid_t pid = start_holder(scratch, false);
		cleanup_fd int fd = -1;

		waits = 0;
		fd = lock_take(scratch->fd, "lock", timeouts[i], count_wait, NULL);
		assert_true(fd >= 0);
		assert_int_equal(waits, 1);
		assert_int_equal(wait_status(pid), 0);
	}
}

static void the_holder_can_be_found(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;
	pid_t pid = start_holder(scratch, false);
	cleanup_fd int holder = lock_holder(scratch->fd, "lock", &err);
	siginfo_t info;

	assert_true(holder >= 0);
	assert_int_equal(waitid(P_PIDFD, (id_t)holder, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_pid, pid);
	assert_int_equal(wait_status(pid), 0);
	assert_int_equal(lock_holder(scratch->fd, "lock", &err), -ESRCH);
	assert_string_equal(error_text(&err), "lock 'lock': its holder is not to be found");
	assert_int_equal(lock_holder(scratch->fd, "none", NULL), -ENOENT);
}

static void lock_on_a_removed_file_does_not_count(void **state)
{
	static const int timeouts[] = { -1, 10000 };
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(timeouts); i++) {
		pid_t pid = start_holder(scratch, true);
		cleanup_fd int fd = -1;
		struct stat held, named;

		fd = lock_take(scratch->fd, "lock", timeouts[i], NULL, NULL);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &held), 0);
		assert_int_equal(fstatat(scratch->fd, "lock", &named, 0), 0);
		assert_int_equal(held.st_ino, named.st_ino);
		assert_int_equal(wait_status(pid), 0);
	}
}

static void note_alarm(int signal_number)
{
	(void)signal_number;
}

/* Again and again: the first may come before the wait has begun. */
static void set_alarm(suseconds_t interval_us)
{
	const struct itimerval timer = { { 0, interval_us }, { 0, interval_us } };

	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void a_signal_ends_the_wait(void **state)
{
	const struct scratch *scratch = *state;
	const struct sigaction action = { .sa_handler = note_alarm };
	cleanup_fd int first = lock_take(scratch->fd, "lock", 0, NULL, NULL);
	struct sigaction old;

	assert_true(first >= 0);
	assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
	set_alarm(50 * 1000);
	assert_int_equal(lock_take(scratch->fd, "lock", -1, NULL, NULL), -EINTR);
	assert_int_equal(lock_take(scratch->fd, "lock", INT_MAX, NULL, NULL), -EINTR);
	set_alarm(0);
	sigaction(SIGALRM, &old, NULL);
}

/* Read, sleep, write: loses counts unless one at a time. */
static int count_up(void *arg)
{
	const struct scratch *scratch = arg;

	for (int i = 0; i < 20; i++) {
		cleanup_fd int fd = lock_take(scratch->fd, "lock", i % 2 ? -1 : 60000, NULL, NULL);
		char text[16] = "", next[16];
		ssize_t n;

		if (fd < 0)
			return 1;
		n = pread(fd, text, sizeof(text) - 1, 0);
		if (n < 0)
			return 1;
		usleep(200);
		n = snprintf(next, sizeof(next), "%ld", strtol(text, NULL, 10) + 1);
		if (pwrite(fd, next, (size_t)n, 0) != n)
			return 1;
	}
	return 0;
}

static void row_13_7_twenty_processes_take_turns(void **state)
{
	struct scratch *scratch = *state;
	cleanup_free char *text = NULL;
	pid_t pids[20];

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(count_up(scratch));
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		assert_int_equal(wait_status(pids[i]), 0);
	assert_int_equal(file_read(scratch->fd, "lock", 100, &text, NULL, NULL), 0);
	assert_string_equal(text, "400");
}

static void a_link_is_no_lock_file(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(symlinkat("elsewhere", scratch->fd, "lock"), 0);
	assert_int_equal(lock_take(scratch->fd, "lock", 0, NULL, NULL), -ELOOP);
	assert_false(exists(scratch->fd, "elsewhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(row_13_7_second_holder_is_told_to_wait),
		scratch_test(waits_no_longer_than_asked),
		scratch_test(gets_the_lock_when_its_holder_ends),
		scratch_test(the_holder_can_be_found),
		scratch_test(lock_on_a_removed_file_does_not_count),
		scratch_test(a_signal_ends_the_wait),
		scratch_test(row_13_7_twenty_processes_take_turns),
		scratch_test(a_link_is_no_lock_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
