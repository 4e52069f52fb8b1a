/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_tree.c - end a process with everything that has come from it. */
#include "engine/supervisor/process_tree.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define ROUNDS_MAX 64 /* each finds at least one more, or is the last */

static bool is_known(
	const struct process_stat *entries, size_t count, const bool *members, pid_t parent)
{
	for (size_t i = 0; i < count; i++)
		if (members[i] && entries[i].process.pid == parent)
			return true;
	return false;
}

size_t process_tree_find(const struct process_stat *entries, size_t count,
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

static int look(const struct cgroup *cgroup, struct process_stat **ret, size_t *ret_count,
	struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	struct process_stat *entries;
	size_t pid_count = 0, count = 0;
	int r = cgroup_pids(cgroup, &pids, &pid_count, err);

	if (r < 0)
		return r;
	entries = xcalloc(pid_count + 1, sizeof(*entries));
	for (size_t i = 0; i < pid_count; i++)
		count += process_stat_read(pids[i], &entries[count], NULL) == 0;
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
	cleanup_free struct process_stat *entries = NULL;
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
