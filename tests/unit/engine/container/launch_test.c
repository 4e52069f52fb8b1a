/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting containers: outcome and exit code, namespaces, networks, streams, PID 1, what stays. */
#include "tests/unit/engine/container/box.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "engine/container/endpoints.h"
#include "engine/container/setup.h"

static void plain_container_runs_and_ends(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container, "echo $$ $(hostname); exit 7");

	assert_string_equal(outcome.output, "1 box\n");
	assert_int_equal(outcome.exit_code, 7);
	free(outcome.output);
}

static void a_signal_is_seen_as_one(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);

	assert_int_equal(pidfd_send_signal(running.launch.pidfd, SIGKILL, NULL, 0), 0);
	assert_int_equal(wait_exit_code(&running.launch), 128 + SIGKILL);
	launch_release(&running.launch);
	{
		bool oom_killed = true;

		assert_int_equal(
			launch_clean(&box->world->engine, box->host, container, &oom_killed, NULL),
			0);
		assert_false(oom_killed);
	}
}

static void clean_leaves_nothing(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *run_dir = xasprintf("containers/%s", container->id);
	struct running running = box_start(box, container);
	struct cgroup *cgroup = NULL;

	assert_int_equal(faccessat(box->world->engine.run_fd, run_dir, F_OK, 0), 0);
	box_end(box, container, &running);
	assert_int_equal(faccessat(box->world->engine.run_fd, run_dir, F_OK, 0), -1);
	assert_int_equal(cgroup_open(box->host, box->world->engine.cgroup_parent, container->id,
				 &cgroup, NULL),
		-ENOENT);
}

static void out_of_memory_is_told(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct launch_stdio stdio = { -1, -1, -1 };
	struct launch launch = LAUNCH_INIT;
	cleanup_error struct error err = ERROR_INIT;
	bool oom_killed = false;
	int console_fd;

	container->spec.resources.memory_limit = 16 << 20;
	add_mount(container, MOUNT_TMPFS, NULL, "/fill");
	set_command(container, "exec dd if=/dev/zero of=/fill/x bs=1M count=64");
	check_ok(launch_begin(&box->world->engine, box->host, container, &stdio, &launch, &err),
		&err);
	check_ok(box_finish(box, container, &launch, &console_fd, &err), &err);
	assert_int_equal(wait_exit_code(&launch), 128 + SIGKILL);
	launch_release(&launch);
	check_ok(launch_clean(&box->world->engine, box->host, container, &oom_killed, &err), &err);
	assert_true(oom_killed);
}

static void exec_joins_everything(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	struct outcome outcome = box_exec_script(box, container, &running,
		"for n in mnt pid net ipc uts cgroup; do "
		"[ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo $n; done; "
		"cat /proc/1/cgroup > /tmp/a; cat /proc/self/cgroup > /tmp/b; "
		"[ \"$(cat /tmp/a)\" = \"$(cat /tmp/b)\" ] || cat /tmp/a /tmp/b; hostname; exit 3");

	box_end(box, container, &running);
	assert_string_equal(outcome.output, "box\n");
	assert_int_equal(outcome.exit_code, 3);
	free(outcome.output);
}

/* The inode of one of the test's own namespaces, as readlink shows it. */
static char *own_namespace(const char *name)
{
	cleanup_free char *path = xasprintf("/proc/self/ns/%s", name);
	char *target = xcalloc(1, 64);

	assert_true(readlink(path, target, 63) > 0);
	return target;
}

static void every_namespace_is_new(void **state)
{
	static const char *const names[] = { "mnt", "pid", "net", "ipc", "uts", "cgroup" };
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container,
		"for n in mnt pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done");

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *own = own_namespace(names[i]);

		if (strstr(outcome.output, own))
			fail_msg("shared: %s", own);
	}
	free(outcome.output);
}

static void host_modes_share_the_host_s(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *net = own_namespace("net"), *uts = own_namespace("uts"),
			  *ipc = own_namespace("ipc"), *pid = own_namespace("pid");
	cleanup_free char *expected = xasprintf("%s\n%s\n%s\n%s\n", net, uts, ipc, pid);

	container->spec.network.mode = NAMESPACE_HOST;
	container->spec.uts.mode = NAMESPACE_HOST;
	container->spec.ipc.mode = NAMESPACE_HOST;
	container->spec.pid.mode = NAMESPACE_HOST;
	check_output(box, container, "for n in net uts ipc pid; do readlink /proc/self/ns/$n; done",
		expected);
}

