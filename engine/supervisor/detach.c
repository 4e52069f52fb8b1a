/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach.c - go on in the background after a command has ended in the foreground. */
#include "engine/supervisor/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

/* Those that a terminal or a service manager may send. */
static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2 };

/* The terminal sends to the whole process group (si_code SI_KERNEL): the child has that one
 * already, and twice would count as the user's second Ctrl-C. */
static void pass_on(pid_t child, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo != SIGCHLD && info->ssi_code <= 0)
		kill(child, (int)info->ssi_signo);
}

static void end_as(pid_t child) __attribute__((noreturn));
static void end_as(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static bool has_ended(pid_t child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == child;
}

/* Only _exit from here: buffers and exit handlers are the child's. */
static void wait_for_child(pid_t child, int report_fd, int signal_fd) __attribute__((noreturn));
static void wait_for_child(pid_t child, int report_fd, int signal_fd)
{
	struct pollfd fds[] = { { report_fd, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
	struct signalfd_siginfo info;
	int32_t exit_code;

	for (;;) {
		bool ended = has_ended(child);

		if (read(report_fd, &exit_code, sizeof(exit_code)) == sizeof(exit_code))
			_exit(exit_code);
		if (ended)
			end_as(child);
		/* The far end of the pipe may be gone before the child is: SIGCHLD tells. */
		if (poll(fds, 2, -1) > 0 && fds[0].revents & (POLLHUP | POLLERR))
			fds[0].fd = -1;
		while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			pass_on(child, &info);
	}
}

static int open_signals(sigset_t *old_mask, struct error *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	signal(SIGCHLD, SIG_DFL); /* ignored ones leave no status to wait for */
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_sys(err, -errno, "signalfd");
	/* Before the fork: none is lost in between, in either process. */
	sigprocmask(SIG_BLOCK, &set, old_mask);
	return fd;
}

int detach_fork(int *ret_report_fd, struct error *err)
{
	cleanup_fd int signal_fd = -1, read_fd = -1, write_fd = -1;
	sigset_t old_mask;
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_sys(err, -errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	signal_fd = open_signals(&old_mask, err);
	if (signal_fd < 0)
		return signal_fd;
	fflush(NULL); /* or both would write what is buffered */
	child = fork();
	if (child > 0) {
		close_fd(&write_fd);
		wait_for_child(child, read_fd, signal_fd);
	}
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	if (child < 0)
		return error_sys(err, -errno, "fork");
	*ret_report_fd = steal_fd(&write_fd);
	return 0;
}

/* What the caller left open to us is not ours to hold on to: a lock, the end of a pipe. All of our
 * own is close-on-exec, and what came in through execve cannot be. */
static void close_inherited(void)
{
	cleanup_strv char **names = NULL;

	if (dir_list(AT_FDCWD, "/proc/self/fd", &names, NULL) < 0)
		return;
	for (char **name = names; name && *name; name++) {
		uint64_t fd;
		int flags;

		if (parse_u64(*name, STDERR_FILENO + 1, INT_MAX, &fd) < 0)
			continue;
		flags = fcntl((int)fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close((int)fd);
	}
}

/* A secret may come from a variable, and what execve gave us can be read in /proc/PID/environ for
 * as long as we live. Only a copy stays, which getenv finds. */
static void hide_environment(void)
{
	char **copy = strv_copy(environ);

	for (char **entry = environ; entry && *entry; entry++) {
		char *value = strchr(*entry, '=');

		if (value)
			explicit_bzero(value + 1, strlen(value + 1));
	}
	environ = copy;
}

int detach_finish(int *report_fd, int exit_code, struct error *err)
{
	cleanup_fd int null_fd = -1, fd = steal_fd(report_fd);
	int32_t report = exit_code;
	int r = 0;

	fflush(NULL);
	setsid(); /* fails only for a group leader, which has left its terminal already */
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		r = error_sys(err, -errno, "open /dev/null");
	for (int stdio = STDIN_FILENO; null_fd >= 0 && stdio <= STDERR_FILENO; stdio++) {
		if (dup2(null_fd, stdio) < 0)
			r = error_sys(err, -errno, "detach from the terminal");
	}
	close_inherited();
	hide_environment();
	if (chdir("/") < 0)
		r = error_sys(err, -errno, "chdir /");
	if (write(fd, &report, sizeof(report)) != sizeof(report))
		r = error_sys(err, -errno, "report to the waiting process");
	return r;
}
