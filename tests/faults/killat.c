/* SPDX-License-Identifier: GPL-2.0-or-later
 * killat.c - run a program and kill it just before its N-th system call that changes anything.
 *
 *   killat [-c FILE] [-p PID]... [-o] N PROGRAM [ARGUMENT...]
 *
 * Follows, by ptrace, all processes of the program (and those given by -p, which run already) until
 * PROGRAM itself ends. A process in another pid namespace is a container's on its way: it is let go
 * with its execve, and never looked at again. Whatever the others do to files, mounts, sockets or
 * other processes is a point; the N-th is not carried out any more: all get SIGKILL at that
 * instant. With -o those in other pid namespaces go on by themselves, orphans.
 *
 * FILE gets one line, "killed N CALL" or "ended COUNT", where COUNT is the number of points there
 * were. N = 0 only counts. Exit status: the program's, 137 when killed, 2 for wrong use. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEES_MAX 512
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_TRACEEXEC)

struct tracee {
	pid_t pid;
	bool inner; /* in another pid namespace than ours */
};

struct run {
	struct tracee tracees[TRACEES_MAX];
	size_t count;
	pid_t program;
	const char *call; /* of the point that was reached */
	unsigned long points, wanted;
	ino_t own_namespace;
	bool leave_orphans;
	int exit_code;
};

enum argument {
	ALWAYS,
	IF_OPENED_TO_WRITE, /* flags in the third argument */
	IF_OPENED_BY_HOW,   /* struct open_how in the third argument */
	IF_FILE,	    /* the first argument is a file's descriptor */
	IF_SIGNAL,	    /* the second argument is one */
	IF_NO_QUESTION,	    /* ioctl: not what isatty and the like ask */
};

struct call {
	long number;
	const char *name;
	enum argument when;
};

#define CALL(name, when)                \
	{                               \
		SYS_##name, #name, when \
	}
static const struct call calls[] = {
	CALL(openat, IF_OPENED_TO_WRITE),
	CALL(openat2, IF_OPENED_BY_HOW),
	CALL(write, IF_FILE),
	CALL(pwrite64, IF_FILE),
	CALL(writev, IF_FILE),
	CALL(sendto, ALWAYS),
	CALL(sendmsg, ALWAYS),
	CALL(setsockopt, ALWAYS),
	CALL(bind, ALWAYS),
	CALL(listen, ALWAYS),
	CALL(mkdirat, ALWAYS),
	CALL(mknodat, ALWAYS),
	CALL(linkat, ALWAYS),
	CALL(symlinkat, ALWAYS),
	CALL(unlinkat, ALWAYS),
	CALL(renameat, ALWAYS),
	CALL(renameat2, ALWAYS),
	CALL(fchmod, ALWAYS),
	CALL(fchmodat, ALWAYS),
	CALL(fchown, ALWAYS),
	CALL(fchownat, ALWAYS),
	CALL(utimensat, ALWAYS),
	CALL(setxattr, ALWAYS),
	CALL(lsetxattr, ALWAYS),
	CALL(fsetxattr, ALWAYS),
	CALL(ftruncate, ALWAYS),
	CALL(fallocate, ALWAYS),
	CALL(copy_file_range, ALWAYS),
	CALL(sendfile, ALWAYS),
	CALL(splice, ALWAYS),
	CALL(fsync, ALWAYS),
	CALL(fdatasync, ALWAYS),
	CALL(syncfs, ALWAYS),
	CALL(mount, ALWAYS),
	CALL(umount2, ALWAYS),
	CALL(open_tree, ALWAYS),
	CALL(move_mount, ALWAYS),
	CALL(mount_setattr, ALWAYS),
	CALL(fsopen, ALWAYS),
	CALL(fsconfig, ALWAYS),
	CALL(fsmount, ALWAYS),
	CALL(pivot_root, ALWAYS),
	CALL(unshare, ALWAYS),
	CALL(setns, ALWAYS),
	CALL(sethostname, ALWAYS),
	CALL(setsid, ALWAYS),
	CALL(clone, ALWAYS),
	CALL(clone3, ALWAYS),
	CALL(execve, ALWAYS),
	CALL(execveat, ALWAYS),
	CALL(kill, IF_SIGNAL),
	CALL(pidfd_send_signal, IF_SIGNAL),
	CALL(ioctl, IF_NO_QUESTION),
#ifdef __x86_64__
	CALL(fork, ALWAYS),
	CALL(vfork, ALWAYS),
	CALL(mkdir, ALWAYS),
	CALL(rmdir, ALWAYS),
	CALL(unlink, ALWAYS),
	CALL(rename, ALWAYS),
	CALL(chmod, ALWAYS),
	CALL(chown, ALWAYS),
#endif
};