static void save_running(struct box *box, struct container *container, struct running *running)
{
	cleanup_error struct error err = ERROR_INIT;
	struct container_state saved = { .status = CONTAINER_RUNNING,
		.process = running->launch.process };

	check_ok(boot_id_read(saved.boot_id, &err), &err);
	check_ok(container_save_state(
			 &box->world->engine, container->id, &saved, FILE_VOLATILE, &err),
		&err);
}

static void another_container_s_namespaces_are_joined(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *first = box_container();
	cleanup_container struct container *second = box_container();
	struct spec_namespace *const shared[] = { &second->spec.network, &second->spec.ipc,
		&second->spec.pid, &second->spec.uts };
	struct running running;
	struct outcome wanted, got;

	set_command(first, "echo shared > /dev/shm/x; exec sleep 1000");
	running = box_start(box, first);
	save_running(box, first, &running);
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		shared[i]->mode = NAMESPACE_CONTAINER;
		shared[i]->container = xstrdup(first->id);
	}
	wanted = box_exec_script(box, first, &running,
		"for n in net ipc pid uts; do readlink /proc/self/ns/$n; done");
	got = box_run(box, second,
		"for n in net ipc pid uts; do readlink /proc/self/ns/$n; done; "
		"cat /dev/shm/x; tr '\\0' ' ' < /proc/1/cmdline; cat /etc/hostname");
	box_end(box, first, &running);
	assert_int_equal(strncmp(got.output, wanted.output, strlen(wanted.output)), 0);
	assert_string_equal(got.output + strlen(wanted.output), "shared\nsleep 1000 box\n");
	free(wanted.output);
	free(got.output);
}

static void a_dead_container_s_network_cannot_be_joined(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *first = box_container();
	cleanup_container struct container *second = box_container();
	struct running running = box_start(box, first);

	save_running(box, first, &running);
	box_end(box, first, &running);
	second->spec.network.mode = NAMESPACE_CONTAINER;
	second->spec.network.container = xstrdup(first->id);
	set_command(second, "true");
	check_refused(box, second, "cannot join network of a non running container", 0);
}

static void without_networks_there_is_loopback(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container,
		"ls /sys/class/net | grep -v -e sit -e tunl; ip addr show lo | grep -o 'inet "
		"127.0.0.1/8'",
		"lo\ninet 127.0.0.1/8\n");
}

static void make_network(struct box *box, const char *name, const char *subnet, bool internal)
{
	const struct network_request request = {
		.name = name, .subnet = subnet, .internal = internal
	};
	cleanup_error struct error err = ERROR_INIT;
	cleanup_network struct network *network = NULL;

	check_ok(network_create(&box->world->engine, &request, &network, &err), &err);
}

static void remove_network(struct box *box, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;

	check_ok(network_remove(&box->world->engine, name, &err), &err);
}

static void add_attachment(struct container *container, const char *network)
{
	array_add(container->attachments, container->attachment_count)->network = xstrdup(network);
}

static void networks_are_interfaces_with_addresses(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome;

	make_network(box, "front", "10.201.1.0/24", false);
	make_network(box, "back", "10.201.2.0/24", true);
	add_attachment(container, "front");
	add_attachment(container, "back");
	strv_add(&container->spec.extra_hosts, "gateway=host-gateway");
	strv_add(&container->spec.extra_hosts, "other=192.0.2.1");
	check_ok(container_allocate_endpoints(&box->world->engine, container, NULL, &err), &err);
	outcome = box_run(box, container,
		"ip -4 -o addr show | sed 's/.*: \\(.*\\) *inet \\([^ ]*\\) .*/\\1 \\2/' | tr -s ' "
		"'; "
		"ip route | grep ^default; grep nameserver /etc/resolv.conf; grep 10.201 "
		"/etc/hosts; "
		"grep other /etc/hosts; ls /sys/class/net | grep eth");
	check_ok(endpoint_release_all(&box->world->engine, container->id, &err), &err);
	remove_network(box, "front");
	remove_network(box, "back");
	check_contains(outcome.output, "eth0 10.201.1.2/24\neth1 10.201.2.2/24\n"
				       "default via 10.201.1.1 dev eth0 \n"
				       "nameserver 10.201.1.1\nnameserver 10.201.2.1\n"
				       "10.201.1.1\tgateway\n10.201.1.2\tbox\n10.201.2.2\tbox\n"
				       "192.0.2.1\tother\neth0\neth1\n");
	free(outcome.output);
}

