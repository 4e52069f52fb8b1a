/* SPDX-License-Identifier: GPL-2.0-or-later
 * processes.c - probes of the process itself: rights, descriptors, limits, signals, devices. */
#include "tests/probe/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool is_wanted(const char *line)
{
	static const char *const keys[] = { "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:",
		"NoNewPrivs:", "Seccomp:", "SigBlk:", "SigIgn:", "Uid:", "Gid:", "Groups:" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strncmp(line, keys[i], strlen(keys[i])) == 0)
			return true;
	}
	return false;
}

/* As in /proc/self/status, "CapEff: 00000000a80425fb". */
static int run_status(char **args)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[4096];

	(void)args;
	if (!file)
		return failed("status");
	while (fgets(line, sizeof(line), file)) {
		for (char *c = line; *c; c++)
			*c = *c == '\t' ? ' ' : *c;
		if (is_wanted(line))
			fputs(line, stdout);
	}
	fclose(file);
	return 0;
}

/* "0 /dev/null"; the descriptor of the listing itself is left out. */
static int run_fds(char **args)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	(void)args;
	if (!dir)
		return failed("fds");
	while ((entry = readdir(dir))) {
		char target[PATH_MAX];
		ssize_t length;

		if (entry->d_name[0] == '.' || number(entry->d_name) == dirfd(dir))
			continue;
		length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		printf("%s %s\n", entry->d_name, target);
	}
	closedir(dir);
	return 0;
}

static int run_eat(char **args)
{
	size_t bytes = (size_t)number(args[0]);
	volatile char *memory = malloc(bytes);

	if (!memory)
		return failed("eat");
	for (size_t i = 0; i < bytes; i += 4096)
		memory[i] = 1;
	printf("ate %zu\n", bytes);
	return args[1] ? (pause(), 0) : 0; /* "eat BYTES stay" keeps it */
}

