/* SPDX-License-Identifier: GPL-2.0-or-later
 * v1.c - the driver for cgroup v1: each controller with a hierarchy and a habit of its own.
 * Rules: the kernel's Documentation/admin-guide/cgroup-v1/. */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/log.h"
#include "engine/base/numbers.h"
#include "engine/base/times.h"

static int write_memsw(const struct group *group, int64_t memsw, struct error *err)
{
	return group_writef(group, err, "memory.memsw.limit_in_bytes", "%lld", (long long)memsw);
}

/* The kernel keeps limit <= memsw at every moment (EINVAL): upwards memsw goes first, downwards the
 * limit. */
static int write_memory_limits(
	const struct group *group, uint64_t limit, int64_t memsw, bool fresh, struct error *err)
{
	uint64_t memsw_now = UINT64_MAX;
	bool memsw_first;
	int r = 0;

	if (!fresh)
		r = group_read_u64(group, "memory.memsw.limit_in_bytes", &memsw_now, err);
	if (r < 0)
		return r;
	memsw_first = limit > memsw_now;
	if (memsw_first)
		r = write_memsw(group, memsw, err);
	if (r == 0)
		r = group_writef(
			group, err, "memory.limit_in_bytes", "%llu", (unsigned long long)limit);
	if (r == 0 && !memsw_first)
		r = write_memsw(group, memsw, err);
	return r;
}

static int apply_memory_limit(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	bool swap_is_counted = group_has(group, "memory.memsw.limit_in_bytes");

	if (!resources->memory_limit)
		return !fresh && swap_is_counted && resources->memory_swap == -1
			       ? write_memsw(group, -1, err)
			       : 0;
	if (!swap_is_counted)
		return group_writef(group, err, "memory.limit_in_bytes", "%llu",
			(unsigned long long)resources->memory_limit);
	return write_memory_limits(
		group, resources->memory_limit, resources_memory_and_swap(resources), fresh, err);
}

/* What a kernel lacks of these was told when the container was made, see unsupported.c. */
static int apply_swappiness(
	const struct group *group, const struct cgroup_resources *resources, struct error *err)
{
	if (!resources->has_memory_swappiness || !group_has(group, "memory.swappiness"))
		return 0;
	return group_writef(
		group, err, "memory.swappiness", "%lld", (long long)resources->memory_swappiness);
}

static int apply_oom_control(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	if ((!resources->oom_kill_disable && fresh) || !group_has(group, "memory.oom_control"))
		return 0;
	return group_write(
		group, "memory.oom_control", resources->oom_kill_disable ? "1" : "0", err);
}

static int apply_memory(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = apply_memory_limit(group, resources, fresh, err);

	if (r == 0 && resources->memory_reservation)
		r = group_writef(group, err, "memory.soft_limit_in_bytes", "%llu",
			(unsigned long long)resources->memory_reservation);
	if (r == 0)
		r = apply_swappiness(group, resources, err);
	return r < 0 ? r : apply_oom_control(group, resources, fresh, err);
}

/* The budgets of all children come out of their parent's (sched-rt-group.rst), and PARENT, which we
 * made, begins with none: it gets as much more, measured by its own period. */
static int raise_parent_budget(const struct group *group, int64_t wanted, struct error *err)
{
	cleanup_free char *path = group_parent_path(group);
	struct group parent = { group->dirs, group->hierarchy, path };
	uint64_t now, period = 0, parent_period;
	int r;

	if (!*path)
		return 0;
	r = group_read_u64(&parent, "cpu.rt_runtime_us", &now, err);
	if (r == 0)
		r = group_read_u64(&parent, "cpu.rt_period_us", &parent_period, err);
	if (r == 0)
		r = group_read_u64(group, "cpu.rt_period_us", &period, err);
	if (r < 0 || period == 0)
		return r;
	now += ((uint64_t)wanted * parent_period + period - 1) / period;
	return group_writef(&parent, err, "cpu.rt_runtime_us", "%llu", (unsigned long long)now);
}

static int write_budget(const struct group *group, int64_t runtime_us, struct error *err)
{
	return group_writef(group, err, "cpu.rt_runtime_us", "%lld", (long long)runtime_us);
}

