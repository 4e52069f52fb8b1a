/* SPDX-License-Identifier: GPL-2.0-or-later
 * v2_files_test.c - what the v2 driver writes where, on a directory tree that stands for a kernel
 * with all controllers. What only a kernel can show is in v2_kernel_test.c. */
#include "tests/unit/engine/cgroup/support.h"

static const char *const group_files[] = { "cgroup.procs", "cgroup.subtree_control", "cpu.max",
	"cpu.weight", "cpuset.cpus", "cpuset.mems", "io.max", "io.weight", "memory.low",
	"memory.max", "memory.swap.max", "pids.max" };

static const struct {
	const char *file, *text;
} group_texts[] = {
	{ "cpuset.cpus.effective", "0-3\n" },
	{ "cpuset.mems.effective", "0\n" },
	{ "cpu.stat", "usage_usec 1500\nuser_usec 1\n" },
	{ "memory.current", "5000\n" },
	{ "memory.stat", "anon 1\ninactive_file_x 7\ninactive_file 1000\n" },
	{ "memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 9\n" },
	{ "pids.current", "4\n" },
	{ "io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n"
		     "8:16 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n" },
};

static void put(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A group has those controllers that its parent passes on. */
static char *passed_on(int root_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *file = xasprintf("%.*s%scgroup.subtree_control",
		slash ? (int)(slash - path) : 0, path, slash ? "/" : "");
	char *text = read_text(root_fd, file);

	for (char *c = text; *c; c++)
		*c = *c == '+' ? ' ' : *c;
	return text;
}

static int fake_make(int root_fd, const char *path)
{
	cleanup_free char *controllers = NULL;
	cleanup_free char *controllers_file = xasprintf("%s/cgroup.controllers", path);

	if (mkdirat(root_fd, path, 0755) < 0)
		return -errno;
	controllers = passed_on(root_fd, path);
	put(root_fd, controllers_file, controllers);
	for (size_t i = 0; i < ARRAY_LEN(group_files); i++) {
		cleanup_free char *file = xasprintf("%s/%s", path, group_files[i]);

		put(root_fd, file, "");
	}
	for (size_t i = 0; i < ARRAY_LEN(group_texts); i++) {
		cleanup_free char *file = xasprintf("%s/%s", path, group_texts[i].file);

		put(root_fd, file, group_texts[i].text);
	}
	return 0;
}

static int fake_remove(int root_fd, const char *path)
{
	cleanup_strv char **names = NULL;

	if (dir_list(root_fd, path, &names, NULL) < 0)
		return -ENOENT;
	for (size_t i = 0; i < strv_length(names); i++) {
		cleanup_free char *file = xasprintf("%s/%s", path, names[i]);
		struct stat st;

		if (fstatat(root_fd, file, &st, 0) == 0 && S_ISDIR(st.st_mode))
			return -EBUSY;
	}
	return tree_remove(root_fd, path, NULL) < 0 ? -EIO : strv_length(names) ? 0 : -ENOENT;
}

static const struct cgroup_dirs fake_dirs = { fake_make, fake_remove };

struct fixture {
	char root[64];
	int root_fd;
	struct cgroup_host *host;
};

static int setup(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	cleanup_free char *mountinfo = NULL;
	struct stat st;

	snprintf(fixture->root, sizeof(fixture->root), "/tmp/mycompose-unit-v2-XXXXXX");
	if (!mkdtemp(fixture->root) || stat(fixture->root, &st) < 0)
		return -1;
	fixture->root_fd = open(fixture->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(fixture->root_fd, "cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma\n");
	put(fixture->root_fd, "cgroup.subtree_control", "");
	mountinfo = xasprintf("36 35 %u:%u / %s rw - cgroup2 cgroup2 rw\n", major(st.st_dev),
		minor(st.st_dev), fixture->root);
	*state = fixture;
	return cgroup_host_from_text(mountinfo, "", &fake_dirs, &fixture->host, NULL);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	cgroup_host_free(fixture->host);
	close(fixture->root_fd);
	tree_remove(AT_FDCWD, fixture->root, NULL);
	free(fixture);
	return 0;
}

static struct cgroup *create(struct fixture *fixture, const struct cgroup_resources *resources)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	assert_true(cgroup_host_is_v2(fixture->host));
	assert_ok(cgroup_create(fixture->host, "p", "n", resources, &cgroup, &err), err);
	return cgroup;
}

static void each_limit_goes_to_its_file(void **state)
{
	char cpus[] = "1-2", mems[] = "0";
	const struct {
		struct cgroup_resources resources;
		const char *file, *expected;
	} rows[] = {
		{ { .memory_limit = 1048576 }, "memory.max", "1048576" },
		{ { .memory_reservation = 4096 }, "memory.low", "4096" },
		/* row 14.10: swap alone */
		{ { .memory_limit = 1000 }, "memory.swap.max", "1000" },
		{ { .memory_limit = 1000, .has_memory_swap = true, .memory_swap = 1500 },
			"memory.swap.max", "500" },
		{ { .memory_limit = 1000, .has_memory_swap = true, .memory_swap = 1000 },
			"memory.swap.max", "0" },
		{ { .memory_limit = 1000, .has_memory_swap = true, .memory_swap = -1 },
			"memory.swap.max", "max" },
		{ { .cpu_permille = 500 }, "cpu.max", "50000 100000" },
		{ { .cpu_quota_us = -1 }, "cpu.max", "max 100000" },
		{ { .cpu_shares = 512 }, "cpu.weight", "59" },
		{ { .cpuset_cpus = cpus }, "cpuset.cpus", "1-2" },
		{ { .cpuset_mems = mems }, "cpuset.mems", "0" },
		{ { .pids_limit = 20 }, "pids.max", "20" },
		{ { .pids_limit = -1 }, "pids.max", "max" },
		{ { .blkio_weight = 505 }, "io.weight", "default 5000" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_resources resources = rows[i].resources;
		cleanup_free char *path = xasprintf("p/n/%s", rows[i].file);
		cleanup_free char *text = NULL;

		resources.all_devices = true;
		cgroup_free(create(fixture, &resources));
		text = read_text(fixture->root_fd, path);
		assert_string_equal(text, rows[i].expected);
		assert_int_equal(cgroup_remove(fixture->host, "p", "n", NULL), 0);
		assert_false(parent_exists(fixture->host, "p"));
	}
}

static void limits_of_block_devices_are_written_with_their_numbers(void **state)
{
	static const struct {
		enum cgroup_io_kind kind;
		uint64_t value;
		const char *file, *expected;
	} rows[] = {
		{ CGROUP_IO_WEIGHT, 505, "io.weight", "7:200 5000" },
		{ CGROUP_IO_READ_BPS, 1 << 20, "io.max", "7:200 rbps=1048576" },
		{ CGROUP_IO_WRITE_BPS, 5, "io.max", "7:200 wbps=5" },
		{ CGROUP_IO_READ_IOPS, 6, "io.max", "7:200 riops=6" },
		{ CGROUP_IO_WRITE_IOPS, 7, "io.max", "7:200 wiops=7" },
		{ CGROUP_IO_WRITE_IOPS, 0, "io.max", "" },
	};
	struct fixture *fixture = *state;
	cleanup_free char *node = xasprintf("%s/disk", fixture->root);

	if (mknod(node, S_IFBLK | 0600, makedev(7, 200)) < 0)
		skip(); /* needs privilege: CAP_MKNOD */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_io_limit limit = { rows[i].kind, node, rows[i].value };
		struct cgroup_resources resources = {
			.all_devices = true, .io_limits = &limit, .io_limit_count = 1
		};
		cleanup_free char *path = xasprintf("p/n/%s", rows[i].file);
		cleanup_free char *text = NULL;

		cgroup_free(create(fixture, &resources));
		text = read_text(fixture->root_fd, path);
		assert_string_equal(text, rows[i].expected);
		assert_int_equal(cgroup_remove(fixture->host, "p", "n", NULL), 0);
	}
}

/* The controller is switched on from the root down when the first asks for it. */
static void huge_pages_are_limited_on_demand(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_hugepages pages[] = { { 2 << 20, 64 << 20 }, { 1 << 30, 0 } };
	struct cgroup_resources none = { .all_devices = true };
	struct cgroup_resources some = { .hugepages = pages, .hugepages_count = ARRAY_LEN(pages) };
	cleanup_error struct error err = ERROR_INIT;
	const struct controller *controller;
	const struct hierarchy *hierarchy =
		host_find(fixture->host, CONTROLLER_HUGEPAGES, &controller);
	struct group group = host_group(fixture->host, hierarchy, "p/n");
	cleanup_free char *root = NULL, *parent = NULL, *used = NULL, *reserved = NULL;

	cgroup_free(create(fixture, &none));
	root = read_text(fixture->root_fd, "cgroup.subtree_control");
	assert_null(strstr(root, "hugetlb"));
	free(root);
	/* What is passed on here reaches no group that is there already. */
	assert_int_equal(hierarchy->driver->require(&group, controller->name, &err), -ENOTSUP);
	root = read_text(fixture->root_fd, "cgroup.subtree_control");
	parent = read_text(fixture->root_fd, "p/cgroup.subtree_control");
	assert_non_null(strstr(root, "hugetlb"));
	assert_non_null(strstr(parent, "hugetlb"));

	put(fixture->root_fd, "p/n/hugetlb.2MB.max", "max\n");
	put(fixture->root_fd, "p/n/hugetlb.2MB.rsvd.max", "max\n");
	error_release(&err);
	assert_int_equal(controller->apply(&group, &some, true, &err), -EINVAL);
	assert_string_equal(error_text(&err), "this kernel has no huge pages of 1GB");
	put(fixture->root_fd, "p/n/hugetlb.1GB.max", "max\n");
	error_release(&err);
	assert_ok(controller->apply(&group, &some, true, &err), err);
	used = read_text(fixture->root_fd, "p/n/hugetlb.2MB.max");
	reserved = read_text(fixture->root_fd, "p/n/hugetlb.2MB.rsvd.max");
	assert_string_equal(used, "67108864");
	assert_string_equal(reserved, "67108864");
}

static void what_is_no_block_device_cannot_be_limited(void **state)
{
	static char missing[] = "/dev/there-is-none", plain[] = "/dev/null";
	char *const paths[] = { missing, plain };
	static const char *const messages[] = { "No such file", "is no block device" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct cgroup_io_limit limit = { CGROUP_IO_READ_BPS, paths[i], 9 };
		struct cgroup_resources resources = {
			.all_devices = true, .io_limits = &limit, .io_limit_count = 1
		};
		cleanup_error struct error err = ERROR_INIT;
		struct cgroup *cgroup = NULL;

		assert_true(cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err) < 0);
		assert_contains(error_text(&err), "blkio_config.device_read_bps");
		assert_contains(error_text(&err), messages[i]);
	}
}