static void fail(const char *what) __attribute__((noreturn));
static void fail(const char *what)
{
	fprintf(stderr, "killat: %s: %s\n", what, strerror(errno));
	exit(2);
}

static ino_t pid_namespace(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static struct tracee *tracee_find(struct run *run, pid_t pid)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->tracees[i].pid == pid)
			return &run->tracees[i];
	return NULL;
}

/* A stop may be seen before the event that tells of the new process. */
static struct tracee *tracee_get(struct run *run, pid_t pid)
{
	struct tracee *tracee = tracee_find(run, pid);

	if (tracee)
		return tracee;
	if (run->count == TRACEES_MAX) {
		errno = ENFILE;
		fail("processes");
	}
	tracee = &run->tracees[run->count++];
	*tracee = (struct tracee){ .pid = pid, .inner = pid_namespace(pid) != run->own_namespace };
	return tracee;
}

static void tracee_drop(struct run *run, struct tracee *tracee)
{
	*tracee = run->tracees[--run->count];
}

static bool is_file(pid_t pid, uint64_t fd)
{
	char path[64], target[256];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, (int)fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	return target[0] == '/' && strncmp(target, "/dev/", 5) != 0;
}

static bool opens_to_write(uint64_t flags)
{
	return !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT);
}

static bool how_opens_to_write(pid_t pid, uint64_t address)
{
	struct open_how how = { 0 };
	struct iovec local = { &how, sizeof(how) };
	struct iovec remote = { (void *)(uintptr_t)address, sizeof(how) };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(how) &&
	       opens_to_write(how.flags);
}

static bool is_point(pid_t pid, const struct call *call, const uint64_t *args)
{
	switch (call->when) {
	case ALWAYS:
		return true;
	case IF_OPENED_TO_WRITE:
		return opens_to_write(args[2]);
	case IF_OPENED_BY_HOW:
		return how_opens_to_write(pid, args[2]);
	case IF_FILE:
		return is_file(pid, args[0]);
	case IF_SIGNAL:
		return args[1] != 0;
	case IF_NO_QUESTION:
		return args[1] != TCGETS && args[1] != TIOCGWINSZ && args[1] != TIOCGPGRP;
	}
	return false;
}

/* The name of the call a process is about to make, if that is a point. */
static const char *point_of(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
		info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].number == (long)info.entry.nr)
			return is_point(pid, &calls[i], info.entry.args) ? calls[i].name : NULL;
	return NULL;
}

/* Each may have ended meanwhile: then the next wait tells. */
static void go_on(pid_t pid, int signal)
{
	ptrace(PTRACE_SYSCALL, pid, NULL, signal);
}

