/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage.c - see usage.h. The network's counts are those of the interfaces in its namespace, read
 * through its first process. */
#include "engine/container/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

#define NET_DEV_LIMIT (1 << 20)
#define FIELD_SENT    8 /* after the eight counts of what was received, proc_pid_net(5) */

void network_usage_parse(const char *text, uint64_t *ret_received, uint64_t *ret_sent)
{
	cleanup_strv char **lines = strv_split(text, "\n");

	*ret_received = *ret_sent = 0;
	for (size_t i = 0; i < strv_length(lines); i++) {
		const char *colon = strchr(lines[i], ':');
		const char *name = lines[i] + strspn(lines[i], " ");
		cleanup_strv char **fields = NULL;
		uint64_t received, sent;

		if (!colon || strncmp(name, "lo:", 3) == 0)
			continue;
		fields = strv_split(colon + 1, " ");
		if (strv_length(fields) <= FIELD_SENT ||
			parse_u64(fields[0], 0, UINT64_MAX, &received) < 0 ||
			parse_u64(fields[FIELD_SENT], 0, UINT64_MAX, &sent) < 0)
			continue;
		*ret_received += received;
		*ret_sent += sent;
	}
}

static int read_network(const struct container *container, const struct container_state *state,
	struct container_usage *usage, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/net/dev", (int)state->process.pid);
	cleanup_free char *text = NULL;
	int r;

	/* As docker: what the host sends is not the container's. */
	if (container->spec.network.mode == NAMESPACE_HOST)
		return 0;
	r = file_read(AT_FDCWD, path, NET_DEV_LIMIT, &text, NULL, err);
	if (r < 0)
		return r;
	/* Only now: the pid may have become another's before it was read. */
	if (!process_is_alive(&state->process))
		return error_set(err, -ESRCH, "container %s is not running", container->name);
	network_usage_parse(text, &usage->network_received, &usage->network_sent);
	return 0;
}

int container_usage_read(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct container_state *state,
	struct container_usage *ret, struct error *err)
{
	struct container_usage usage = { 0 };
	struct cgroup *cgroup = NULL;
	int r;

	if (state->status != CONTAINER_RUNNING && state->status != CONTAINER_PAUSED)
		return error_set(err, -ESRCH, "container %s is not running", container->name);
	r = cgroup_open(
		host, container_cgroup_parent(engine, container), container->id, &cgroup, err);
	if (r < 0)
		return r;
	usage.taken_ns = time_monotonic();
	r = cgroup_stats_read(cgroup, &usage.cgroup, err);
	cgroup_free(cgroup);
	if (r == 0)
		r = read_network(container, state, &usage, err);
	if (r == 0)
		*ret = usage;
	return r;
}