/* Of the default size, all of them used. */
static int run_huge_pages(char **args)
{
	size_t bytes = (size_t)number(args[0]);
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (memory == MAP_FAILED)
		return failed("huge-pages");
	for (size_t i = 0; i < bytes; i += 4096)
		memory[i] = 1;
	printf("%zu\n", bytes);
	return 0;
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* N children that stay, or as many as the limit allows; 0 = a real bomb, every branch forking on.
 */
static int run_fork_bomb(char **args)
{
	long wanted = number(args[0]), made = 0;

	signal(SIGCHLD, SIG_IGN);
	while (wanted == 0)
		fork();
	for (; made < wanted; made++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			wait_for_ever();
	}
	printf("forked %ld\n", made);
	if (made < wanted)
		failed("fork");
	fflush(stdout);
	wait_for_ever();
	return 0;
}

/* Queues of this IPC namespace; with a key, makes one first. */
static int run_sysv(char **args)
{
	struct msginfo info;
	int last;

	if (args[0] && msgget((key_t)number(args[0]), IPC_CREAT | 0600) < 0)
		return failed("msgget");
	last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	if (last < 0)
		return failed("msgctl");
	for (int i = 0; i <= last; i++) {
		struct msqid_ds queue;

		if (msgctl(i, MSG_STAT, &queue) >= 0)
			printf("queue %d\n", queue.msg_perm.__key);
	}
	return 0;
}

static int run_open_device(char **args)
{
	int fd = open(args[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return failed("open");
	puts("open ok");
	return 0;
}

static int run_mknod(char **args)
{
	mode_t type = args[1][0] == 'b' ? S_IFBLK : S_IFCHR;

	if (mknod(args[0], type | 0600,
		    makedev((unsigned)number(args[2]), (unsigned)number(args[3]))) < 0)
		return failed("mknod");
	puts("mknod ok");
	return 0;
}

static int run_unshare_user(char **args)
{
	(void)args;
	if (unshare(CLONE_NEWUSER) < 0)
		return failed("unshare");
	puts("unshare ok");
	return 0;
}

/* Arguments that are not given are such that no call can take them as an address. */
static int run_syscall(char **args)
{
	long values[6] = { -1, -1, -1, -1, -1, -1 };
	long result;

	for (size_t i = 0; i < 6 && args[i + 1]; i++)
		values[i] = number(args[i + 1]);
	result = syscall(
		number(args[0]), values[0], values[1], values[2], values[3], values[4], values[5]);

	if (result < 0)
		return failed("syscall");
	printf("syscall %ld\n", result);
	return 0;
}

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

static int run_sleep(char **args)
{
	(void)args;
	signal(SIGTERM, end);
	puts("ready");
	wait_for_ever();
	return 0;
}

static int run_ignore_term(char **args)
{
	(void)args;
	signal(SIGTERM, SIG_IGN);
	puts("ready");
	wait_for_ever();
	return 0;
}

static int run_exit(char **args)
{
	return (int)number(args[0]);
}

/* Default action: as pid 1 of its namespace a process is spared from its own signals, so a child
 * takes the blow there and we report it as a shell would. */
static int run_signal_exit(char **args)
{
	int signal_number = (int)number(args[0]);
	int status;
	pid_t pid;

	signal(signal_number, SIG_DFL);
	raise(signal_number);
	pid = fork();
	if (pid == 0) {
		raise(signal_number);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failed("fork");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 0;
}

/* At least so many bytes of lines "000000012345 xxxx...", 64 bytes each: a gap shows. */
static int run_spam(char **args)
{
	enum { LINE = 64, LINES = 1024 };
	static char block[LINE * LINES];
	long long bytes = number(args[0]), sequence = 0;

	while (sequence * LINE < bytes) {
		size_t length = 0;

		for (; length < sizeof(block) && sequence * LINE < bytes; length += LINE) {
			memset(block + length, 'x', LINE);
			snprintf(block + length, LINE, "%012lld", sequence++);
			block[length + strlen(block + length)] = ' ';
			block[length + LINE - 1] = '\n';
		}
		for (size_t done = 0; done < length;) {
			ssize_t n = write(STDOUT_FILENO, block + done, length - done);

			if (n < 0)
				return 1;
			done += (size_t)n;
		}
	}
	return 0;
}

static int run_env(char **args)
{
	(void)args;
	for (char **entry = environ; *entry; entry++)
		puts(*entry);
	return 0;
}

static int run_pid(char **args)
{
	(void)args;
	printf("pid %d\nppid %d\npgid %d\nsid %d\n", (int)getpid(), (int)getppid(), (int)getpgrp(),
		(int)getsid(0));
	return 0;
}

static int run_winsize(char **args)
{
	struct winsize size;

	(void)args;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return failed("winsize");
	printf("winsize %u %u\n", size.ws_row, size.ws_col);
	return 0;
}

/* N processes whose parent ends at once, so that pid 1 has to collect them; then sleeps. */
static int run_orphans(char **args)
{
	long wanted = number(args[0]);

	for (long i = 0; i < wanted; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return failed("fork");
		if (pid == 0)
			_exit(fork() < 0 ? 1 : 0);
		waitpid(pid, NULL, 0);
	}
	printf("orphans %ld\n", wanted);
	return run_sleep(args);
}

const struct command process_commands[] = {
	{ "status", 0, "", run_status },
	{ "fds", 0, "", run_fds },
	{ "eat", 1, "BYTES [stay]", run_eat },
	{ "huge-pages", 1, "BYTES", run_huge_pages },
	{ "fork-bomb", 1, "N (0: without end)", run_fork_bomb },
	{ "sysv", 0, "[KEY]", run_sysv },
	{ "open-device", 1, "PATH", run_open_device },
	{ "mknod", 4, "PATH c|b MAJOR MINOR", run_mknod },
	{ "unshare-user", 0, "", run_unshare_user },
	{ "syscall", 1, "NUMBER [ARGUMENT...]", run_syscall },
	{ "sleep", 0, "", run_sleep },
	{ "ignore-term", 0, "", run_ignore_term },
	{ "exit", 1, "STATUS", run_exit },
	{ "signal-exit", 1, "SIGNAL", run_signal_exit },
	{ "spam", 1, "BYTES", run_spam },
	{ "env", 0, "", run_env },
	{ "pid", 0, "", run_pid },
	{ "winsize", 0, "", run_winsize },
	{ "orphans", 1, "N", run_orphans },
	{ 0 },
};
