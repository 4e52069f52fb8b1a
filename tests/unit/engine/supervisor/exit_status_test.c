/* SPDX-License-Identifier: GPL-2.0-or-later
 * exit_status_test.c - how children, and processes of others, have ended. */
#include "engine/supervisor/exit_status.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/memory.h"

struct ending {
	int signal; /* 0 = exit */
	int code;
	int expected;
};

static const struct ending endings[] = {
	{ 0, 0, 0 },
	{ 0, 3, 3 },
	{ 0, 255, 255 },
	{ SIGKILL, 0, 137 },
	{ SIGTERM, 0, 143 },
};

static void end_as(const struct ending *ending) __attribute__((noreturn));
static void end_as(const struct ending *ending)
{
	if (ending->signal)
		raise(ending->signal);
	_exit(ending->code);
}

static int open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	assert_true(fd >= 0);
	return fd;
}

static void await(int pidfd)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	assert_int_equal(poll(&ended, 1, 10000), 1);
}

static void row_14_3_a_childs_code_is_docker_s(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		int code = -1, pidfd;
		pid_t child = fork();

		if (child == 0)
			end_as(&endings[i]);
		pidfd = open_pidfd(child);
		await(pidfd);
		assert_int_equal(exit_status_read(pidfd, &code), EXIT_KNOWN);
		assert_int_equal(code, endings[i].expected);
		assert_int_equal(waitpid(child, NULL, WNOHANG), -1); /* reaped */
		close(pidfd);
	}
}

static void a_running_child_is_later(void **state)
{
	int code = -1, pidfd;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		pause();
		_exit(0);
	}
	pidfd = open_pidfd(child);
	assert_int_equal(exit_status_read(pidfd, &code), EXIT_LATER);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pidfd);
}

static bool kernel_tells(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	return sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 15));
}

/* A grandchild whose parent, not this process, reaps it when told. */
static pid_t start_foreign(
	const struct ending *ending, pid_t *ret_parent, int *ret_reap_fd, int *ret_end_fd)
{
	int reap[2], end[2], tell[2];
	pid_t pid;

	assert_int_equal(pipe(reap) | pipe(end) | pipe(tell), 0);
	*ret_parent = fork();
	if (*ret_parent == 0) {
		char go;

		pid = fork();
		if (pid == 0) {
			if (read(end[0], &go, 1) != 1)
				_exit(99);
			end_as(ending);
		}
		if (write(tell[1], &pid, sizeof(pid)) < 0 || read(reap[0], &go, 1) != 1)
			_exit(1);
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	assert_int_equal(read(tell[0], &pid, sizeof(pid)), sizeof(pid));
	*ret_reap_fd = reap[1];
	*ret_end_fd = end[1];
	close(reap[0]);
	close(end[0]);
	close(tell[0]);
	close(tell[1]);
	return pid;
}

static void somebody_elses_code_is_known_once_it_is_reaped_or_said_to_be_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		int code = -1, pidfd, reap_fd, end_fd;
		enum exit_lookup found;
		pid_t parent, pid;

		pid = start_foreign(&endings[i], &parent, &reap_fd, &end_fd);
		pidfd = open_pidfd(pid);
		assert_int_equal(write(end_fd, "e", 1), 1);
		await(pidfd);
		found = exit_status_read(pidfd, &code);
		assert_int_equal(found, kernel_tells() ? EXIT_LATER : EXIT_UNKNOWN);
		assert_int_equal(write(reap_fd, "r", 1), 1);
		assert_int_equal(waitpid(parent, NULL, 0), parent);
		found = exit_status_read(pidfd, &code);
		assert_int_equal(found, kernel_tells() ? EXIT_KNOWN : EXIT_UNKNOWN);
		assert_int_equal(code, kernel_tells() ? endings[i].expected : -1);
		close(pidfd);
		close(reap_fd);
		close(end_fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_14_3_a_childs_code_is_docker_s),
		cmocka_unit_test(a_running_child_is_later),
		cmocka_unit_test(
			somebody_elses_code_is_known_once_it_is_reaped_or_said_to_be_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