static bool stops_processes(int signal)
{
	return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* Its first process has not executed anything: an init that is our own code, and the child with
 * which it came to an execve. */
static void let_go_of_namespace(struct run *run, pid_t pid)
{
	ino_t namespace = pid_namespace(pid);

	ptrace(PTRACE_DETACH, pid, NULL, 0);
	tracee_drop(run, tracee_get(run, pid));
	for (size_t i = 0; i < run->count; i++)
		if (run->tracees[i].inner && pid_namespace(run->tracees[i].pid) == namespace)
			ptrace(PTRACE_INTERRUPT, run->tracees[i].pid, NULL, 0);
}

/* One of a container's that is stopped by PTRACE_INTERRUPT is an init that is let go. */
static void on_event_stop(struct run *run, struct tracee *tracee, int signal, bool is_new)
{
	pid_t pid = tracee->pid;

	if (stops_processes(signal)) {
		ptrace(PTRACE_LISTEN, pid, NULL, 0);
	} else if (tracee->inner && !is_new) {
		ptrace(PTRACE_DETACH, pid, NULL, 0);
		tracee_drop(run, tracee);
	} else {
		go_on(pid, 0);
	}
}

/* true = the wanted point has been reached. */
static bool on_stop(struct run *run, pid_t pid, int status)
{
	bool is_new = !tracee_find(run, pid);
	struct tracee *tracee = tracee_get(run, pid);
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		const char *call = point_of(pid);

		if (call && ++run->points == run->wanted) {
			run->call = call;
			return true;
		}
		go_on(pid, 0);
	} else if (event == PTRACE_EVENT_EXEC && tracee->inner) {
		let_go_of_namespace(run, pid);
	} else if (event == PTRACE_EVENT_STOP) {
		on_event_stop(run, tracee, signal, is_new);
	} else {
		go_on(pid, event ? 0 : signal);
	}
	return false;
}

static bool is_to_die(const struct run *run, const struct tracee *tracee)
{
	return !tracee->inner || !run->leave_orphans;
}

static size_t count_to_die(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += is_to_die(run, &run->tracees[i]);
	return count;
}

/* In whatever order they end: the first process of a pid namespace waits for the others in it. */
static void kill_all(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (is_to_die(run, &run->tracees[i]))
			kill(run->tracees[i].pid, SIGKILL);
	while (count_to_die(run) > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct tracee *tracee = pid > 0 ? tracee_find(run, pid) : NULL;

		if (pid < 0 && errno != EINTR)
			return;
		if (tracee && !WIFSTOPPED(status))
			tracee_drop(run, tracee);
	}
}

/* Follow until the point is reached (true) or the program has ended. Whoever is traced when we end
 * goes on untraced. */
static bool follow(struct run *run)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		struct tracee *tracee;

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return false;
		if (WIFSTOPPED(status)) {
			if (on_stop(run, pid, status))
				return true;
			continue;
		}
		tracee = tracee_find(run, pid);
		if (tracee)
			tracee_drop(run, tracee);
		if (pid != run->program)
			continue;
		run->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		return false;
	}
}

static void seize(struct run *run, pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS) < 0)
		fail("trace");
	tracee_get(run, pid);
}

static void start(struct run *run, char **words)
{
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		fail("pipe");
	run->program = fork();
	if (run->program < 0)
		fail("fork");
	if (run->program == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 0)
			execv(words[0], words);
		fail(words[0]);
	}
	seize(run, run->program);
	ptrace(PTRACE_INTERRUPT, run->program, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

static void report(const struct run *run, const char *path, bool killed)
{
	FILE *file = path ? fopen(path, "we") : stderr;

	if (!file)
		fail(path);
	if (killed)
		fprintf(file, "killed %lu %s\n", run->points, run->call);
	else
		fprintf(file, "ended %lu\n", run->points);
	if (file != stderr)
		fclose(file);
}

int main(int argc, char **argv)
{
	static struct run run;
	const char *path = NULL;
	bool killed;
	int option;

	run.own_namespace = pid_namespace(getpid());
	while ((option = getopt(argc, argv, "+c:p:o")) != -1) {
		if (option == 'c') {
			path = optarg;
		} else if (option == 'p') {
			pid_t pid = (pid_t)strtol(optarg, NULL, 10);

			seize(&run, pid);
			ptrace(PTRACE_INTERRUPT, pid, NULL, 0);
		} else if (option == 'o') {
			run.leave_orphans = true;
		} else {
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	run.wanted = strtoul(argv[optind], NULL, 10);
	start(&run, argv + optind + 1);
	killed = follow(&run);
	if (killed)
		kill_all(&run);
	report(&run, path, killed);
	return killed ? 128 + SIGKILL : run.exit_code;
}
