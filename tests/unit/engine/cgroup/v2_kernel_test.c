/* SPDX-License-Identifier: GPL-2.0-or-later
 * v2_kernel_test.c - what needs a real unified hierarchy and none of its controllers: device
 * programs, cgroup.kill, cgroup.freeze, CLONE_INTO_CGROUP. A hybrid host's unified mount is enough.
 */
#include "tests/unit/engine/cgroup/support.h"

#include <linux/bpf.h>
#include <linux/sched.h>
#include <sys/syscall.h>

struct fixture {
	struct cgroup_host *host;
	char parent[64];
	struct cgroup *cgroup;
};

static int setup(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	snprintf(fixture->parent, sizeof(fixture->parent), "mycompose-unit-%d", (int)getpid());
	if (geteuid() == 0)
		fixture->host = host_filtered(keep_v2);
	*state = fixture;
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
		print_message("needs root and a mounted cgroup2\n");
		skip();
	}
	return fixture;
}

static void create(struct fixture *fixture, const struct cgroup_resources *resources)
{
	cleanup_error struct error err = ERROR_INIT;

	assert_ok(cgroup_create(
			  fixture->host, fixture->parent, "n", resources, &fixture->cgroup, &err),
		err);
}

static void a_group_is_found_below_a_parent_that_nobody_remembers(void **state)
{
	struct fixture *fixture = need(state);
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *parent = xasprintf("%s/a/own", fixture->parent);
	cleanup_free char *other = xasprintf("%s/b/disown", fixture->parent);
	cleanup_free char *found = NULL, *direct = NULL, *none = NULL;
	struct cgroup_resources resources = { .all_devices = true };
	struct cgroup *first = NULL, *second = NULL;

	assert_ok(cgroup_create(fixture->host, other, "n", &resources, &first, &err), err);
	assert_int_equal(cgroup_find_parent(fixture->host, "own", "n", &none, NULL), -ENOENT);
	assert_ok(cgroup_create(fixture->host, parent, "n", &resources, &second, &err), err);
	assert_ok(cgroup_find_parent(fixture->host, "own", "n", &found, &err), err);
	assert_string_equal(found, parent);
	assert_ok(cgroup_find_parent(fixture->host, other, "n", &direct, &err), err);
	assert_string_equal(direct, other);
	assert_int_equal(cgroup_find_parent(fixture->host, "own", "m", &none, NULL), -ENOENT);
	cgroup_free(first);
	cgroup_free(second);
}

static void update(struct fixture *fixture, const struct cgroup_resources *resources)
{
	cleanup_error struct error err = ERROR_INIT;

	assert_ok(cgroup_update(fixture->cgroup, resources, &err), err);
}

static unsigned program_count(const struct fixture *fixture)
{
	uint32_t ids[16];
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup_clone_fd(fixture->cgroup);
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = 16;
	assert_int_equal(syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)), 0);
	return attr.query.prog_cnt;
}

static void row_4_3_default_devices_are_decided_by_a_program(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { 0 };

	cgroup_default_devices(&resources);
	create(fixture, &resources);
	assert_int_equal(program_count(fixture), 1);
	assert_int_equal(child_run_in(fixture->cgroup, body_devices), 0);
	cgroup_resources_release(&resources);
}

/* Exit status: one bit for each way of opening that works. */
static int body_open_zero(void)
{
	return (open_errno("/dev/zero", O_RDONLY) == 0) |
	       (open_errno("/dev/zero", O_WRONLY) == 0) << 1 |
	       (open_errno("/dev/zero", O_RDWR) == 0) << 2;
}

