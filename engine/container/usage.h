/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage.h - what a running container has used so far.
 * May depend on: engine/cgroup/. */
#ifndef MYCOMPOSE_CONTAINER_USAGE_H
#define MYCOMPOSE_CONTAINER_USAGE_H

#include "engine/cgroup/cgroup.h"
#include "engine/container/container.h"

struct container_usage {
	struct cgroup_stats cgroup;
	uint64_t network_received; /* bytes; 0 where the network is the host's */
	uint64_t network_sent;
	int64_t taken_ns; /* monotonic */
};

/* -ESRCH when it does not run (any more). */
int container_usage_read(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct container_state *state,
	struct container_usage *ret, struct error *err);

/* The sums of a text of /proc/PID/net/dev, loopback left out. */
void network_usage_parse(const char *text, uint64_t *ret_received, uint64_t *ret_sent);

#endif
