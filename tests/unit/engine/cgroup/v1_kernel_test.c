/* SPDX-License-Identifier: GPL-2.0-or-later
 * v1_kernel_test.c - limits, devices, OOM, freezer, kill and removal on a real v1 or hybrid host.
 */
#include "tests/unit/engine/cgroup/support.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>

#include "engine/base/times.h"

#define MIB (1024 * 1024)

struct fixture {
	struct cgroup_host *host;
	char parent[64];
	struct cgroup *cgroup;
};

static int setup(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct controller *controller;
	const struct hierarchy *memory;

	snprintf(fixture->parent, sizeof(fixture->parent), "mycompose-unit-%d", (int)getpid());
	*state = fixture;
	fixture->host = host_filtered(keep_all);
	if (!fixture->host)
		return 0;
	memory = host_find(fixture->host, CONTROLLER_MEMORY, &controller);
	if (geteuid() != 0 || !memory || memory->driver != &cgroup_driver_v1) {
		cgroup_host_free(steal_ptr(fixture->host));
		return 0;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	cgroup_free(fixture->cgroup);
	if (fixture->host)
		clear_parent(fixture->host, fixture->parent);
	cgroup_host_free(fixture->host);
	free(fixture);
	return 0;
}

static struct fixture *need(void **state)
{
	struct fixture *fixture = *state;

	if (!fixture->host) {
		print_message("needs root and the memory controller of cgroup v1\n");
		skip();
	}
	return fixture;
}

static struct cgroup *create(struct fixture *fixture, const struct cgroup_resources *resources)
{
	cleanup_error struct error err = ERROR_INIT;

	cgroup_free(fixture->cgroup);
	fixture->cgroup = NULL;
	assert_ok(cgroup_create(
			  fixture->host, fixture->parent, "n", resources, &fixture->cgroup, &err),
		err);
	return fixture->cgroup;
}

static void remove_it(struct fixture *fixture)
{
	cleanup_error struct error err = ERROR_INIT;

	assert_ok(cgroup_remove(fixture->host, fixture->parent, "n", &err), err);
	assert_false(parent_exists(fixture->host, fixture->parent));
}

static void assert_file(
	struct fixture *fixture, enum controller_kind kind, const char *file, const char *expected)
{
	cleanup_free char *text = group_text(fixture->host, kind, fixture->cgroup->path, file);

	if (strcmp(text, expected) != 0)
		fail_msg("%s: '%s', not '%s'", file, text, expected);
}

static void each_limit_is_written_before_any_process_joins(void **state)
{
	char cpus[] = "0", mems[] = "0";
	const struct {
		struct cgroup_resources resources;
		enum controller_kind kind;
		const char *file, *expected;
	} rows[] = {
		{ { .memory_limit = 100 * MIB }, CONTROLLER_MEMORY, "memory.limit_in_bytes",
			"104857600" },
		{ { .memory_reservation = 50 * MIB }, CONTROLLER_MEMORY,
			"memory.soft_limit_in_bytes", "52428800" },
		{ { .cpu_shares = 512 }, CONTROLLER_CPU, "cpu.shares", "512" },
		{ { .cpu_permille = 500 }, CONTROLLER_CPU, "cpu.cfs_quota_us", "50000" },
		{ { .cpu_quota_us = 20000, .cpu_period_us = 40000 }, CONTROLLER_CPU,
			"cpu.cfs_period_us", "40000" },
		{ { .cpuset_cpus = cpus }, CONTROLLER_CPUSET, "cpuset.cpus", "0" },
		{ { .cpuset_mems = mems }, CONTROLLER_CPUSET, "cpuset.mems", "0" },
		{ { .pids_limit = 20 }, CONTROLLER_PIDS, "pids.max", "20" },
		{ { .pids_limit = -1 }, CONTROLLER_PIDS, "pids.max", "max" },
		/* row 14.10: memory and swap together */
		{ { .memory_limit = 16 * MIB }, CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes",
			"33554432" },
		{ { .memory_limit = 16 * MIB, .has_memory_swap = true, .memory_swap = 16 * MIB },
			CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", "16777216" },
		{ { .memory_limit = 16 * MIB, .has_memory_swap = true, .memory_swap = -1 },
			CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", "9223372036854771712" },
	};
	struct fixture *fixture = need(state);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_resources resources = rows[i].resources;

		resources.all_devices = true;
		create(fixture, &resources);
		assert_int_equal(cgroup_clone_fd(fixture->cgroup), -1);
		assert_file(fixture, rows[i].kind, rows[i].file, rows[i].expected);
		remove_it(fixture);
	}
}

static void block_weight_is_written_where_the_kernel_has_one(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .blkio_weight = 300 };
	cleanup_free char *bfq = NULL;
	cleanup_free char *plain = NULL;

	create(fixture, &resources);
	bfq = group_text(fixture->host, CONTROLLER_IO, fixture->cgroup->path, "blkio.bfq.weight");
	plain = group_text(fixture->host, CONTROLLER_IO, fixture->cgroup->path, "blkio.weight");
	assert_true(strcmp(bfq, "300") == 0 || strcmp(plain, "300") == 0 ||
		    (strcmp(bfq, "(absent)") == 0 && strcmp(plain, "(absent)") == 0));
}

static void memory_limit_moves_both_ways_past_memsw(void **state)
{
	static const uint64_t limits[] = { 128 * MIB, 32 * MIB, 512 * MIB, 16 * MIB };
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .memory_limit = 64 * MIB };

	create(fixture, &resources);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *limit = xasprintf("%llu", (unsigned long long)limits[i]);
		cleanup_free char *memsw = xasprintf("%llu", (unsigned long long)limits[i] * 2);

		resources.memory_limit = limits[i];
		assert_ok(cgroup_update(fixture->cgroup, &resources, &err), err);
		assert_file(fixture, CONTROLLER_MEMORY, "memory.limit_in_bytes", limit);
		assert_file(fixture, CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", memsw);
	}
}