static void unallocated_networks_are_noticed(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	add_attachment(container, "front");
	set_command(container, "true");
	check_refused(box, container, "1 of its 1 networks have no address for it", 0);
}

static void the_host_s_network_has_the_host_s_names(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *hosts = NULL;
	size_t length;

	assert_int_equal(file_read(AT_FDCWD, "/etc/hosts", 1 << 20, &hosts, &length, NULL), 0);
	container->spec.network.mode = NAMESPACE_HOST;
	check_output(box, container, "cat /etc/hosts", hosts);
}

static void row_15_4_what_cannot_be_executed(void **state)
{
	static const struct {
		const char *name;
		const char *message;
		int exit_code;
	} rows[] = {
		{ "/missing", "exec \"/missing\": no such file or directory", 127 },
		{ "missing", "exec \"missing\": executable file not found in $PATH", 127 },
		{ "/plain", "exec \"/plain\": permission denied", 126 },
		{ "/etc", "exec \"/etc\": is a directory", 126 },
		{ "/foreign", "exec \"/foreign\": exec format error", 126 },
		{ "/no-shebang", "exec \"/no-shebang\": exec format error", 126 },
		{ "/no-interpreter", "exec \"/no-interpreter\": no such file or directory", 127 },
		{ "no-interpreter", "exec \"/bin/no-interpreter\": no such file or directory",
			127 },
	};
	static const char foreign[] = "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xf3\0"; /* RISC-V */
	struct box *box = box_or_skip(state);

	write_file(box->layer_fd, "plain", "text");
	write_file(box->layer_fd, "foreign", foreign);
	write_file(box->layer_fd, "no-shebang", "echo x\n");
	write_file(box->layer_fd, "no-interpreter", "#!/missing\n");
	write_file(box->layer_fd, "bin/no-interpreter", "#!/missing\n");
	assert_int_equal(fchmodat(box->layer_fd, "foreign", 0755, 0), 0);
	assert_int_equal(fchmodat(box->layer_fd, "no-shebang", 0755, 0), 0);
	assert_int_equal(fchmodat(box->layer_fd, "no-interpreter", 0755, 0), 0);
	assert_int_equal(fchmodat(box->layer_fd, "bin/no-interpreter", 0755, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int init = 0; init < 2; init++) {
			cleanup_container struct container *container = box_container();

			strv_free(container->spec.args);
			container->spec.args = NULL;
			strv_add(&container->spec.args, rows[i].name);
			container->spec.init = init;
			check_refused(box, container, rows[i].message, rows[i].exit_code);
		}
	}
}

static void a_failed_begin_leaves_nothing(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *run_dir = xasprintf("containers/%s", container->id);
	struct launch_stdio stdio = { -1, -1, -1 };
	struct launch launch = LAUNCH_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;

	container->spec.resources.cpuset_cpus = xstrdup("9999");
	assert_true(
		launch_begin(&box->world->engine, box->host, container, &stdio, &launch, &err) < 0);
	assert_int_equal(faccessat(box->world->engine.run_fd, run_dir, F_OK, 0), -1);
	assert_int_equal(cgroup_open(box->host, box->world->engine.cgroup_parent, container->id,
				 &cgroup, NULL),
		-ENOENT);
}

static void init_reaps_forwards_and_passes_the_code_on(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running;
	struct outcome outcome;

	container->spec.init = true;
	outcome = box_run(box, container,
		"(sleep 0.01 & ); sleep 0.1; grep -l '^State:.Z' /proc/[0-9]*/status; echo $$; "
		"exit 9");
	assert_string_equal(outcome.output, "2\n");
	assert_int_equal(outcome.exit_code, 9);
	free(outcome.output);
	set_command(container, "trap 'exit 5' TERM; while :; do sleep 0.01; done");
	running = box_start(box, container);
	outcome = box_exec_script(box, container, &running, "cat /proc/1/comm; sleep 0.1");
	assert_string_equal(outcome.output, "init\n");
	free(outcome.output);
	assert_int_equal(pidfd_send_signal(running.launch.pidfd, SIGTERM, NULL, 0), 0);
	assert_int_equal(wait_exit_code(&running.launch), 5);
	launch_release(&running.launch);
	set_command(container, "kill -9 $$");
	outcome = box_run(box, container, "kill -9 $$");
	assert_int_equal(outcome.exit_code, 137);
	free(outcome.output);
}