static void row_4_3_programs_are_replaced_and_the_last_rule_wins(void **state)
{
	enum { READ = 1, WRITE = 2, BOTH = 4 };
	static struct {
		struct cgroup_device rules[3];
		bool all;
		int works;
	} rows[] = {
		{ { { true, 'c', 1, 5, "r" } }, false, READ },
		{ { { true, 'c', 1, 5, "r" }, { true, 'c', 1, 5, "w" } }, false,
			READ | WRITE | BOTH },
		{ { { true, 'c', 1, -1, "rw" }, { false, 'c', -1, 5, "w" } }, false, READ },
		{ { { true, 'a', -1, -1, "rwm" }, { false, 'c', 1, 5, "rw" } }, false, 0 },
		{ { { true, 'b', 1, 5, "rw" }, { true, 'c', 5, 1, "rw" } }, false, 0 },
		{ { { false, 'c', 1, 5, "r" }, { true, 'c', -1, 5, "rw" } }, false,
			READ | WRITE | BOTH },
		{ { { 0 } }, false, 0 },
		{ { { 0 } }, true, READ | WRITE | BOTH },
		{ { { true, 'c', 1, 5, "w" } }, false, WRITE },
	};
	struct fixture *fixture = need(state);
	struct cgroup_resources none = { 0 };

	create(fixture, &none);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_resources resources = { .all_devices = rows[i].all,
			.devices = rows[i].rules };

		while (resources.device_count < 3 && rows[i].rules[resources.device_count].type)
			resources.device_count++;
		update(fixture, &resources);
		assert_int_equal(program_count(fixture), rows[i].all ? 0 : 1);
		assert_int_equal(child_run_in(fixture->cgroup, body_open_zero), rows[i].works << 8);
	}
}

static void a_child_is_born_into_the_cgroup(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	pid_t pid;

	create(fixture, &resources);
	args.cgroup = (uint64_t)cgroup_clone_fd(fixture->cgroup);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(body_sleep());
	assert_true(pid > 0);
	assert_ok(cgroup_pids(fixture->cgroup, &pids, &count, &err), err);
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], pid);
	assert_ok(cgroup_kill(fixture->cgroup, 10000, &err), err);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int body_exit(void)
{
	return 0;
}

static void a_frozen_process_does_not_run(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	struct child child;

	create(fixture, &resources);
	child = child_start(body_exit);
	assert_ok(cgroup_attach(fixture->cgroup, child.pid, &err), err);
	assert_ok(cgroup_freeze(fixture->cgroup, true, &err), err);
	child_go(&child);
	usleep(50000);
	assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
	assert_ok(cgroup_freeze(fixture->cgroup, false, &err), err);
	assert_int_equal(child_wait(&child), 0);
}

static void row_13_9_processes_in_child_groups_are_killed_too(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *below = NULL;
	cleanup_free pid_t *pids = NULL;
	struct cgroup child_cgroup = { .host = fixture->host, .clone_fd = -1 };
	size_t count = 77;
	struct child child;

	create(fixture, &resources);
	below = xasprintf("%s/below", fixture->cgroup->path);
	assert_int_equal(mkdirat(fixture->host->hierarchies[0].root_fd, below, 0755), 0);
	child_cgroup.path = below;
	child_cgroup.present = (bool[]){ true };
	child = child_start(body_sleep);
	assert_ok(cgroup_attach(&child_cgroup, child.pid, &err), err);
	child_go(&child);
	assert_ok(cgroup_pids(fixture->cgroup, &pids, &count, &err), err);
	assert_int_equal(count, 1);
	assert_ok(cgroup_kill(fixture->cgroup, 10000, &err), err);
	assert_true(WIFSIGNALED(child_wait(&child)));
	assert_ok(cgroup_remove(fixture->host, fixture->parent, "n", &err), err);
	assert_false(parent_exists(fixture->host, fixture->parent));
}

static void a_limit_without_its_controller_is_refused(void **state)
{
	struct fixture *fixture = need(state);
	struct cgroup_resources resources = { .all_devices = true, .cpu_permille = 500 };
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	if (strv_contains(fixture->host->hierarchies[0].controllers, "cpu")) {
		print_message("this host's unified hierarchy has the cpu controller\n");
		skip();
	}
	assert_int_equal(
		cgroup_create(fixture->host, fixture->parent, "n", &resources, &cgroup, &err),
		-ENOTSUP);
	assert_contains(error_text(&err), "cpus needs the cgroup controller 'cpu'");
	assert_false(parent_exists(fixture->host, fixture->parent));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(row_4_3_default_devices_are_decided_by_a_program),
		TEST(row_4_3_programs_are_replaced_and_the_last_rule_wins),
		TEST(a_child_is_born_into_the_cgroup),
		TEST(a_frozen_process_does_not_run),
		TEST(row_13_9_processes_in_child_groups_are_killed_too),
		TEST(a_limit_without_its_controller_is_refused),
		TEST(a_group_is_found_below_a_parent_that_nobody_remembers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