static void new_cpusets_have_what_their_parent_has(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	create(fixture, &resources);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup_free char *root =
			group_text(fixture->host, CONTROLLER_CPUSET, ".", files[i]);
		cleanup_free char *parent =
			group_text(fixture->host, CONTROLLER_CPUSET, fixture->parent, files[i]);

		assert_true(*root != '\0');
		assert_string_equal(parent, root);
		assert_file(fixture, CONTROLLER_CPUSET, files[i], root);
	}
}

static void a_failed_create_leaves_nothing(void **state)
{
	struct fixture *fixture = need(state);
	char cpus[] = "4000";
	struct cgroup_resources resources = { .all_devices = true, .cpuset_cpus = cpus };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	assert_int_equal(
		cgroup_create(fixture->host, fixture->parent, "n", &resources, &cgroup, &err),
		-EINVAL);
	assert_contains(error_text(&err), "set cpuset: cpuset.cpus: '4000' is not within");
	assert_null(cgroup);
	assert_false(parent_exists(fixture->host, fixture->parent));
}

static void a_missing_controller_is_named(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .memory_limit = 64 * MIB };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_host *host = host_filtered(keep_without_devices);
	struct cgroup *cgroup = NULL;

	assert_int_equal(
		cgroup_create(host, fixture->parent, "n", &resources, &cgroup, &err), -ENOTSUP);
	assert_contains(error_text(&err), "device rules needs the cgroup controller 'devices'");
	assert_false(parent_exists(host, fixture->parent));
	cgroup_host_free(host);
}

static void row_4_2_devices_list_equals_the_wanted_list(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { 0 };
	struct device_rules rules = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf expected = STRBUF_INIT;

	cgroup_default_devices(&resources);
	*array_add(resources.devices, resources.device_count) =
		(struct cgroup_device){ true, 'c', 10, 200, "rw" };
	create(fixture, &resources);
	assert_ok(device_rules_make(&resources, &rules, &err), err);
	for (size_t i = 0; i < rules.count; i++) {
		char text[DEVICE_RULE_MAX];

		device_rule_format(&rules.items[i], text);
		strbuf_addf(&expected, "%s%s", i ? "\n" : "", text);
	}
	assert_file(fixture, CONTROLLER_DEVICES, "devices.list", strbuf_text(&expected));
	free(rules.items);
	cgroup_resources_release(&resources);
}

static void device_rules_change_on_update(void **state)
{
	const struct {
		struct cgroup_resources resources;
		const char *expected;
	} rows[] = {
		{ { .devices = (struct cgroup_device[]){ { true, 'c', 1, 3, "rw" },
			    { true, 'c', 1, 5, "rwm" } },
			  .device_count = 2 },
			"c 1:3 rw\nc 1:5 rwm" },
		{ { .devices = (struct cgroup_device[]){ { true, 'c', 1, 3, "r" } },
			  .device_count = 1 },
			"c 1:3 r" },
		{ { .devices = (struct cgroup_device[]){ { true, 'c', 1, 3, "rwm" } },
			  .device_count = 1 },
			"c 1:3 rwm" },
		{ { .all_devices = true }, "a *:* rwm" },
		{ { .devices = (struct cgroup_device[]){ { true, 'c', 1, 3, "rw" } },
			  .device_count = 1 },
			"c 1:3 rw" },
		{ { 0 }, "" },
	};
	struct fixture *fixture = need(state);

	create(fixture, &rows[0].resources);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;

		assert_ok(cgroup_update(fixture->cgroup, &rows[i].resources, &err), err);
		assert_file(fixture, CONTROLLER_DEVICES, "devices.list", rows[i].expected);
	}
}

