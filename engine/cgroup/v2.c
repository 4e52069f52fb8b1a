/* SPDX-License-Identifier: GPL-2.0-or-later
 * v2.c - the driver for the unified hierarchy.
 * Rules: the kernel's Documentation/admin-guide/cgroup-v2.rst. */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

static int write_limit(
	const struct group *group, const char *file, int64_t value, struct error *err)
{
	if (value < 0)
		return group_write(group, file, "max", err);
	return group_writef(group, err, file, "%lld", (long long)value);
}

/* memory.swap.max is swap alone, where Compose counts memory and swap together. */
static int apply_swap(
	const struct group *group, const struct cgroup_resources *resources, struct error *err)
{
	int64_t both = resources_memory_and_swap(resources);
	bool said = resources->has_memory_swap && resources->memory_swap > 0;

	if (!resources->memory_limit && resources->memory_swap != -1)
		return 0;
	if (!group_has(group, "memory.swap.max")) {
		if (said)
			log_warning("this kernel does not count swap: memswap_limit has no effect");
		return 0;
	}
	if (!resources->memory_limit)
		return write_limit(group, "memory.swap.max", -1, err);
	return write_limit(group, "memory.swap.max",
		both < 0 ? -1 : both - (int64_t)resources->memory_limit, err);
}

static int apply_memory(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = 0;

	(void)fresh;
	if (resources->memory_limit)
		r = group_writef(group, err, "memory.max", "%llu",
			(unsigned long long)resources->memory_limit);
	if (r == 0)
		r = apply_swap(group, resources, err);
	if (r == 0 && resources->memory_reservation)
		r = group_writef(group, err, "memory.low", "%llu",
			(unsigned long long)resources->memory_reservation);
	return r;
}

static int apply_cpu(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int64_t quota;
	uint64_t period;
	int r = 0;

	(void)fresh;
	if (resources->cpu_rt_period_us || resources->cpu_rt_runtime_us)
		return error_set(
			err, -ENOTSUP, "cgroup v2 does not support the CPU real-time scheduler");
	if (resources->cpu_shares)
		r = group_writef(group, err, "cpu.weight", "%llu",
			(unsigned long long)resources_cpu_weight(resources->cpu_shares));
	if (r < 0 || !resources_cpu_quota(resources, &quota, &period))
		return r;
	if (quota < 0)
		return group_writef(group, err, "cpu.max", "max %llu", (unsigned long long)period);
	return group_writef(
		group, err, "cpu.max", "%lld %llu", (long long)quota, (unsigned long long)period);
}

static int apply_cpuset(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = 0;

	(void)fresh;
	if (resources->cpuset_cpus)
		r = cpuset_apply(
			group, "cpuset.cpus", "cpuset.cpus.effective", resources->cpuset_cpus, err);
	if (r == 0 && resources->cpuset_mems)
		r = cpuset_apply(
			group, "cpuset.mems", "cpuset.mems.effective", resources->cpuset_mems, err);
	return r;
}

static int apply_pids(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	(void)fresh;
	return resources->pids_limit ? write_limit(group, "pids.max", resources->pids_limit, err)
				     : 0;
}

/* BFQ takes v1's 1..1000 as it is, the io controller has a scale of its own. */
static int apply_weight(const struct group *group, uint16_t weight, struct error *err)
{
	if (!weight)
		return 0;
	if (group_has(group, "io.bfq.weight"))
		return group_writef(group, err, "io.bfq.weight", "%u", weight);
	if (group_has(group, "io.weight"))
		return group_writef(group, err, "io.weight", "default %llu",
			(unsigned long long)resources_io_weight(weight));
	log_warning("this kernel has no block I/O weights: blkio_config.weight has no effect");
	return 0;
}

static int apply_io(const struct group *group, const struct cgroup_resources *resources, bool fresh,
	struct error *err)
{
	int r = apply_weight(group, resources->blkio_weight, err);

	(void)fresh;
	return r < 0 ? r : io_limits_apply_v2(group, resources, err);
}

static int stats_cpu(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	uint64_t usec = 0;
	int r = group_read_key(group, "cpu.stat", "usage_usec", &usec, err);

	if (r == 0)
		stats->cpu_usage_ns = usec * 1000;
	return r;
}

