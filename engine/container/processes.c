/* SPDX-License-Identifier: GPL-2.0-or-later
 * processes.c - read /proc/PID of everything in a container's cgroup. */
#include "engine/container/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"

#define NAME_LIMIT    4096
#define COMMAND_LIMIT (64 * 1024)

/* Documentation/admin-guide/devices.txt: 136 to 143 are Unix98 ptys of 256 (on Linux: 2^20 minors
 * in one major) each, 4 are consoles and serial lines. */
static void tty_name(unsigned int number, char name[static 16])
{
	unsigned int line = minor((dev_t)number);

	if (major((dev_t)number) >= 136 && major((dev_t)number) <= 143)
		snprintf(name, 16, "pts/%u", (major((dev_t)number) - 136) * 256 + line);
	else if (major((dev_t)number) == 4)
		snprintf(name, 16, "tty%s%u", line >= 64 ? "S" : "", line >= 64 ? line - 64 : line);
	else
		snprintf(name, 16, "?");
}

void process_entry_fill(struct process_entry *entry, const struct process_stat *stat,
	int64_t uptime_ns, int64_t now_ns, long ticks)
{
	int64_t ran_ns = (int64_t)(stat->user_ticks + stat->system_ticks) * (NS_PER_SEC / ticks);
	int64_t age_ns = uptime_ns - (int64_t)stat->process.start_time * (NS_PER_SEC / ticks);

	entry->pid = stat->process.pid;
	entry->ppid = stat->parent;
	entry->cpu_percent = age_ns > 0 ? (unsigned int)(ran_ns * 100 / age_ns) : 0;
	entry->started_ns = now_ns - age_ns;
	entry->cpu_seconds = ran_ns / NS_PER_SEC;
	tty_name(stat->terminal, entry->tty);
}

static char *read_command(int dir_fd)
{
	cleanup_free char *name = NULL;
	char *text = NULL;
	size_t length = 0;

	if (file_read(dir_fd, "cmdline", COMMAND_LIMIT, &text, &length, NULL) == 0 && length > 0) {
		for (size_t i = 0; i + 1 < length; i++)
			if (!text[i])
				text[i] = ' ';
		return text;
	}
	free(text);
	if (file_read(dir_fd, "comm", NAME_LIMIT, &name, &length, NULL) < 0)
		return xstrdup("[?]");
	name[strcspn(name, "\n")] = '\0';
	return xasprintf("[%s]", name);
}

static int read_entry(pid_t pid, struct process_entry *ret, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d", (int)pid);
	cleanup_free char *text = NULL;
	struct process_entry entry = { 0 };
	struct process_stat in_file;
	struct timespec uptime;
	struct stat st;
	size_t length;
	cleanup_fd int dir_fd = file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, err);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = file_read(dir_fd, "stat", PROCESS_STAT_MAX, &text, &length, err);
	if (r == 0)
		r = process_stat_parse(text, &in_file);
	if (r == 0 && fstat(dir_fd, &st) < 0)
		r = error_sys(err, -errno, "%s", path);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_BOOTTIME, &uptime);
	process_entry_fill(&entry, &in_file, uptime.tv_sec * NS_PER_SEC + uptime.tv_nsec,
		time_now(), sysconf(_SC_CLK_TCK));
	entry.uid = st.st_uid;
	entry.command = read_command(dir_fd);
	*ret = entry;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct process_entry *a = left, *b = right;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

int processes_list(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, struct process_entry **ret, size_t *ret_count,
	struct error *err)
{
	struct process_entry *entries = NULL;
	cleanup_free pid_t *pids = NULL;
	struct cgroup *cgroup = NULL;
	size_t count = 0, pid_count = 0;
	int r = cgroup_open(
		host, container_cgroup_parent(engine, container), container->id, &cgroup, err);

	if (r == 0)
		r = cgroup_pids(cgroup, &pids, &pid_count, err);
	cgroup_free(cgroup);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pid_count; i++) {
		struct process_entry entry;

		if (read_entry(pids[i], &entry, NULL) == 0)
			*array_add(entries, count) = entry;
	}
	if (count)
		qsort(entries, count, sizeof(*entries), compare);
	*ret = entries;
	*ret_count = count;
	return 0;
}

void processes_free(struct process_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(entries[i].command);
	free(entries);
}
