/* SPDX-License-Identifier: GPL-2.0-or-later
 * adopt_test.c - a supervisor dies, and the next one goes on where it left. */
#include <sys/resource.h>
#include <sys/utsname.h>

#include "tests/unit/engine/supervisor/group.h"

/* A process that supervises, starts the containers and then only minds them; killed later. */
static pid_t supervise_elsewhere(
	struct group *group, struct container *const *containers, size_t count)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct group own = { .engine = group->engine, .box = group->box };

		group_open(&own, CONTROL_FOREGROUND);
		for (size_t i = 0; i < count; i++)
			must(&own, OPERATION_START, containers[i]);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pump_for(&own, 1000);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void kill_supervisor(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static bool kernel_tells_exit_codes(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	return sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 15));
}

static void await_log(struct group *group, const struct container *container, const char *expected)
{
	for (int wait = 0; wait < 500; wait++) {
		cleanup_free char *log = log_of(group, container);

		if (strcmp(log, expected) == 0)
			return;
		pump_for(group, 10);
	}
	fail_msg("'%s' is not logged", expected);
}

/* Lines "N" for 0..count-1, each once and in order. */
static void check_numbers(const char *log, int count)
{
	for (int i = 0; i < count; i++) {
		char expected[32];
		int length = snprintf(expected, sizeof(expected), "stdout:%d\n", i);

		if (strncmp(log, expected, (size_t)length) != 0)
			fail_msg("wanted %s, got %.40s", expected, log);
		log += length;
	}
}

static void row_13_2_containers_go_on_and_their_output_waits_for_the_next_supervisor(void **state)
{
	struct group *group = group_or_skip(state);
	struct container *container = group_container("steady",
		"touch /tmp/here; i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); sleep 0.005; "
		"done; exit 6");
	cleanup_free char *log = NULL;
	struct container_state before;
	struct event event;
	pid_t pid;

	group_create(group, container);
	pid = supervise_elsewhere(group, &container, 1);
	kill_supervisor(pid);
	before = state_of(group, container);
	assert_int_equal(before.status, CONTAINER_RUNNING);
	usleep(300000); /* it writes, and nobody reads */
	assert_true(process_is_alive(&before.process));
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 1);
	event = next_event(group, EVENT_EXITED, container);
	assert_int_equal(event.exit_code, kernel_tells_exit_codes() ? 6 : -1);
	log = log_of(group, container);
	check_numbers(log, 300);
	check_no_run(group, container);
	container_free(container);
}

static void row_13_2_an_adopted_container_is_stopped_and_restarted_like_any_other(void **state)
{
	struct group *group = group_or_skip(state);
	struct container *container = group_container(
		"adopted", "trap 'exit 0' TERM; echo r; while :; do sleep 0.05; done");
	pid_t pid, first;

	group_create(group, container);
	pid = supervise_elsewhere(group, &container, 1);
	kill_supervisor(pid);
	first = state_of(group, container).process.pid;
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container); /* runs */
	assert_int_equal(state_of(group, container).process.pid, first);
	await_log(group, container, "stdout:r\n");
	strbuf_clear(&group->output);
	must(group, OPERATION_PAUSE, container);
	must(group, OPERATION_UNPAUSE, container);
	must(group, OPERATION_RESTART, container);
	assert_int_not_equal(state_of(group, container).process.pid, first);
	await_output(group);
	must(group, OPERATION_STOP, container);
	assert_int_equal(state_of(group, container).exit_code, 0);
	container_free(container);
}

static void row_13_2_what_died_unseen_is_recorded_as_unknown_and_cleaned_up(void **state)
{
	static const struct {
		enum restart_policy policy;
		bool restarts;
	} rows[] = {
		{ RESTART_NO, false },
		{ RESTART_ON_FAILURE, false },
		{ RESTART_UNLESS_STOPPED, true },
		{ RESTART_ALWAYS, true },
	};
	struct group *group = group_or_skip(state);
	struct container *containers[ARRAY_LEN(rows)];
	pid_t pid;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *name = xasprintf("dead%zu", i);

		containers[i] = group_container(name, "exec sleep 1000");
		containers[i]->restart = rows[i].policy;
		group_create(group, containers[i]);
	}
	pid = supervise_elsewhere(group, containers, ARRAY_LEN(rows));
	kill_supervisor(pid);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container_state running = state_of(group, containers[i]);

		kill(running.process.pid, SIGKILL);
		for (int wait = 0; process_is_alive(&running.process) && wait < 500; wait++)
			usleep(10000);
		assert_int_equal(state_of(group, containers[i]).status, CONTAINER_EXITED);
	}
	group_open(group, CONTROL_FOREGROUND);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].restarts) {
			assert_int_equal(state_of(group, containers[i]).exit_code, -1);
			assert_true(state_of(group, containers[i]).finished_ns > 0);
			check_no_run(group, containers[i]);
			continue;
		}
		assert_int_equal(state_of(group, containers[i]).status, CONTAINER_RESTARTING);
	}
	await_events(group, EVENT_STARTED, 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request request = request_for(OPERATION_STOP, containers[i]);

		request.timeout_ns = 0;
		assert_int_equal(state_of(group, containers[i]).status,
			rows[i].restarts ? CONTAINER_RUNNING : CONTAINER_EXITED);
		assert_int_equal(control_call(group->control, &request, NULL), 0);
		container_free(containers[i]);
	}
}

