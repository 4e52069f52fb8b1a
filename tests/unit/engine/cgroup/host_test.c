/* SPDX-License-Identifier: GPL-2.0-or-later
 * host_test.c - which hierarchies a mountinfo text speaks of. Plain directories stand for mounts.
 */
#include "tests/unit/engine/cgroup/support.h"

#define CGROUPS                                             \
	"#subsys_name\thierarchy\tnum_cgroups\tenabled\n"   \
	"cpuset\t3\t1\t1\ncpu\t1\t1\t1\ncpuacct\t1\t1\t1\n" \
	"cpu\t9\t1\t0\nmemory\t4\t15\t0\npids\t8\t1\t1\ndevices\t5\t1\t1\n"

struct fixture {
	char root[64];
	unsigned major_number, minor_number;
};

static int setup(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct stat st;

	snprintf(fixture->root, sizeof(fixture->root), "/tmp/mycompose-unit-host-XXXXXX");
	if (!mkdtemp(fixture->root) || stat(fixture->root, &st) < 0)
		return -1;
	fixture->major_number = major(st.st_dev);
	fixture->minor_number = minor(st.st_dev);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	tree_remove(AT_FDCWD, fixture->root, NULL);
	free(fixture);
	return 0;
}

/* A line for directory `name`, which is made. `escaped` is how mountinfo would write it. */
static void add_mount(struct fixture *fixture, struct strbuf *text, const char *name,
	const char *escaped, const char *type, const char *options)
{
	cleanup_free char *path = xasprintf("%s/%s", fixture->root, name);

	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
	strbuf_addf(text, "36 35 %u:%u / %s/%s rw,relatime shared:9 - %s src %s\n",
		fixture->major_number, fixture->minor_number, fixture->root, escaped, type,
		options);
}

static struct cgroup_host *open_host(const struct strbuf *text)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_host *host = NULL;

	assert_ok(cgroup_host_from_text(strbuf_text(text), CGROUPS, NULL, &host, &err), err);
	return host;
}

static void hybrid_with_comounted_controllers_and_systemd(void **state)
{
	struct fixture *fixture = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct controller *controller;
	struct cgroup_host *host;

	add_mount(fixture, &text, "cpu", "cpu", "cgroup", "rw,cpu,cpuacct");
	add_mount(fixture, &text, "pids", "pids", "cgroup", "rw,xattr,pids");
	add_mount(fixture, &text, "systemd", "systemd", "cgroup", "rw,xattr,name=systemd");
	add_mount(fixture, &text, "unified", "unified", "cgroup2", "rw,nsdelegate");
	add_mount(fixture, &text, "other", "other", "tmpfs", "rw,cpu");
	host = open_host(&text);
	assert_int_equal(host->hierarchy_count, 4);
	assert_false(cgroup_host_is_v2(host));
	assert_string_equal(cgroup_host_controllers(host), "cpu cpuacct pids");
	assert_string_equal(host->hierarchies[0].view_name, "cpu,cpuacct");
	assert_string_equal(host->hierarchies[2].view_name, "systemd");
	assert_ptr_equal(host_find(host, CONTROLLER_CPUACCT, &controller), &host->hierarchies[0]);
	assert_string_equal(controller->name, "cpuacct");
	assert_null(host_find(host, CONTROLLER_MEMORY, &controller));
	/* neither is mounted as v1, and v2 has both without a controller */
	assert_ptr_equal(host_find(host, CONTROLLER_DEVICES, &controller), &host->hierarchies[3]);
	assert_ptr_equal(host_find(host, CONTROLLER_FREEZER, &controller), &host->hierarchies[3]);
	assert_ptr_equal(host_tracker(host), &host->hierarchies[3]);
	cgroup_host_free(host);
}

static void unified_alone_is_v2(void **state)
{
	struct fixture *fixture = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *file = xasprintf("%s/cg/cgroup.controllers", fixture->root);
	struct cgroup_host *host;
	FILE *f;

	add_mount(fixture, &text, "cg", "cg", "cgroup2", "rw");
	f = fopen(file, "we");
	assert_non_null(f);
	fputs("cpuset cpu io memory pids\n", f);
	fclose(f);
	host = open_host(&text);
	assert_true(cgroup_host_is_v2(host));
	assert_string_equal(cgroup_host_controllers(host), "cpu cpuset io memory pids");
	cgroup_host_free(host);
}

static void mount_points_are_unescaped(void **state)
{
	struct fixture *fixture = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *expected = xasprintf("%s/a b\\c", fixture->root);
	struct cgroup_host *host;

	add_mount(fixture, &text, "a b\\c", "a\\040b\\134c", "cgroup", "rw,pids");
	host = open_host(&text);
	assert_string_equal(host->hierarchies[0].mount_point, expected);
	cgroup_host_free(host);
}

