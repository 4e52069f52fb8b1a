/* SPDX-License-Identifier: GPL-2.0-or-later
 * kill.c - end every process of a cgroup, also of one that forks faster than we read. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/times.h"
#include "engine/cgroup/internal.h"

/* cgroup.kill reaches what is being forked too; it is repeated for what joins from outside (an
 * exec under way). */
#define KILL_AGAIN   (500 * NS_PER_MS)
#define FREEZE_ROUND (500 * NS_PER_MS)

static bool is_gone(int code)
{
	return code == -ENOENT || code == -ENODEV;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A SIGKILL waits until a v1 freezer lets go. */
static void thaw(const struct cgroup *cgroup)
{
	const struct controller *controller;
	const struct hierarchy *hierarchy =
		host_find(cgroup->host, CONTROLLER_FREEZER, &controller);

	if (hierarchy && hierarchy->driver == &cgroup_driver_v1) {
		struct group group = host_group(cgroup->host, hierarchy, cgroup->path);

		group_write(&group, "freezer.state", "THAWED", NULL);
	}
}

static int kill_v2(
	const struct cgroup *cgroup, const struct group *group, int64_t deadline, struct error *err)
{
	for (;;) {
		int64_t now = time_monotonic();
		int r = group_write(group, "cgroup.kill", "1", err);

		thaw(cgroup);
		if (r == 0)
			r = group_wait_event(
				group, "populated", 0, earlier(now + KILL_AGAIN, deadline), err);
		if (r != -ETIMEDOUT || time_monotonic() >= deadline)
			return is_gone(r) ? 0 : r;
	}
}

static int kill_listed(const struct group *group, size_t *ret_count, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int r = group_pids(group, &pids, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		/* ESRCH: it was faster. Frozen pids cannot be recycled, thawed ones hardly. */
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	}
	*ret_count = count;
	return 0;
}

/* Frozen processes cannot fork, so the list is complete. If the freezer does not get there in time
 * the kills are still made, and the next round finds fewer. */
static int kill_round(const struct cgroup *cgroup, const struct group *group, int64_t deadline,
	size_t *ret_count, struct error *err)
{
	const struct controller *controller;
	const struct hierarchy *freezer = host_find(cgroup->host, CONTROLLER_FREEZER, &controller);
	int r;

	if (freezer) {
		struct group frozen = host_group(cgroup->host, freezer, cgroup->path);

		freezer->driver->freeze(
			&frozen, true, earlier(deadline, time_monotonic() + FREEZE_ROUND), NULL);
	}
	r = kill_listed(group, ret_count, err);
	thaw(cgroup);
	return r;
}

static int kill_frozen(
	const struct cgroup *cgroup, const struct group *group, int64_t deadline, struct error *err)
{
	struct timespec pause = { 0, NS_PER_MS };
	size_t count = 0;

	for (;;) {
		int r = kill_round(cgroup, group, deadline, &count, err);

		if (is_gone(r) || (r == 0 && count == 0))
			return 0;
		if (r < 0)
			return r;
		if (time_monotonic() >= deadline)
			return error_set(err, -ETIMEDOUT, "%zu processes do not end", count);
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 32 * NS_PER_MS)
			pause.tv_nsec *= 2;
	}
}

int cgroup_kill(const struct cgroup *cgroup, int timeout_ms, struct error *err)
{
	int64_t deadline = time_monotonic() + timeout_ms * NS_PER_MS;
	struct group group = host_group(cgroup->host, host_tracker(cgroup->host), cgroup->path);
	int r;

	if (group_has(&group, "cgroup.kill"))
		r = kill_v2(cgroup, &group, deadline, err);
	else
		r = kill_frozen(cgroup, &group, deadline, err);
	if (r < 0)
		error_wrap(err, "kill cgroup %s", cgroup->path);
	return r;
}
