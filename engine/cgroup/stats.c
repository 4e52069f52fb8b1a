/* SPDX-License-Identifier: GPL-2.0-or-later
 * stats.c - what a cgroup has used so far. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>

#include "engine/cgroup/internal.h"

/* A controller that v2 did not pass on has no file here: that count stays 0. */
static int read_kind(const struct cgroup *cgroup, enum controller_kind kind,
	struct cgroup_stats *stats, struct error *err)
{
	const struct controller *controller;
	const struct hierarchy *hierarchy = host_find(cgroup->host, kind, &controller);
	struct group group;
	int r;

	if (!hierarchy || !controller->stats)
		return 0;
	group = host_group(cgroup->host, hierarchy, cgroup->path);
	r = controller->stats(&group, stats, err);
	if (r == -ENOENT && group_has(&group, NULL))
		return 0;
	return r;
}

int cgroup_stats_read(const struct cgroup *cgroup, struct cgroup_stats *ret, struct error *err)
{
	struct cgroup_stats stats = { .memory_limit = UINT64_MAX };
	int r = 0;

	for (int kind = 0; r == 0 && kind < CONTROLLER_KINDS; kind++)
		r = read_kind(cgroup, (enum controller_kind)kind, &stats, err);
	if (r == 0)
		*ret = stats;
	return r;
}