static void real_time_scheduling_is_no_matter_of_v2(void **state)
{
	struct cgroup_resources resources = { .all_devices = true, .cpu_rt_runtime_us = 5000 };
	struct fixture *fixture = *state;
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	assert_int_equal(
		cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err), -ENOTSUP);
	assert_contains(error_text(&err), "cpu_rt_runtime");
}

static void controllers_we_use_are_passed_down_level_by_level(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 3 };
	cleanup_error struct error err = ERROR_INIT;
	static const char *const files[] = { "cgroup.subtree_control", "a/cgroup.subtree_control",
		"a/b/cgroup.subtree_control" };
	cleanup_free char *leaf = NULL;
	struct cgroup *cgroup = NULL;

	assert_ok(cgroup_create(fixture->host, "a/b", "n", &resources, &cgroup, &err), err);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup_free char *text = read_text(fixture->root_fd, files[i]);

		assert_string_equal(text, "+cpu +cpuset +memory +pids +io");
	}
	/* the group itself passes nothing on: it holds processes */
	leaf = read_text(fixture->root_fd, "a/b/n/cgroup.subtree_control");
	assert_string_equal(leaf, "");
	assert_true(cgroup_clone_fd(cgroup) >= 0);
	cgroup_free(cgroup);
}

static void a_controller_that_is_not_passed_on_is_told_with_the_reason(void **state)
{
	/* A file of proc that reads as a number and takes no write stands for one the kernel
	 * refuses. */
	static const struct {
		const char *controllers, *subtree_control, *reason;
	} rows[] = {
		{ "cpu", "/proc/self/sessionid", "not available in" },
		{ "cpu memory", "/proc/self/oom_score", "does not pass it on" },
	};
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true, .memory_limit = 1 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct cgroup *cgroup = NULL;

		put(fixture->root_fd, "cgroup.controllers", rows[i].controllers);
		unlinkat(fixture->root_fd, "cgroup.subtree_control", 0);
		assert_int_equal(symlinkat(rows[i].subtree_control, fixture->root_fd,
					 "cgroup.subtree_control"),
			0);
		assert_int_equal(cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err),
			-ENOTSUP);
		assert_contains(error_text(&err), "mem_limit needs the cgroup controller 'memory'");
		assert_contains(error_text(&err), rows[i].reason);
		assert_false(parent_exists(fixture->host, "p"));
	}
}