static void a_hole_in_a_wider_rule_is_refused_not_opened(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_device rules[] = { { true, 'c', -1, -1, "rw" }, { false, 'c', 1, 1, "rw" } };
	struct cgroup_resources resources = { .devices = rules, .device_count = 2 };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	assert_int_equal(
		cgroup_create(fixture->host, fixture->parent, "n", &resources, &cgroup, &err),
		-ENOTSUP);
	assert_contains(error_text(&err), "c 1:1 rw");
	assert_false(parent_exists(fixture->host, fixture->parent));
}

static void row_4_1_a_disk_node_can_be_made_and_not_opened(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { 0 };

	cgroup_default_devices(&resources);
	create(fixture, &resources);
	assert_int_equal(child_run_in(fixture->cgroup, body_devices), 0);
	cgroup_resources_release(&resources);
}

static int body_eat(void)
{
	char *memory =
		mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; memory != MAP_FAILED && i < 64 * MIB; i += 4096)
		memory[i] = 1;
	return 0;
}

static int body_kill_itself(void)
{
	raise(SIGKILL);
	return 0;
}

static void row_14_9_an_oom_kill_is_told_from_a_kill(void **state)
{
	static const struct {
		int (*body)(void);
		bool oom;
	} rows[] = { { body_eat, true }, { body_kill_itself, false } };
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .memory_limit = 16 * MIB };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		uint64_t count = 77;
		int status;

		create(fixture, &resources);
		status = child_run_in(fixture->cgroup, rows[i].body);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_ok(cgroup_oom_kills(fixture->cgroup, &count, &err), err);
		assert_int_equal(count > 0, rows[i].oom);
		remove_it(fixture);
	}
}

/* Born into the v2 hierarchy where there is one, by its own foot into the others: it must end up
 * where cgroup_attach would have put it. */
static int join_and_compare(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->host->hierarchy_count; i++) {
		struct group group =
			host_group(cgroup->host, &cgroup->host->hierarchies[i], cgroup->path);
		cleanup_free pid_t *pids = NULL;
		size_t count = 0;

		if (i == 0 && cgroup_join(cgroup, NULL) < 0)
			return 1;
		if (group_pids(&group, &pids, &count, NULL) < 0 || count != 1 ||
			pids[0] != getpid())
			return 2;
	}
	return 0;
}

static void a_child_joins_every_hierarchy_by_itself(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	struct clone_args args = { .exit_signal = SIGCHLD };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int birth_fd = -1;
	int status = -1;
	pid_t pid;

	create(fixture, &resources);
	birth_fd = cgroup_birth_fd(fixture->cgroup, &err);
	if (birth_fd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)birth_fd;
	} else {
		assert_int_equal(birth_fd, -ENOENT);
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(join_and_compare(fixture->cgroup));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int body_fork_twice(void)
{
	pid_t pid = fork();

	if (pid == 0)
		pause();
	if (pid < 0 || fork() >= 0)
		return 1;
	return errno == EAGAIN ? 0 : 2;
}

static void pids_limit_stops_the_third_process(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 2 };

	create(fixture, &resources);
	assert_int_equal(child_run_in(fixture->cgroup, body_fork_twice), 0);
}

static void a_frozen_process_does_not_run(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	struct child child;
	int status;

	create(fixture, &resources);
	child = child_start(body_kill_itself);
	assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
	assert_ok(cgroup_freeze(fixture->cgroup, true, &err), err);
	child_go(&child);
	usleep(50000);
	assert_int_equal(waitpid(child.pid, &status, WNOHANG), 0);
	assert_ok(cgroup_freeze(fixture->cgroup, false, &err), err);
	child_wait(&child);
}

