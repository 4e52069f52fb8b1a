/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_tree.h - end a process with everything that has come from it.
 * May depend on: engine/base/, cgroup.
 *
 * What belongs to it: the processes of its session, and their descendants. The process must be the
 * leader of its session, and a "child subreaper" (prctl(2)) if descendants that have lost their
 * parent are to be found. */
#ifndef MYCOMPOSE_SUPERVISOR_PROCESS_TREE_H
#define MYCOMPOSE_SUPERVISOR_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/base/process_stat.h"
#include "engine/cgroup/cgroup.h"

/* Mark the tree of `root` in ret_members[count]; returns how many. A root that is gone still has
 * its session; a pid that is another process's by now has nothing. */
size_t process_tree_find(const struct process_stat *entries, size_t count,
	const struct process_id *root, bool *ret_members);

/* SIGKILL to the whole tree of `root` inside its cgroup. Nothing escapes by forking: what was found
 * is stopped before more is looked for. Not waited for. */
int process_tree_kill(
	const struct cgroup *cgroup, const struct process_id *root, struct error *err);

#endif