static void row_3_7_a_terminal_is_the_container_s_own(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome;

	container->spec.terminal = true;
	container->spec.user = xstrdup("1000");
	outcome = box_run(box, container,
		"tty; stat -c '%u:%g %a' /dev/pts/0; ls -l /dev/console | cut -c1; echo $TERM; "
		"grep ' /dev/console ' /proc/mounts | cut -d' ' -f1");
	assert_string_equal(outcome.output, "/dev/pts/0\r\n1000:5 620\r\nc\r\nxterm\r\ndevpts\r\n");
	free(outcome.output);
}

static void window_size_reaches_the_terminal(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	const struct launch_stdio stdio = { -1, -1, -1 };
	const struct winsize size = { .ws_row = 33, .ws_col = 111 };
	struct launch launch = LAUNCH_INIT;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *output = NULL;
	bool oom_killed;
	int console_fd;

	container->spec.terminal = true;
	container->spec.init = true;
	set_command(container, "read x; stty size");
	check_ok(launch_begin(&box->world->engine, box->host, container, &stdio, &launch, &err),
		&err);
	check_ok(box_finish(box, container, &launch, &console_fd, &err), &err);
	assert_int_equal(ioctl(console_fd, TIOCSWINSZ, &size), 0);
	assert_int_equal(write(console_fd, "\n", 1), 1);
	output = read_output(console_fd);
	check_contains(output, "33 111");
	close(console_fd);
	assert_int_equal(wait_exit_code(&launch), 0);
	launch_release(&launch);
	check_ok(launch_clean(&box->world->engine, box->host, container, &oom_killed, &err), &err);
}

static void fifos_are_given_to_the_user(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome;

	container->spec.user = xstrdup("1000");
	outcome = box_run(box, container, "echo again > /dev/stdout; stat -L -c %u /dev/stderr");
	assert_string_equal(outcome.output, "again\n1000\n");
	free(outcome.output);
}

/* In every hierarchy that is mounted; a line with "/" is of one that is not. */
static void the_child_is_in_its_cgroup_everywhere(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	cleanup_free char *path = xasprintf("/proc/%d/cgroup", (int)running.launch.process.pid);
	cleanup_free char *ours =
		xasprintf(":/%s/%s", box->world->engine.cgroup_parent, container->id);
	cleanup_strv char **lines = NULL;
	cleanup_free char *text = NULL;
	size_t length, found = 0;

	assert_int_equal(file_read(AT_FDCWD, path, 65536, &text, &length, NULL), 0);
	box_end(box, container, &running);
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		bool inside = strstr(lines[i], ours) != NULL;

		if (!inside && strcmp(lines[i] + strlen(lines[i]) - 2, ":/") != 0)
			fail_msg("elsewhere: %s", lines[i]);
		found += inside;
	}
	assert_true(found > 0);
}

static void cgroup_limits_hold_from_the_start(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	container->spec.resources.pids_limit = 3;
	check_output(box, container,
		"cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max; "
		"sleep 9 & sleep 9 & sleep 9 & sleep 9",
		"3\n/bin/sh: can't fork: Resource temporarily unavailable\n");
}

#define AT_ONCE 8
static void many_at_once(void **state)
{
	struct box *box = box_or_skip(state);
	struct container *containers[AT_ONCE];
	struct launch launches[AT_ONCE];
	const struct launch_stdio stdio = { -1, -1, -1 };
	cleanup_error struct error err = ERROR_INIT;
	int console_fd;

	for (int i = 0; i < AT_ONCE; i++) {
		containers[i] = box_container();
		set_command(containers[i], "exit 42");
		check_ok(launch_begin(&box->world->engine, box->host, containers[i], &stdio,
				 &launches[i], &err),
			&err);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		bool oom_killed;

		check_ok(box_finish(box, containers[i], &launches[i], &console_fd, &err), &err);
		assert_int_equal(wait_exit_code(&launches[i]), 42);
		launch_release(&launches[i]);
		check_ok(launch_clean(
				 &box->world->engine, box->host, containers[i], &oom_killed, &err),
			&err);
		container_free(containers[i]);
	}
}