static int stats_memory(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	uint64_t usage, inactive, limit;
	int r;

	r = group_read_u64(group, "memory.current", &usage, err);
	if (r == 0)
		r = group_read_key(group, "memory.stat", "inactive_file", &inactive, err);
	if (r == 0)
		r = group_read_u64(group, "memory.max", &limit, err);
	if (r < 0)
		return r;
	stats->memory_usage = usage > inactive ? usage - inactive : usage;
	stats->memory_limit = limit;
	return 0;
}

static int stats_pids(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	return group_read_u64(group, "pids.current", &stats->pids, err);
}

static void add_io_field(const char *field, const char *key, uint64_t *sum)
{
	uint64_t value;

	if (strncmp(field, key, strlen(key)) == 0 &&
		parse_u64(field + strlen(key), 0, UINT64_MAX, &value) == 0)
		*sum += value;
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 ...", one line for each device. */
static int stats_io(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **fields = NULL;
	int r = group_read(group, "io.stat", &text, err);

	if (r < 0)
		return r;
	fields = strv_split(text, " \n");
	for (size_t i = 0; i < strv_length(fields); i++) {
		add_io_field(fields[i], "rbytes=", &stats->io_read_bytes);
		add_io_field(fields[i], "wbytes=", &stats->io_write_bytes);
	}
	return 0;
}

/* Words of a file that is a list of controllers. */
static int read_words(const struct group *group, const char *file, char ***ret, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = group_read(group, file, &text, err);

	if (r == 0)
		*ret = strv_split(text, " \n");
	return r;
}

/* What we use, `group` has and does not pass on yet. */
static int missing_below(const struct group *group, char ***ret, struct error *err)
{
	cleanup_strv char **have = NULL;
	cleanup_strv char **passed = NULL;
	char **missing = NULL;
	int r = read_words(group, "cgroup.controllers", &have, err);

	if (r == 0)
		r = read_words(group, "cgroup.subtree_control", &passed, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < cgroup_driver_v2.controller_count; i++) {
		const struct controller *controller = &cgroup_driver_v2.controllers[i];
		const char *name = controller->name;

		if (name && !controller->on_demand && strv_contains(have, name) &&
			!strv_contains(passed, name))
			strv_add(&missing, name);
	}
	*ret = missing;
	return 0;
}

/* All in one write where that works. Where it does not, each alone: one that cannot be had (cpu
 * beside real-time processes) must not cost the others; require_v2 tells of it if a limit needs
 * it. */
static int pass_on(const struct group *group, char *const *controllers)
{
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	int r;

	for (size_t i = 0; i < strv_length(controllers); i++)
		strbuf_addf(&all, "%s+%s", i ? " " : "", controllers[i]);
	r = group_write(group, "cgroup.subtree_control", strbuf_text(&all), NULL);
	for (size_t i = 0; r < 0 && i < strv_length(controllers); i++) {
		if (r == -ENOENT || r == -ENODEV)
			return r; /* the group is gone: the caller makes it again */
		group_writef(group, NULL, "cgroup.subtree_control", "+%s", controllers[i]);
	}
	return 0;
}

static int prepare_parent_v2(const struct group *group, struct error *err)
{
	cleanup_strv char **missing = NULL;
	int r = missing_below(group, &missing, err);

	if (r < 0 || strv_length(missing) == 0)
		return r;
	r = pass_on(group, missing);
	return r < 0 ? error_sys(err, r, "prepare cgroup %s", group->path) : 0;
}

static int prepare_group_v2(const struct group *group, struct error *err)
{
	(void)group;
	(void)err;
	return 0; /* what is not set is inherited */
}

/* Find the ancestor that has the controller and does not pass it on, and ask the kernel why. */
static int explain_missing(const struct group *group, const char *controller, struct error *err)
{
	cleanup_free char *path = group_parent_path(group);
	struct group parent = { group->dirs, group->hierarchy, path };
	cleanup_strv char **have = NULL;
	int r = read_words(&parent, "cgroup.controllers", &have, err);

	if (r < 0)
		return r;
	if (!strv_contains(have, controller))
		return *path ? explain_missing(&parent, controller, err)
			     : error_set(err, -ENOTSUP, "it is not available in %s",
				       group->hierarchy->mount_point);
	r = group_writef(&parent, NULL, "cgroup.subtree_control", "+%s", controller);
	if (r == -EBUSY)
		return error_set(err, -ENOTSUP,
			"cgroup '/%s' holds processes itself, and such a one passes no controllers "
			"on (cgroup v2: no internal processes)",
			path);
	if (r < 0)
		return error_set(
			err, -ENOTSUP, "cgroup '/%s' does not pass it on: %s", path, strerror(-r));
	return error_set(err, -ENOTSUP, "somebody switched it off in cgroup '/%s'", path);
}

static bool is_on_demand(const char *controller)
{
	for (size_t i = 0; i < cgroup_driver_v2.controller_count; i++) {
		const struct controller *row = &cgroup_driver_v2.controllers[i];

		if (row->on_demand && strcmp(row->name, controller) == 0)
			return true;
	}
	return false;
}

/* From the root down to the group's parent; what fails is explained by who looks for it. */
static void pass_down(const struct group *group, const char *controller)
{
	cleanup_free char *path = group_parent_path(group);
	struct group parent = { group->dirs, group->hierarchy, path };

	if (*path)
		pass_down(&parent, controller);
	group_writef(&parent, NULL, "cgroup.subtree_control", "+%s", controller);
}

static int require_v2(const struct group *group, const char *controller, struct error *err)
{
	cleanup_strv char **have = NULL;
	int r;

	if (!controller)
		return 0;
	r = read_words(group, "cgroup.controllers", &have, err);
	if (r == 0 && !strv_contains(have, controller) && is_on_demand(controller)) {
		pass_down(group, controller);
		strv_free(steal_ptr(have));
		r = read_words(group, "cgroup.controllers", &have, err);
	}
	if (r < 0)
		return r;
	return strv_contains(have, controller) ? 0 : explain_missing(group, controller, err);
}

/* The file's poll wakes on any change; it must be read before each wait. */
static int wait_event_fd(int fd, const char *line, int64_t deadline, struct error *err)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLPRI };
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		int64_t left = deadline - time_monotonic();
		cleanup_strv char **lines = NULL;
		int r;

		if (lseek(fd, 0, SEEK_SET) < 0)
			return error_sys(err, -errno, "read cgroup.events");
		r = fd_read_all(fd, 4096, &text, err);
		if (r < 0)
			return r;
		lines = strv_split(strbuf_text(&text), "\n");
		if (strv_contains(lines, line))
			return 0;
		if (left <= 0)
			return error_set(err, -ETIMEDOUT, "timed out waiting for '%s'", line);
		poll(&poll_fd, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
	}
}

