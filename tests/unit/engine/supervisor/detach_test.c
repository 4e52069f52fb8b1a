/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach_test.c - the waiting parent passes on outcome and signals; the child lets go of
 * everything. */
#include "engine/supervisor/detach.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

/* Run `body` in a process of its own, as a command that detaches would; its stdout is a pipe.
 * Returns the exit code of what the caller sees. */
static int run_command(void (*body)(void), pid_t *ret_pid, int *ret_out_fd)
{
	int out[2];
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		body();
		_exit(111);
	}
	close(out[1]);
	*ret_pid = pid;
	*ret_out_fd = out[0];
	return 0;
}

static int exit_code_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *read_to_end(int fd)
{
	static char text[256];
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	close(fd);
	return text;
}

static void detach_and_live_on(void)
{
	struct timespec nap = { 5, 0 };
	int fd;

	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	printf("from the child");
	detach_finish(&fd, 7, NULL);
	nanosleep(&nap, NULL);
	_exit(0);
}

static void the_command_ends_with_the_reported_code_while_the_child_lives_on(void **state)
{
	int64_t start = time_monotonic();
	pid_t pid;
	int fd;

	(void)state;
	run_command(detach_and_live_on, &pid, &fd);
	/* The pipe ends although the child lives: it has let go of it. */
	assert_string_equal(read_to_end(fd), "from the child");
	assert_int_equal(exit_code_of(pid), 7);
	assert_true(time_monotonic() - start < 4 * NS_PER_SEC);
}

static void end_without_report(void)
{
	int fd;

	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	_exit(42);
}

static void die_without_report(void)
{
	int fd;

	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	raise(SIGKILL);
}

/* The write end of the pipe survives the child in a grandchild. */
static void end_with_a_grandchild(void)
{
	struct timespec nap = { 5, 0 };
	int fd;

	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	if (fork() == 0) {
		close(STDOUT_FILENO);
		nanosleep(&nap, NULL);
		_exit(0);
	}
	_exit(5);
}

static void without_a_report_the_childs_own_end_counts(void **state)
{
	static const struct {
		void (*body)(void);
		int expected;
	} rows[] = {
		{ end_without_report, 42 },
		{ die_without_report, 137 },
		{ end_with_a_grandchild, 5 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t start = time_monotonic();
		pid_t pid;
		int fd;

		run_command(rows[i].body, &pid, &fd);
		assert_int_equal(exit_code_of(pid), rows[i].expected);
		assert_true(time_monotonic() - start < 4 * NS_PER_SEC);
		close(fd);
	}
}

static void report_signals(void)
{
	sigset_t set;
	int fd, signal = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	printf("ready\n");
	fflush(stdout);
	sigwait(&set, &signal);
	_exit(signal);
}

static void a_signal_to_the_waiting_parent_reaches_the_child(void **state)
{
	char ready[6];
	pid_t pid;
	int fd;

	(void)state;
	run_command(report_signals, &pid, &fd);
	assert_int_equal(read(fd, ready, sizeof(ready)), 6);
	kill(pid, SIGTERM);
	assert_int_equal(exit_code_of(pid), SIGTERM);
	close(fd);
}

static void report_session(void)
{
	char directory[16] = "";
	int fd, out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);

	if (detach_fork(&fd, NULL) < 0)
		_exit(1);
	detach_finish(&fd, 0, NULL);
	dprintf(out, "%s %s", getsid(0) == getpid() ? "own session" : "old session",
		getcwd(directory, sizeof(directory)));
	_exit(0);
}

static void row_14_4_the_child_has_a_session_of_its_own_and_pins_no_directory(void **state)
{
	pid_t pid;
	int fd;

	(void)state;
	run_command(report_session, &pid, &fd);
	assert_int_equal(exit_code_of(pid), 0);
	assert_string_equal(read_to_end(fd), "own session /");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_ends_with_the_reported_code_while_the_child_lives_on),
		cmocka_unit_test(without_a_report_the_childs_own_end_counts),
		cmocka_unit_test(a_signal_to_the_waiting_parent_reaches_the_child),
		cmocka_unit_test(row_14_4_the_child_has_a_session_of_its_own_and_pins_no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