enum end { END_STOPS, END_WAITS };

/* A child that reports and then, before its execve, is stopped or just slow. */
static struct launch reporting_child(enum report_kind kind, enum end end)
{
	struct report report = { .kind = kind, .code = -ENOENT, .exit_code = 127, .text = "no" };
	struct launch launch = LAUNCH_INIT;
	int pair[2];
	pid_t pid;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		if (write(pair[1], &report, sizeof(report)) != (ssize_t)sizeof(report))
			_exit(1);
		if (end == END_STOPS)
			raise(SIGSTOP);
		pause();
		_exit(1);
	}
	close(pair[1]);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	launch.status_fd = pair[0];
	launch.pidfd = pidfd_open(pid, 0);
	assert_true(launch.pidfd >= 0);
	await_status(&launch);
	return launch;
}

static void a_child_that_stops_before_its_execve_is_not_waited_for(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	struct launch launch = reporting_child(REPORT_READY, END_STOPS);
	struct pollfd status = { .fd = launch.status_fd, .events = POLLIN };
	int console_fd = -1;

	(void)state;
	alarm(20);
	assert_int_equal(launch_outcome(&launch, &console_fd, &err), 1);
	assert_int_equal(poll(&status, 1, 0), 0); /* a loop sleeps meanwhile */
	assert_int_equal(launch_outcome(&launch, &console_fd, &err), 1);
	assert_int_equal(pidfd_send_signal(launch.pidfd, SIGKILL, NULL, 0), 0);
	await_status(&launch);
	check_ok(launch_outcome(&launch, &console_fd, &err), &err);
	assert_int_equal(wait_exit_code(&launch), 128 + SIGKILL);
	launch_release(&launch);
	alarm(0);
}

static void a_child_that_stops_after_its_failure_is_reaped(void **state)
{
	for (enum end end = END_STOPS; end <= END_WAITS; end++) {
		cleanup_error struct error err = ERROR_INIT;
		struct launch launch = reporting_child(REPORT_FAILED, end);
		int console_fd = -1;
		siginfo_t info;

		alarm(20);
		assert_int_equal(launch_outcome(&launch, &console_fd, &err), -ENOENT);
		assert_string_equal(error_text(&err), "no");
		assert_int_equal(err.exit_code, 127);
		assert_int_equal(waitid(P_PIDFD, (id_t)launch.pidfd, &info, WEXITED), -1);
		launch_release(&launch);
		alarm(0);
	}
	(void)state;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_child_that_stops_before_its_execve_is_not_waited_for),
	cmocka_unit_test(a_child_that_stops_after_its_failure_is_reaped),
	box_test(plain_container_runs_and_ends),
	box_test(a_signal_is_seen_as_one),
	box_test(clean_leaves_nothing),
	box_test(out_of_memory_is_told),
	box_test(exec_joins_everything),
	box_test(every_namespace_is_new),
	box_test(host_modes_share_the_host_s),
	box_test(another_container_s_namespaces_are_joined),
	box_test(a_dead_container_s_network_cannot_be_joined),
	box_test(without_networks_there_is_loopback),
	box_test(networks_are_interfaces_with_addresses),
	box_test(row_15_4_what_cannot_be_executed),
	box_test(a_failed_begin_leaves_nothing),
	box_test(init_reaps_forwards_and_passes_the_code_on),
	box_test(row_3_7_a_terminal_is_the_container_s_own),
	box_test(window_size_reaches_the_terminal),
	box_test(fifos_are_given_to_the_user),
	box_test(the_child_is_in_its_cgroup_everywhere),
	box_test(unallocated_networks_are_noticed),
	box_test(the_host_s_network_has_the_host_s_names),
	box_test(cgroup_limits_hold_from_the_start),
	box_test(many_at_once),
};

/* Bridges are made in a network namespace of this program's own, whose switches are its own too. */
int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	(void)argc;
	if (geteuid() == 0) {
		if (self_exe_protect(argv, &err) < 0) {
			fprintf(stderr, "launch: %s\n", error_text(&err));
			return 1;
		}
		if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
			return 1;
	}
	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