int group_wait_event(const struct group *group, const char *key, uint64_t value, int64_t deadline,
	struct error *err)
{
	cleanup_free char *line = xasprintf("%s %llu", key, (unsigned long long)value);
	cleanup_fd int fd = group_open(group, "cgroup.events", O_RDONLY, err);

	return fd < 0 ? fd : wait_event_fd(fd, line, deadline, err);
}

static int freeze_v2(const struct group *group, bool frozen, int64_t deadline, struct error *err)
{
	cleanup_error struct error cause = ERROR_INIT;
	int r = group_write(group, "cgroup.freeze", frozen ? "1" : "0", &cause);

	if (r == 0)
		r = group_wait_event(group, "frozen", frozen, deadline, &cause);
	if (r == 0)
		return 0;
	if (frozen)
		group_write(group, "cgroup.freeze", "0", NULL);
	error_move(err, &cause);
	return r;
}

/* Counts the whole subtree. */
static int oom_kills_v2(const struct group *group, uint64_t *ret, struct error *err)
{
	return group_read_key(group, "memory.events", "oom_kill", ret, err);
}

static const struct controller controllers[] = {
	{ CONTROLLER_CPU, "cpu", .apply = apply_cpu, .stats = stats_cpu },
	{ CONTROLLER_CPUSET, "cpuset", .apply = apply_cpuset },
	{ CONTROLLER_MEMORY, "memory", .apply = apply_memory, .stats = stats_memory },
	{ CONTROLLER_PIDS, "pids", .apply = apply_pids, .stats = stats_pids },
	{ CONTROLLER_IO, "io", .apply = apply_io, .stats = stats_io },
	{ CONTROLLER_DEVICES, NULL, .apply = device_bpf_apply },
	{ .kind = CONTROLLER_FREEZER, .name = NULL },
	{ CONTROLLER_HUGEPAGES, "hugetlb", .on_demand = true, .apply = hugepages_apply_v2 },
};

const struct driver cgroup_driver_v2 = {
	.controllers = controllers,
	.controller_count = ARRAY_LEN(controllers),
	.prepare_parent = prepare_parent_v2,
	.prepare_group = prepare_group_v2,
	.require = require_v2,
	.freeze = freeze_v2,
	.oom_kills = oom_kills_v2,
};
