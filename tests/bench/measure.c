/* SPDX-License-Identifier: GPL-2.0-or-later
 * measure.c - run a program and tell on fd 3 what it cost: "WALL_US CPU_US MAX_KB OWN_KB".
 *
 * MAX_KB is the largest resident memory, in which every page counts whole. OWN_KB counts a page
 * that several processes map (the C library above all) by its share, as smaps_rollup's Pss does:
 * what it has been at the end, and all that the largest was above that. The kernel counts the
 * memory of who forks among the child's, so the one that forks must be small: hence no script. The
 * program is traced for its end alone (PTRACE_EVENT_EXIT), when its memory is still there. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(const struct timeval *t)
{
	return t->tv_sec * 1000000ll + t->tv_usec;
}

/* "Pss:   123 kB" of /proc/PID/FILE; -1 when it is not there. */
static long kilobytes(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	size_t length = strlen(key);
	long value = -1;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	stream = fopen(path, "re");
	if (!stream)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), stream))
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			value = strtol(line + length + 1, NULL, 10);
	fclose(stream);
	return value;
}

/* From the stop at its first instruction to its end. */
static int follow(pid_t pid, long *own_kb)
{
	int status, passed_on = 0;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
	for (;;) {
		siginfo_t info;

		if (ptrace(PTRACE_CONT, pid, NULL, passed_on) < 0)
			return -1;
		/* The end itself is left for wait4 and its figures. */
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WSTOPPED | WNOWAIT) < 0)
			return -1;
		if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
			info.si_code == CLD_DUMPED)
			return 0;
		if (waitpid(pid, &status, 0) != pid)
			return -1;
		passed_on = 0;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			*own_kb = kilobytes(pid, "smaps_rollup", "Pss") +
				  kilobytes(pid, "status", "VmHWM") -
				  kilobytes(pid, "status", "VmRSS");
		else
			passed_on = WSTOPSIG(status);
	}
}

int main(int argc, char **argv)
{
	struct timespec begin, end;
	struct rusage usage;
	long own_kb = -1;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	pid = fork();
	if (pid < 0)
		return 2;
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (follow(pid, &own_kb) < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &end);
	dprintf(3, "%lld %lld %ld %ld\n",
		(end.tv_sec - begin.tv_sec) * 1000000ll + (end.tv_nsec - begin.tv_nsec) / 1000,
		microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime), usage.ru_maxrss,
		own_kb);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