static void row_14_9_oom_kills_come_from_memory_events(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = create(fixture, &resources);
	uint64_t count = 0;

	assert_ok(cgroup_oom_kills(cgroup, &count, &err), err);
	assert_int_equal(count, 2);
	unlinkat(fixture->root_fd, "p/n/memory.events", 0);
	assert_ok(cgroup_oom_kills(cgroup, &count, &err), err);
	assert_int_equal(count, 0);
	cgroup_free(cgroup);
}

static void stats_leave_out_inactive_page_cache(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = create(fixture, &resources);
	struct cgroup_stats stats;

	put(fixture->root_fd, "p/n/memory.max", "max\n");
	assert_ok(cgroup_stats_read(cgroup, &stats, &err), err);
	assert_int_equal(stats.cpu_usage_ns, 1500000);
	assert_int_equal(stats.memory_usage, 4000);
	assert_true(stats.memory_limit == UINT64_MAX);
	assert_int_equal(stats.pids, 4);
	assert_int_equal(stats.io_read_bytes, 11);
	assert_int_equal(stats.io_write_bytes, 22);
	put(fixture->root_fd, "p/n/memory.max", "65536\n");
	unlinkat(fixture->root_fd, "p/n/io.stat", 0);
	assert_ok(cgroup_stats_read(cgroup, &stats, &err), err);
	assert_int_equal(stats.memory_limit, 65536);
	assert_int_equal(stats.io_read_bytes, 0);
	cgroup_free(cgroup);
}