static void row_13_4_after_a_reboot_what_ran_is_exited_and_the_policy_applies(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *plain = group_container("plain", "sleep 1000");
	cleanup_container struct container *always = group_container("always", "sleep 1000");
	struct container *const all[] = { plain, always };

	always->restart = RESTART_ALWAYS;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct container_state old = { .status = CONTAINER_RUNNING, .started_ns = 1 };

		group_create(group, all[i]);
		/* Our own pid, alive, but of another boot. */
		assert_int_equal(process_identify(getpid(), &old.process, NULL), 0);
		snprintf(old.boot_id, sizeof(old.boot_id), "00000000-0000-0000-0000-000000000000");
		assert_int_equal(
			container_save_state(group->engine, all[i]->id, &old, FILE_VOLATILE, NULL),
			0);
	}
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(state_of(group, plain).status, CONTAINER_EXITED);
	assert_int_equal(state_of(group, plain).exit_code, -1);
	next_event(group, EVENT_STARTED, always);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 1);
	assert_int_equal(ask(group, OPERATION_KILL, always), 0);
	next_event(group, EVENT_EXITED, always);
}

static void a_supervisor_that_ends_on_purpose_leaves_its_containers_running(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"left", "i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); sleep 0.01; done");
	cleanup_free char *log = NULL;
	struct request request = request_for(OPERATION_START, container);

	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	/* Closed in the middle of the launch: it is seen through first. */
	assert_int_equal(control_submit(group->control, &request, NULL, NULL), 0);
	pump_for(group, 1);
	group_close(group);
	assert_int_equal(state_of(group, container).status, CONTAINER_RUNNING);
	assert_false(run_exists(group, "groups/" GROUP "/control.sock"));
	group_open(group, CONTROL_FOREGROUND);
	next_event(group, EVENT_EXITED, container);
	log = log_of(group, container);
	check_numbers(log, 100);
	group_close(group);
	assert_false(run_exists(group, "groups/" GROUP));
}

static void a_child_left_between_clone_and_record_is_replaced(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("orphan", "sleep 1000");
	const struct launch_stdio stdio = { -1, -1, -1 };
	struct launch launch = LAUNCH_INIT;
	int console_fd;

	group_create(group, container);
	assert_int_equal(
		launch_begin(group->engine, group->box->host, container, &stdio, &launch, NULL), 0);
	assert_int_equal(box_finish(group->box, container, &launch, &console_fd, NULL), 0);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_int_equal(wait_exit_code(&launch), 137);
	launch_release(&launch);
	assert_int_equal(ask(group, OPERATION_KILL, container), 0);
	next_event(group, EVENT_EXITED, container);
}

/* Whatever it is that cannot be opened for lack of descriptors, it is no sign of a death. */
static void row_14_12_an_adoption_without_enough_descriptors_ends_no_container(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("steady", "sleep 1000");
	struct container *const containers[] = { container };
	struct container_state before;
	pid_t supervisor;
	int failures = 0;

	group_create(group, container);
	supervisor = supervise_elsewhere(group, containers, 1);
	before = state_of(group, container);
	kill_supervisor(supervisor);
	for (rlim_t count = 4; count < 64; count++) {
		const struct rlimit limit = { count, count };
		struct supervisor *next = NULL;
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			setrlimit(RLIMIT_NOFILE, &limit);
			_exit(supervisor_new(group->engine, GROUP, NULL, &next, NULL) < 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		failures += WEXITSTATUS(status);
		if (!process_is_alive(&before.process))
			fail_msg("%lu descriptors: it was ended", (unsigned long)count);
	}
	assert_in_range(failures, 1, 59);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_KILL, container);
	next_event(group, EVENT_EXITED, container);
}

static const struct CMUnitTest tests[] = {
	group_test(row_14_12_an_adoption_without_enough_descriptors_ends_no_container),
	group_test(row_13_2_containers_go_on_and_their_output_waits_for_the_next_supervisor),
	group_test(row_13_2_an_adopted_container_is_stopped_and_restarted_like_any_other),
	group_test(row_13_2_what_died_unseen_is_recorded_as_unknown_and_cleaned_up),
	group_test(row_13_4_after_a_reboot_what_ran_is_exited_and_the_policy_applies),
	group_test(a_supervisor_that_ends_on_purpose_leaves_its_containers_running),
	group_test(a_child_left_between_clone_and_record_is_replaced),
};

box_main("adopt", tests)