/* What ended containers had of PARENT's budget is there for the next: raised is it only where that
 * is not enough, or restarts would use up the host's. */
static int take_budget(const struct group *group, int64_t runtime_us, struct error *err)
{
	int r;

	if (write_budget(group, runtime_us, NULL) == 0)
		return 0;
	r = raise_parent_budget(group, runtime_us, err);
	return r < 0 ? r : write_budget(group, runtime_us, err);
}

static int apply_real_time(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = 0;

	if (!resources->cpu_rt_period_us && !resources->cpu_rt_runtime_us)
		return 0;
	if (!group_has(group, "cpu.rt_runtime_us"))
		return error_set(err, -ENOTSUP,
			"this kernel does not support the CPU real-time scheduler in cgroups "
			"(CONFIG_RT_GROUP_SCHED)");
	if (resources->cpu_rt_period_us)
		r = group_writef(group, err, "cpu.rt_period_us", "%llu",
			(unsigned long long)resources->cpu_rt_period_us);
	if (r < 0 || !resources->cpu_rt_runtime_us)
		return r;
	r = fresh ? take_budget(group, resources->cpu_rt_runtime_us, err)
		  : write_budget(group, resources->cpu_rt_runtime_us, err);
	return r == -EINVAL ? error_wrap(err, "the group above has not that much real-time budget")
			    : r;
}

static int apply_bandwidth(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int64_t quota;
	uint64_t period;
	int r = 0;

	(void)fresh;
	if (resources->cpu_shares)
		r = group_writef(group, err, "cpu.shares", "%llu",
			(unsigned long long)resources->cpu_shares);
	if (r < 0 || !resources_cpu_quota(resources, &quota, &period))
		return r;
	if (!group_has(group, "cpu.cfs_quota_us"))
		return error_set(err, -ENOTSUP,
			"this kernel is built without CPU bandwidth control "
			"(CONFIG_CFS_BANDWIDTH)");
	r = group_writef(group, err, "cpu.cfs_period_us", "%llu", (unsigned long long)period);
	if (r == 0)
		r = group_writef(group, err, "cpu.cfs_quota_us", "%lld", (long long)quota);
	return r;
}

static int apply_cpu(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = apply_bandwidth(group, resources, fresh, err);

	return r < 0 ? r : apply_real_time(group, resources, fresh, err);
}

static int apply_cpuset(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = 0;

	(void)fresh;
	if (resources->cpuset_cpus)
		r = cpuset_apply(group, "cpuset.cpus", "cpuset.cpus", resources->cpuset_cpus, err);
	if (r == 0 && resources->cpuset_mems)
		r = cpuset_apply(group, "cpuset.mems", "cpuset.mems", resources->cpuset_mems, err);
	return r;
}

static int apply_pids(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	(void)fresh;
	if (!resources->pids_limit)
		return 0;
	if (resources->pids_limit < 0)
		return group_write(group, "pids.max", "max", err);
	return group_writef(group, err, "pids.max", "%lld", (long long)resources->pids_limit);
}

static int apply_weight(
	const struct group *group, const struct cgroup_resources *resources, struct error *err)
{
	static const char *const files[] = { "blkio.bfq.weight", "blkio.weight" };

	if (!resources->blkio_weight)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (group_has(group, files[i]))
			return group_writef(group, err, files[i], "%u", resources->blkio_weight);
	}
	log_warning("this kernel has no block I/O weights: blkio_config.weight has no effect");
	return 0;
}

static int apply_io(const struct group *group, const struct cgroup_resources *resources, bool fresh,
	struct error *err)
{
	int r = apply_weight(group, resources, err);

	(void)fresh;
	return r < 0 ? r : io_limits_apply_v1(group, resources, err);
}

#define EVERY_DEVICE "a *:* rwm"

