/* SPDX-License-Identifier: GPL-2.0-or-later
 * processes.h - the processes of a container as the host's /proc shows them.
 * May depend on: engine/base/, cgroup, container.h. */
#ifndef MYCOMPOSE_CONTAINER_PROCESSES_H
#define MYCOMPOSE_CONTAINER_PROCESSES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/process_stat.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/container.h"
#include "engine/engine.h"

struct process_entry {
	pid_t pid; /* as the host numbers it */
	pid_t ppid;
	uid_t uid;
	unsigned int cpu_percent; /* of one CPU, over its whole life */
	int64_t started_ns;	  /* wall time */
	int64_t cpu_seconds;
	char tty[16];  /* "pts/0", "?" = none */
	char *command; /* its arguments joined by blanks, or "[name]" */
};

/* By pid; what ends while it is looked at is left out. -ENOENT: the container has no cgroup, so it
 * does not run. */
int processes_list(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, struct process_entry **ret, size_t *ret_count,
	struct error *err);
void processes_free(struct process_entry *entries, size_t count);

/* `uptime_ns` and `now_ns` are of the moment of `stat`, `ticks` the clock ticks in a second. uid
 * and command stay as they are. */
void process_entry_fill(struct process_entry *entry, const struct process_stat *stat,
	int64_t uptime_ns, int64_t now_ns, long ticks);

#endif