/* With cgroup.kill where v2 is mounted beside v1, and without it. */
static void row_13_9_a_fork_bomb_ends_and_its_cgroup_goes(void **state)
{
	bool (*const keeps[])(const char *) = { keep_all, keep_v1 };
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 100 };

	for (size_t i = 0; i < ARRAY_LEN(keeps); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free pid_t *pids = NULL;
		struct child child;
		size_t count = 77;

		cgroup_host_free(fixture->host);
		fixture->host = host_filtered(keeps[i]);
		create(fixture, &resources);
		child = child_start(body_fork_bomb);
		assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
		child_go(&child);
		/* Until it is well under way, however long that takes here. */
		do {
			free(steal_ptr(pids));
			usleep(1000);
			assert_ok(cgroup_pids(fixture->cgroup, &pids, &count, &err), err);
		} while (count <= 10);
		free(steal_ptr(pids));
		assert_ok(cgroup_kill(fixture->cgroup, 15000, &err), err);
		child_wait(&child);
		assert_ok(cgroup_pids(fixture->cgroup, &pids, &count, &err), err);
		assert_int_equal(count, 0);
		remove_it(fixture);
	}
}

static void a_paused_container_can_be_killed(void **state)
{
	bool (*const keeps[])(const char *) = { keep_all, keep_v1 };
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };

	for (size_t i = 0; i < ARRAY_LEN(keeps); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct child child;

		cgroup_host_free(fixture->host);
		fixture->host = host_filtered(keeps[i]);
		create(fixture, &resources);
		child = child_start(body_sleep);
		assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
		child_go(&child);
		assert_ok(cgroup_freeze(fixture->cgroup, true, &err), err);
		assert_ok(cgroup_kill(fixture->cgroup, 10000, &err), err);
		assert_true(WIFSIGNALED(child_wait(&child)));
		remove_it(fixture);
	}
}

static void a_live_cgroup_is_not_taken_over(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 9 };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *second = NULL;
	struct child child;

	create(fixture, &resources);
	child = child_start(body_sleep);
	assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
	assert_int_equal(
		cgroup_create(fixture->host, fixture->parent, "n", &resources, &second, &err),
		-EEXIST);
	assert_file(fixture, CONTROLLER_PIDS, "pids.max", "9");
	assert_file(fixture, CONTROLLER_PIDS, "pids.current", "1");
	kill(child.pid, SIGKILL);
	child_wait(&child);
	close(child.gate_fd);
}

static void an_empty_leftover_is_taken_over_with_fresh_limits(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 9 };
	const struct controller *controller;
	const struct hierarchy *pids = host_find(fixture->host, CONTROLLER_PIDS, &controller);
	cleanup_free char *child = NULL;

	create(fixture, &resources);
	child = xasprintf("%s/child", fixture->cgroup->path);
	assert_int_equal(mkdirat(pids->root_fd, child, 0755), 0);
	resources.pids_limit = 0;
	create(fixture, &resources);
	assert_file(fixture, CONTROLLER_PIDS, "pids.max", "max");
	assert_int_equal(faccessat(pids->root_fd, child, F_OK, 0), -1);
}

static void removal_takes_children_and_absence_for_granted(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	const char *const below[] = { "a", "a/b", "c" };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *again = NULL;

	create(fixture, &resources);
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		cleanup_free char *path = xasprintf("%s/%s", fixture->cgroup->path, below[i]);

		assert_int_equal(mkdirat(fixture->host->hierarchies[0].root_fd, path, 0755), 0);
	}
	remove_it(fixture);
	remove_it(fixture);
	assert_int_equal(cgroup_open(fixture->host, fixture->parent, "n", &again, &err), -ENOENT);
}

static void a_cgroup_with_a_process_in_it_is_not_removed(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *again = NULL;
	struct child child;

	create(fixture, &resources);
	child = child_start(body_sleep);
	assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
	assert_int_equal(cgroup_remove(fixture->host, fixture->parent, "n", &err), -EBUSY);
	assert_ok(cgroup_open(fixture->host, fixture->parent, "n", &again, &err), err);
	assert_ok(cgroup_kill(again, 10000, &err), err);
	cgroup_free(again);
	child_wait(&child);
	close(child.gate_fd);
	remove_it(fixture);
}

/* Each round makes PARENT and takes it away again under the feet of the others. */
static int race(struct fixture *fixture, int number)
{
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 3 };
	cleanup_free char *name = xasprintf("n%d", number);

	for (int i = 0; i < 100; i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct cgroup *cgroup = NULL;

		if (cgroup_create(fixture->host, fixture->parent, name, &resources, &cgroup, &err) <
				0 ||
			cgroup_remove(fixture->host, fixture->parent, name, &err) < 0) {
			fprintf(stderr, "round %d: %s\n", i, error_text(&err));
			return 1;
		}
		cgroup_free(cgroup);
	}
	return 0;
}