static void cpus_that_are_not_there_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char cpus[] = "3-4";
	struct cgroup_resources resources = { .all_devices = true, .cpuset_cpus = cpus };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	assert_int_equal(
		cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err), -EINVAL);
	assert_contains(error_text(&err), "'3-4' is not within what is there, '0-3'");
	assert_false(parent_exists(fixture->host, "p"));
}

/* A plain directory takes no program: that must stop the start, not open every device. */
static void row_4_3_attach_failure_rejects_start(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	cgroup_default_devices(&resources);
	assert_true(cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err) < 0);
	assert_contains(error_text(&err), "device rules");
	assert_null(cgroup);
	assert_false(parent_exists(fixture->host, "p"));
	cgroup_resources_release(&resources);
}

static void a_group_in_use_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 9 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	struct cgroup *cgroup = NULL;

	cgroup_free(create(fixture, &resources));
	put(fixture->root_fd, "p/n/cgroup.procs", "1234\n");
	resources.pids_limit = 5;
	assert_int_equal(
		cgroup_create(fixture->host, "p", "n", &resources, &cgroup, &err), -EEXIST);
	text = read_text(fixture->root_fd, "p/n/pids.max");
	assert_string_equal(text, "9");
}

static void an_empty_leftover_is_taken_over_with_fresh_limits(void **state)
{
	struct fixture *fixture = *state;
	struct cgroup_resources resources = { .all_devices = true, .pids_limit = 9 };
	cleanup_free char *text = NULL;

	cgroup_free(create(fixture, &resources));
	assert_int_equal(fake_make(fixture->root_fd, "p/n/child"), 0);
	resources.pids_limit = 0;
	cgroup_free(create(fixture, &resources));
	text = read_text(fixture->root_fd, "p/n/pids.max");
	assert_string_equal(text, "");
	assert_int_equal(faccessat(fixture->root_fd, "p/n/child", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_limit_goes_to_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
			controllers_we_use_are_passed_down_level_by_level, setup, teardown),
		cmocka_unit_test_setup_teardown(
			limits_of_block_devices_are_written_with_their_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(huge_pages_are_limited_on_demand, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_no_block_device_cannot_be_limited, setup, teardown),
		cmocka_unit_test_setup_teardown(
			real_time_scheduling_is_no_matter_of_v2, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_controller_that_is_not_passed_on_is_told_with_the_reason, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			row_14_9_oom_kills_come_from_memory_events, setup, teardown),
		cmocka_unit_test_setup_teardown(
			stats_leave_out_inactive_page_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(
			cpus_that_are_not_there_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			row_4_3_attach_failure_rejects_start, setup, teardown),
		cmocka_unit_test_setup_teardown(a_group_in_use_is_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_empty_leftover_is_taken_over_with_fresh_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
