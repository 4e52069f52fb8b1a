/* SPDX-License-Identifier: GPL-2.0-or-later
 * unsupported.c - which of the limits asked for this host will do without.
 *
 * Told when a container is made, by whoever the user is talking to: the process that writes the
 * limits later is a supervisor that nobody may be listening to. */
#include "engine/base/log.h"
#include "engine/cgroup/internal.h"

static bool asks_for_swap(const struct cgroup_resources *resources)
{
	return resources->has_memory_swap && resources->memory_swap > 0;
}

static bool asks_for_swappiness(const struct cgroup_resources *resources)
{
	return resources->has_memory_swappiness;
}

static bool asks_for_no_oom_killer(const struct cgroup_resources *resources)
{
	return resources->oom_kill_disable;
}

/* What is a matter of the kernel's configuration, or of v1 alone. */
static const struct row {
	bool (*asks)(const struct cgroup_resources *resources);
	const char *v1_file; /* in every group of the memory controller, the root too */
	bool is_in_v2;
	const char *text;
} rows[] = {
	{ asks_for_swap, "memory.memsw.limit_in_bytes", true,
		"this kernel does not count swap: memswap_limit has no effect" },
	{ asks_for_swappiness, "memory.swappiness", false,
		"this kernel has no swappiness of cgroups: mem_swappiness has no effect" },
	{ asks_for_no_oom_killer, "memory.oom_control", false,
		"this kernel cannot switch the OOM killer off for a cgroup: oom_kill_disable has "
		"no "
		"effect" },
};

static void warn_of_memory(const struct cgroup_host *host, const struct cgroup_resources *resources)
{
	const struct controller *controller;
	const struct hierarchy *hierarchy = host_find(host, CONTROLLER_MEMORY, &controller);
	struct group root;

	if (!hierarchy)
		return;
	root = host_group(host, hierarchy, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_there = hierarchy->driver == &cgroup_driver_v2
					? rows[i].is_in_v2
					: group_has(&root, rows[i].v1_file);

		if (rows[i].asks(resources) && !is_there)
			log_warning("%s", rows[i].text);
	}
}

static void warn_of_controllers(
	const struct cgroup_host *host, const struct cgroup_resources *resources)
{
	for (int kind = 0; kind < CONTROLLER_KINDS; kind++) {
		const char *limit = resources_limit_of(resources, (enum controller_kind)kind);
		const struct controller *controller;
		cleanup_error struct error reason = ERROR_INIT;

		if (!limit || host_find(host, (enum controller_kind)kind, &controller) ||
			resources_are_vital(resources, (enum controller_kind)kind))
			continue;
		missing_controller(host, (enum controller_kind)kind, limit, &reason);
		log_warning("%s: it has no effect", error_text(&reason));
	}
}

static bool asks_for_anything(const struct cgroup_resources *resources)
{
	for (int kind = 0; kind < CONTROLLER_KINDS; kind++)
		if (kind != CONTROLLER_DEVICES &&
			resources_limit_of(resources, (enum controller_kind)kind))
			return true;
	return false;
}

void cgroup_resources_warn(const struct cgroup_resources *resources)
{
	struct cgroup_host *host = NULL;

	if (!asks_for_anything(resources) || cgroup_host_open(&host, NULL) < 0)
		return;
	warn_of_controllers(host, resources);
	warn_of_memory(host, resources);
	cgroup_host_free(host);
}