static void processes_that_share_the_parent_do_not_trip_each_other(void **state)
{
	struct fixture *fixture = need(state);
	pid_t pids[4];

	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(race(fixture, i));
	}
	for (int i = 0; i < 4; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_false(parent_exists(fixture->host, fixture->parent));
}

static int body_work(void)
{
	int64_t end = time_monotonic() + 100 * NS_PER_MS;

	while (time_monotonic() < end)
		;
	body_eat();
	return body_sleep();
}

static void stats_count_a_busy_process(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .memory_limit = 128 * MIB };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_stats stats;
	struct child child;

	create(fixture, &resources);
	child = child_start(body_work);
	assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
	child_go(&child);
	for (int tries = 0; tries < 1000; tries++) { /* until it has eaten */
		assert_ok(cgroup_stats_read(fixture->cgroup, &stats, &err), err);
		if (stats.memory_usage > 60 * MIB)
			break;
		usleep(20000);
	}
	assert_true(stats.cpu_usage_ns > 20 * NS_PER_MS);
	assert_true(stats.memory_usage > 60 * MIB && stats.memory_usage < 128 * MIB);
	assert_int_equal(stats.memory_limit, 128 * MIB);
	assert_int_equal(stats.pids, 1);
	assert_ok(cgroup_kill(fixture->cgroup, 10000, &err), err);
	child_wait(&child);
	resources.memory_limit = 0;
	create(fixture, &resources);
	assert_ok(cgroup_stats_read(fixture->cgroup, &stats, &err), err);
	assert_true(stats.memory_limit == UINT64_MAX);
}

static const struct cgroup_host *view_host; /* for the body, which takes no argument */

/* Own namespace, own view: the group is the root of it, and nothing in it can be written. */
static int look_at_view(void)
{
	static const char target[] = "/tmp";
	cleanup_free char *limit = NULL;
	cleanup_fd int target_fd = -1;

	if (unshare(CLONE_NEWCGROUP | CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	target_fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cgroup_mount_view(view_host, target_fd, true) != 0)
		return 2;
	limit = read_text(AT_FDCWD, "/tmp/memory/memory.limit_in_bytes");
	if (strcmp(limit, "33554432") != 0)
		return 3;
	if (open_errno("/tmp/memory/memory.limit_in_bytes", O_WRONLY) != EROFS)
		return 4;
	/* row 3.9: release_agent is of the hierarchy's root only */
	if (open_errno("/tmp/memory/release_agent", O_WRONLY) == 0)
		return 5;
	return mkdir("/tmp/x", 0755) < 0 && errno == EROFS ? 0 : 6;
}

static void row_3_9_the_view_is_read_only_and_starts_at_the_own_group(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .memory_limit = 32 * MIB };

	create(fixture, &resources);
	view_host = fixture->host;
	assert_int_equal(child_run_in(fixture->cgroup, look_at_view), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_limit_is_written_before_any_process_joins),
		TEST(block_weight_is_written_where_the_kernel_has_one),
		TEST(memory_limit_moves_both_ways_past_memsw),
		TEST(new_cpusets_have_what_their_parent_has),
		TEST(a_failed_create_leaves_nothing),
		TEST(a_missing_controller_is_named),
		TEST(row_4_2_devices_list_equals_the_wanted_list),
		TEST(device_rules_change_on_update),
		TEST(a_hole_in_a_wider_rule_is_refused_not_opened),
		TEST(row_4_1_a_disk_node_can_be_made_and_not_opened),
		TEST(row_14_9_an_oom_kill_is_told_from_a_kill),
		TEST(a_child_joins_every_hierarchy_by_itself),
		TEST(pids_limit_stops_the_third_process),
		TEST(a_frozen_process_does_not_run),
		TEST(row_13_9_a_fork_bomb_ends_and_its_cgroup_goes),
		TEST(a_paused_container_can_be_killed),
		TEST(a_live_cgroup_is_not_taken_over),
		TEST(an_empty_leftover_is_taken_over_with_fresh_limits),
		TEST(removal_takes_children_and_absence_for_granted),
		TEST(a_cgroup_with_a_process_in_it_is_not_removed),
		TEST(processes_that_share_the_parent_do_not_trip_each_other),
		TEST(stats_count_a_busy_process),
		TEST(row_3_9_the_view_is_read_only_and_starts_at_the_own_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
