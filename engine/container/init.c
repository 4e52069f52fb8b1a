/* SPDX-License-Identifier: GPL-2.0-or-later
 * init.c - a small PID 1 for `init: true`: reaps orphans, forwards signals, passes the exit code
 * on.
 *
 * It is our own code in the already confined child, not a program that the image would have to
 * hold. What its memory still has of the parent is wiped, for processes in the container may read
 * it if they were given CAP_SYS_PTRACE: the heap (which also gives the memory back; single blocks
 * that malloc maps by themselves stay), the command line that /proc/1/cmdline shows, the
 * environment. From then on nothing allocates. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME		 "init"
#define STAT_SIZE	 1024
#define STAT_START_BRK	 47 /* proc_pid_stat(5) counts from 1; 2 is the name in parentheses */
#define STAT_ARG_START	 48
#define STAT_ARG_END	 49
#define STAT_ENV_START	 50
#define STAT_ENV_END	 51
#define STAT_FIELDS	 52
#define EXIT_SIGNAL_BASE 128

/* Fields of /proc/self/stat from the third on; false when it cannot be read. */
static bool read_stat(unsigned long fields[static STAT_FIELDS])
{
	char text[STAT_SIZE];
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *p;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p)
		return false;
	p += 4; /* ") S " */
	for (int i = 4; i < STAT_FIELDS; i++)
		fields[i] = strtoul(p, &p, 10);
	return true;
}

static void wipe(unsigned long from, unsigned long to)
{
	if (from && from < to)
		memset((void *)from, 0, to - from);
}

static void forget_parent(void)
{
	unsigned long fields[STAT_FIELDS] = { 0 };
	unsigned long page = (unsigned long)sysconf(_SC_PAGESIZE);
	unsigned long heap, heap_end = (unsigned long)sbrk(0);

	if (!read_stat(fields))
		return;
	wipe(fields[STAT_ARG_START], fields[STAT_ARG_END]);
	if (fields[STAT_ARG_END] - fields[STAT_ARG_START] >= sizeof(NAME))
		memcpy((void *)fields[STAT_ARG_START], NAME, sizeof(NAME));
	wipe(fields[STAT_ENV_START], fields[STAT_ENV_END]);
	heap = (fields[STAT_START_BRK] + page - 1) & ~(page - 1);
	if (fields[STAT_START_BRK] && heap < heap_end)
		madvise((void *)heap, heap_end - heap, MADV_DONTNEED);
}

static int exit_code_of(int status)
{
	return WIFSIGNALED(status) ? EXIT_SIGNAL_BASE + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The real process's status once it has ended, else -1. */
static int reap(pid_t process)
{
	int code = -1, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == process)
			code = exit_code_of(status);
	}
	return code;
}

/* Signals are blocked and taken one by one: to a PID 1 the kernel delivers no signal that has
 * neither a handler nor is blocked. */
static void be_init(pid_t process, const sigset_t *signals) __attribute__((noreturn));
static void be_init(pid_t process, const sigset_t *signals)
{
	for (;;) {
		int signal_number = sigwaitinfo(signals, NULL);
		int code;

		if (signal_number > 0 && signal_number != SIGCHLD)
			kill(process, signal_number);
		if (signal_number != SIGCHLD)
			continue;
		code = reap(process);
		if (code >= 0)
			_exit(code);
	}
}

/* In the foreground of its terminal, in a process group of its own, as a shell would start it. */
static void be_process(const struct setup *setup)
{
	sigset_t none;

	setpgid(0, 0);
	if (setup->terminal)
		tcsetpgrp(STDIN_FILENO, getpid()); /* SIGTTOU is still blocked */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int init_fork(struct setup *setup, struct error *err)
{
	sigset_t signals;
	pid_t process;

	if (!setup->container->spec.init || setup->namespaces.enter_fd >= 0)
		return 0;
	sigfillset(&signals);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	/* Where the pid namespace is shared we are not its PID 1, but orphans are still ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	process = fork();
	if (process < 0)
		return error_sys(err, -errno, "fork");
	if (process == 0) {
		be_process(setup);
		return 0;
	}
	close(setup->status_fd); /* its end is to be seen when the process has executed */
	prctl(PR_SET_NAME, NAME);
	forget_parent();
	be_init(process, &signals);
}