static void of_two_mounts_of_one_hierarchy_the_last_counts(void **state)
{
	struct fixture *fixture = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct cgroup_host *host;

	add_mount(fixture, &text, "first", "first", "cgroup", "rw,pids");
	add_mount(fixture, &text, "second", "second", "cgroup", "ro,pids");
	host = open_host(&text);
	assert_int_equal(host->hierarchy_count, 1);
	assert_contains(host->hierarchies[0].mount_point, "/second");
	cgroup_host_free(host);
}

static void a_mount_that_is_covered_or_gone_is_passed_over(void **state)
{
	struct fixture *fixture = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct cgroup_host *host = NULL;

	add_mount(fixture, &text, "pids", "pids", "cgroup", "rw,pids");
	/* another device at the same place, and a place that is not there */
	strbuf_addf(&text, "36 35 0:9999 / %s/pids rw - cgroup src rw,cpu\n", fixture->root);
	strbuf_addf(&text, "36 35 0:9999 / %s/absent rw - cgroup src rw,cpuset\n", fixture->root);
	strbuf_add_str(&text, "a line that is none\n");
	host = open_host(&text);
	assert_string_equal(cgroup_host_controllers(host), "pids");
	cgroup_host_free(host);
}

static void no_hierarchy_at_all_is_an_error(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_host *host = NULL;

	(void)state;
	assert_int_equal(cgroup_host_from_text("", "", NULL, &host, &err), -ENOTSUP);
	assert_contains(error_text(&err), "no cgroup hierarchy");
}

static void a_promise_without_controller_names_both(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		struct cgroup_resources resources;
		const char *limit, *controller, *why;
	} rows[] = {
		{ { .cpu_permille = 500, .all_devices = true }, "cpus", "'cpu'", "switched off" },
		{ { .cpu_rt_runtime_us = 100, .all_devices = true }, "cpu_rt_runtime", "'cpu'",
			"switched off" },
		{ { .all_devices = false }, "device rules", "'devices'", "not mounted" },
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct cgroup_host *host;

	add_mount(fixture, &text, "pids", "pids", "cgroup", "rw,pids");
	host = open_host(&text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_strv char **left = NULL;
		cleanup_free char *pids = xasprintf("%s/pids", fixture->root);
		struct cgroup *cgroup = NULL;

		assert_int_equal(
			cgroup_create(host, "p", "n", &rows[i].resources, &cgroup, &err), -ENOTSUP);
		assert_contains(error_text(&err), rows[i].limit);
		assert_contains(error_text(&err), rows[i].controller);
		assert_contains(error_text(&err), rows[i].why);
		assert_ok(dir_list(AT_FDCWD, pids, &left, &err), err);
		assert_int_equal(strv_length(left), 0);
	}
	cgroup_host_free(host);
}

/* As docker: they are done without, and it is said. */
static void other_limits_without_controller_are_warned_of(void **state)
{
	struct fixture *fixture = *state;
	char cpus[] = "0";
	struct cgroup_resources rows[] = {
		{ .memory_limit = 1 << 24 },
		{ .memory_reservation = 1 << 24 },
		{ .cpu_shares = 100 },
		{ .cpu_quota_us = 10000 },
		{ .cpuset_cpus = cpus },
		{ .blkio_weight = 100 },
	};
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct cgroup_host *host;

	add_mount(fixture, &text, "pids", "pids", "cgroup", "rw,pids");
	host = open_host(&text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct cgroup *cgroup = NULL;

		rows[i].all_devices = true;
		assert_ok(cgroup_create(host, "p", "n", &rows[i], &cgroup, &err), err);
		cgroup_free(cgroup);
		assert_ok(cgroup_remove(host, "p", "n", &err), err);
	}
	cgroup_host_free(host);
}

static void names_that_could_leave_the_tree_are_refused(void **state)
{
	static const char *const rows[][2] = { { "..", "x" }, { "a/../b", "x" }, { "", "x" },
		{ "/a", "x" }, { "a/", "x" }, { "a//b", "x" }, { "./a", "x" }, { "a", ".." },
		{ "a", "b/c" }, { "a", "" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *path = NULL;

		assert_int_equal(group_path(rows[i][0], rows[i][1], &path, NULL), -EINVAL);
		assert_null(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			hybrid_with_comounted_controllers_and_systemd, setup, teardown),
		cmocka_unit_test_setup_teardown(unified_alone_is_v2, setup, teardown),
		cmocka_unit_test_setup_teardown(mount_points_are_unescaped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_two_mounts_of_one_hierarchy_the_last_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_mount_that_is_covered_or_gone_is_passed_over, setup, teardown),
		cmocka_unit_test(no_hierarchy_at_all_is_an_error),
		cmocka_unit_test_setup_teardown(
			a_promise_without_controller_names_both, setup, teardown),
		cmocka_unit_test_setup_teardown(
			other_limits_without_controller_are_warned_of, setup, teardown),
		cmocka_unit_test(names_that_could_leave_the_tree_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
