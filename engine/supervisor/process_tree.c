/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_tree.c - end a process with everything that has come from it. */
#include "engine/supervisor/process_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define STAT_MAX   4096
#define ROUNDS_MAX 64 /* each finds at least one more, or is the last */

static bool is_known(
	const struct process_entry *entries, size_t count, const bool *members, pid_t parent)
{
	for (size_t i = 0; i < count; i++)
		if (members[i] && entries[i].process.pid == parent)
			return true;
	return false;
}

size_t process_tree_find(const struct process_entry *entries, size_t count,
	const struct process_id *root, bool *ret_members)
{
	size_t found = 0, before;

	memset(ret_members, 0, count * sizeof(*ret_members));
	for (size_t i = 0; i < count; i++)
		if (entries[i].process.pid == root->pid &&
			entries[i].process.start_time != root->start_time)
			return 0;
	for (size_t i = 0; i < count; i++) {
		ret_members[i] =
			entries[i].process.pid == root->pid || entries[i].session == root->pid;
		found += ret_members[i];
	}
	do {
		before = found;
		for (size_t i = 0; i < count; i++) {
			if (ret_members[i] ||
				!is_known(entries, count, ret_members, entries[i].parent))
				continue;
			ret_members[i] = true;
			found++;
		}
	} while (found > before);
	return found;
}

/* proc_pid_stat(5): pid (comm) state ppid pgrp session … starttime; comm may hold anything. */
static bool read_entry(pid_t pid, struct process_entry *ret)
{
	cleanup_free char *path = xasprintf("/proc/%d/stat", pid);
	cleanup_free char *text = NULL;
	const char *rest;
	size_t length;

	if (file_read(AT_FDCWD, path, STAT_MAX, &text, &length, NULL) < 0)
		return false;
	rest = strrchr(text, ')');
	ret->process.pid = pid;
	return rest && sscanf(rest + 1,
			       " %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
			       " %*d %*d %lu",
			       &ret->parent, &ret->session, &ret->process.start_time) == 3;
}

static int look(const struct cgroup *cgroup, struct process_entry **ret, size_t *ret_count,
	struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	struct process_entry *entries;
	size_t pid_count = 0, count = 0;
	int r = cgroup_pids(cgroup, &pids, &pid_count, err);

	if (r < 0)
		return r;
	entries = xcalloc(pid_count + 1, sizeof(*entries));
	for (size_t i = 0; i < pid_count; i++)
		count += read_entry(pids[i], &entries[count]);
	*ret = entries;
	*ret_count = count;
	return 0;
}

static void send_to(const struct process_id *process, int signal)
{
	cleanup_fd int pidfd = process_open(process, NULL);

	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static int signal_tree(const struct cgroup *cgroup, const struct process_id *root, int signal,
	size_t *ret_found, struct error *err)
{
	cleanup_free struct process_entry *entries = NULL;
	cleanup_free bool *members = NULL;
	size_t count = 0;
	int r = look(cgroup, &entries, &count, err);

	if (r < 0)
		return r;
	members = xcalloc(count + 1, sizeof(*members));
	*ret_found = process_tree_find(entries, count, root, members);
	for (size_t i = 0; i < count; i++)
		if (members[i])
			send_to(&entries[i].process, signal);
	return 0;
}

int process_tree_kill(const struct cgroup *cgroup, const struct process_id *root, struct error *err)
{
	size_t found = 0, before;
	int r = 0;

	for (int round = 0; r == 0 && round < ROUNDS_MAX; round++) {
		before = found;
		r = signal_tree(cgroup, root, SIGSTOP, &found, err);
		if (found <= before)
			break;
	}
	return r < 0 ? r : signal_tree(cgroup, root, SIGKILL, &found, err);
}