static int write_rules(const struct group *group, const struct device_rules *rules,
	char *const *listed, struct error *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		char text[DEVICE_RULE_MAX];
		int r;

		device_rule_format(&rules->items[i], text);
		if (strv_contains(listed, text))
			continue;
		r = group_write(group, "devices.allow", text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is listed and not among the rules goes; a listed rule that grew is the same exception. */
static int withdraw_rules(const struct group *group, const struct device_rules *rules,
	char *const *listed, struct error *err)
{
	cleanup_strv char **wanted = NULL;

	for (size_t i = 0; i < rules->count; i++) {
		char text[DEVICE_RULE_MAX];

		device_rule_format(&rules->items[i], text);
		strv_add(&wanted, text);
	}
	for (size_t i = 0; i < strv_length(listed); i++) {
		int r;

		if (strv_contains(wanted, listed[i]))
			continue;
		r = group_write(group, "devices.deny", listed[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A list of exceptions cannot have a hole; to leave the hole out would open what was denied. */
static int check_rules(const struct device_rules *rules, struct error *err)
{
	for (size_t i = 0; i < rules->count; i++) {
		char text[DEVICE_RULE_MAX];

		if (rules->items[i].allow)
			continue;
		device_rule_format(&rules->items[i], text);
		return error_set(err, -ENOTSUP,
			"device rule: cgroup v1 cannot deny '%s' within a wider rule that allows "
			"it",
			text);
	}
	return 0;
}

/* An update withdraws first what is no longer allowed and never denies all: a running process
 * would see its /dev/null refused in between. Withdrawn first, because a rule that shrank has the
 * same major and minor as its new form, and deny takes letters away from that exception. */
static int write_device_list(
	const struct group *group, const struct device_rules *rules, bool fresh, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **listed = NULL;
	int r;

	r = check_rules(rules, err);
	if (r == 0 && !fresh)
		r = group_read(group, "devices.list", &text, err);
	if (r < 0)
		return r;
	if (text)
		listed = strv_split(text, "\n");
	if (fresh || strv_contains(listed, EVERY_DEVICE)) {
		strv_free(steal_ptr(listed));
		r = group_write(group, "devices.deny", "a", err);
	} else {
		r = withdraw_rules(group, rules, listed, err);
	}
	return r < 0 ? r : write_rules(group, rules, listed, err);
}

static int apply_devices(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	struct device_rules rules = { 0 };
	int r;

	if (resources->all_devices)
		return fresh ? 0 : group_write(group, "devices.allow", "a", err);
	r = device_rules_make(resources, &rules, err);
	if (r == 0)
		r = write_device_list(group, &rules, fresh, err);
	free(rules.items);
	return r;
}

static int stats_cpuacct(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	return group_read_u64(group, "cpuacct.usage", &stats->cpu_usage_ns, err);
}

static int stats_memory(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	uint64_t usage, inactive, limit;
	int r;

	r = group_read_u64(group, "memory.usage_in_bytes", &usage, err);
	if (r == 0)
		r = group_read_key(group, "memory.stat", "total_inactive_file", &inactive, err);
	if (r == 0)
		r = group_read_u64(group, "memory.limit_in_bytes", &limit, err);
	if (r < 0)
		return r;
	stats->memory_usage = usage > inactive ? usage - inactive : usage;
	/* "unlimited" is LONG_MAX rounded down to a page, whatever size that has here */
	stats->memory_limit = limit >= (uint64_t)INT64_MAX - 0xffff ? UINT64_MAX : limit;
	return 0;
}

static int stats_pids(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	return group_read_u64(group, "pids.current", &stats->pids, err);
}

/* "8:0 Read 4096", one line for each device and operation. */
static void add_io_line(const char *line, struct cgroup_stats *stats)
{
	cleanup_strv char **fields = strv_split(line, " ");
	uint64_t bytes;

	if (strv_length(fields) != 3 || parse_u64(fields[2], 0, UINT64_MAX, &bytes) < 0)
		return;
	if (strcmp(fields[1], "Read") == 0)
		stats->io_read_bytes += bytes;
	else if (strcmp(fields[1], "Write") == 0)
		stats->io_write_bytes += bytes;
}

static int stats_io(const struct group *group, struct cgroup_stats *stats, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **lines = NULL;
	int r = group_read(group, "blkio.throttle.io_service_bytes_recursive", &text, err);

	if (r < 0)
		return r;
	lines = strv_split(text, "\n");
	for (size_t i = 0; i < strv_length(lines); i++)
		add_io_line(lines[i], stats);
	return 0;
}

/* A new cpuset is empty and takes no process (ENOSPC): it gets what its parent has. Of two
 * processes that find it empty both write the same. */
static int inherit_cpuset(const struct group *group, const char *file, struct error *err)
{
	cleanup_free char *parent_path = group_parent_path(group);
	struct group parent = { group->dirs, group->hierarchy, parent_path };
	cleanup_free char *own = NULL;
	cleanup_free char *inherited = NULL;
	int r = group_read(group, file, &own, err);

	if (r < 0 || own[strspn(own, "\n")])
		return r;
	r = group_read(&parent, file, &inherited, err);
	if (r < 0)
		return r;
	inherited[strcspn(inherited, "\n")] = '\0';
	return group_write(group, file, inherited, err);
}

static int prepare_v1(const struct group *group, struct error *err)
{
	int r;

	if (!*group->path || !strv_contains(group->hierarchy->controllers, "cpuset"))
		return 0;
	r = inherit_cpuset(group, "cpuset.cpus", err);
	return r < 0 ? r : inherit_cpuset(group, "cpuset.mems", err);
}

static int require_v1(const struct group *group, const char *controller, struct error *err)
{
	(void)group;
	(void)controller;
	(void)err;
	return 0; /* a hierarchy's controllers are in each of its groups */
}

static int read_freezer(
	const struct group *group, bool *ret_settled, bool frozen, struct error *err)
{
	cleanup_free char *state = NULL;
	int r = group_read(group, "freezer.state", &state, err);

	if (r < 0)
		return r;
	*ret_settled = strcmp(state, frozen ? "FROZEN\n" : "THAWED\n") == 0;
	return 0;
}

/* The state stays FREEZING as long as a process forks away or sleeps in the kernel; writing FROZEN
 * again makes the kernel look again. */
static int freeze_v1(const struct group *group, bool frozen, int64_t deadline, struct error *err)
{
	const struct timespec pause = { 0, NS_PER_MS };

	for (;;) {
		bool settled = false;
		int r = group_write(group, "freezer.state", frozen ? "FROZEN" : "THAWED", err);

		if (r == 0)
			r = read_freezer(group, &settled, frozen, err);
		if (r < 0 || settled)
			return r;
		if (time_monotonic() >= deadline)
			break;
		nanosleep(&pause, NULL);
	}
	if (frozen)
		group_write(group, "freezer.state", "THAWED", NULL);
	return error_set(err, -ETIMEDOUT, "%s %s: the kernel does not get to it",
		frozen ? "freeze" : "thaw", group->path);
}

static int add_oom_kills(const struct group *group, void *data, struct error *err)
{
	uint64_t *sum = data;
	uint64_t count = 0;
	int r = group_read_key(group, "memory.oom_control", "oom_kill", &count, err);

	if (r == 0)
		*sum += count;
	return r;
}

/* v1 counts each group alone. */
static int oom_kills_v1(const struct group *group, uint64_t *ret, struct error *err)
{
	uint64_t sum = 0;
	int r = group_walk(group, add_oom_kills, &sum, err);

	if (r == 0)
		*ret = sum;
	return r;
}

static const struct controller controllers[] = {
	{ CONTROLLER_CPU, "cpu", .apply = apply_cpu },
	{ CONTROLLER_CPUACCT, "cpuacct", .stats = stats_cpuacct },
	{ CONTROLLER_CPUSET, "cpuset", .apply = apply_cpuset },
	{ CONTROLLER_MEMORY, "memory", .apply = apply_memory, .stats = stats_memory },
	{ CONTROLLER_PIDS, "pids", .apply = apply_pids, .stats = stats_pids },
	{ CONTROLLER_IO, "blkio", .apply = apply_io, .stats = stats_io },
	{ CONTROLLER_DEVICES, "devices", .apply = apply_devices },
	{ .kind = CONTROLLER_FREEZER, .name = "freezer" },
	{ CONTROLLER_HUGEPAGES, "hugetlb", .on_demand = true, .apply = hugepages_apply_v1 },
};

const struct driver cgroup_driver_v1 = {
	.controllers = controllers,
	.controller_count = ARRAY_LEN(controllers),
	.prepare_parent = prepare_v1,
	.prepare_group = prepare_v1,
	.require = require_v1,
	.freeze = freeze_v1,
	.oom_kills = oom_kills_v1,
};
