/* SPDX-License-Identifier: GPL-2.0-or-later
 * control_test.c - commands find the supervisor, or become it; nobody gets lost between two of
 * them. */
#include <sys/socket.h>

#include "tests/unit/engine/supervisor/group.h"

/* What `up -d` does, in a process of its own: start the container, go on in the background if
 * something runs. Ends with its exit code. */
static int run_detached(struct group *group, struct container *container, int exit_code)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct group own = { .engine = group->engine, .box = group->box };
		struct request request = request_for(OPERATION_START, container);

		if (control_open(own.engine, GROUP, CONTROL_DETACHABLE, NULL, &own.control, NULL) <
			0)
			_exit(201);
		if (control_call(own.control, &request, NULL) < 0)
			_exit(202);
		_exit(control_finish(own.control, exit_code, NULL, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void await_no_group(struct group *group)
{
	for (int wait = 0; wait < 1000; wait++) {
		if (!run_exists(group, "groups/" GROUP))
			return;
		usleep(10000);
	}
	fail_msg("the supervisor does not end");
}

static pid_t supervisor_pid(struct group *group)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	assert_int_equal(
		getsockopt(control_fd(group->control), SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
	return peer.pid;
}

static void without_a_supervisor_connecting_is_enoent(void **state)
{
	struct group *group = group_or_skip(state);
	struct control *control;

	assert_int_equal(
		control_open(group->engine, GROUP, CONTROL_CONNECT_ONLY, NULL, &control, NULL),
		-ENOENT);
	assert_false(run_exists(group, "groups/" GROUP));
}

static void a_detached_supervisor_serves_others_and_ends_with_the_last_container(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container =
		group_container("bg", "trap 'exit 3' TERM; echo r; while :; do sleep 0.05; done");
	struct event event;

	group_create(group, container);
	assert_int_equal(run_detached(group, container, 7), 7);
	assert_int_equal(state_of(group, container).status, CONTAINER_RUNNING);
	group_open(group, CONTROL_CONNECT_ONLY);
	assert_null(control_supervisor(group->control));
	assert_int_not_equal(supervisor_pid(group), getpid());
	assert_int_equal(getsid(supervisor_pid(group)), supervisor_pid(group));
	for (int wait = 0; wait < 500; wait++) {
		cleanup_free char *log = log_of(group, container);

		if (*log)
			break;
		usleep(10000);
	}
	must(group, OPERATION_STOP, container);
	event = next_event(group, EVENT_EXITED, container);
	assert_int_equal(event.exit_code, 3);
	/* It stays for as long as a client does. */
	must(group, OPERATION_STOP, container);
	group_close(group);
	await_no_group(group);
}

static void with_nothing_running_the_command_just_ends(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("short", "exit 0");

	group_create(group, container);
	assert_int_equal(run_detached(group, container, 5), 5);
	await_no_group(group);
	assert_int_equal(state_of(group, container).status, CONTAINER_EXITED);
}

static void an_error_reaches_a_remote_client_whole(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *stays = group_container("stays", "exec sleep 1000");
	cleanup_container struct container *bad = group_container("bad", "true");
	struct request request = request_for(OPERATION_START, bad);
	cleanup_error struct error err = ERROR_INIT;

	free(bad->spec.args[0]);
	bad->spec.args[0] = xstrdup("/no/such/program");
	group_create(group, stays);
	group_create(group, bad);
	assert_int_equal(run_detached(group, stays, 0), 0);
	group_open(group, CONTROL_DETACHABLE); /* no fork: there is one */
	assert_int_equal(control_call(group->control, &request, &err), -ENOENT);
	assert_int_equal(err.exit_code, 127);
	check_contains(error_text(&err), "/no/such/program");
	must(group, OPERATION_KILL, stays);
	next_event(group, EVENT_EXITED, stays);
	group_close(group);
	await_no_group(group);
}

static void row_14_4_sigterm_ends_the_supervisor_alone_and_a_hang_up_does_not(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("on", "exec sleep 1000");
	struct event event;
	pid_t pid;

	group_create(group, container);
	assert_int_equal(run_detached(group, container, 0), 0);
	group_open(group, CONTROL_CONNECT_ONLY);
	pid = supervisor_pid(group);
	kill(pid, SIGHUP);
	kill(pid, SIGINT);
	kill(pid, SIGPIPE);
	must(group, OPERATION_PAUSE, container);
	must(group, OPERATION_UNPAUSE, container);
	kill(pid, SIGTERM);
	while (control_wait(group->control, WAIT_MS, &event, NULL) == 1)
		event_release(&event);
	assert_int_equal(control_wait(group->control, WAIT_MS, &event, NULL), -ECONNRESET);
	assert_int_equal(ask(group, OPERATION_STOP, container), -ECONNRESET);
	group_close(group);
	assert_int_equal(state_of(group, container).status, CONTAINER_RUNNING);
	group_open(group, CONTROL_FOREGROUND);
	assert_non_null(control_supervisor(group->control));
	must(group, OPERATION_KILL, container);
	next_event(group, EVENT_EXITED, container);
}

static void the_next_command_replaces_a_killed_supervisor(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("kept", "exec sleep 1000");
	cleanup_container struct container *second = group_container("second", "exec sleep 1000");
	pid_t pid;

	group_create(group, container);
	group_create(group, second);
	assert_int_equal(run_detached(group, container, 0), 0);
	group_open(group, CONTROL_CONNECT_ONLY);
	pid = supervisor_pid(group);
	group_close(group);
	kill(pid, SIGKILL);
	assert_int_equal(run_detached(group, second, 0), 0);
	group_open(group, CONTROL_CONNECT_ONLY);
	assert_int_not_equal(supervisor_pid(group), pid);
	must(group, OPERATION_PAUSE, container); /* minded again */
	must(group, OPERATION_KILL, container);
	must(group, OPERATION_KILL, second);
	await_events(group, EVENT_EXITED, 2);
	group_close(group);
	await_no_group(group);
}

/* Supervisors come and go all the time, since every container ends at once: each command must get
 * its start done, by one or the other. */
static void nobody_gets_lost_between_two_supervisors(void **state)
{
	enum { PROCESSES = 6, ROUNDS = 15 };
	struct group *group = group_or_skip(state);
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		cleanup_free char *name = xasprintf("hasty%d", i);
		cleanup_container struct container *container = group_container(name, "exit 0");

		group_create(group, container);
		pids[i] = fork();
		if (pids[i] > 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			int code = run_detached(group, container, 0);

			if (code)
				_exit(code);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	await_no_group(group);
}

static void calls_keep_other_events_for_later(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("ev", "exit 2");
	struct event event;

	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	pump_for(group, 0);
	must(group, OPERATION_STOP, container);
	assert_int_equal(next_event(group, EVENT_STARTED, container).kind, EVENT_STARTED);
	assert_int_equal(next_event(group, EVENT_EXITED, container).kind, EVENT_EXITED);
	assert_int_equal(control_wait(group->control, 10, &event, NULL), 0);
}

static const struct CMUnitTest tests[] = {
	group_test(without_a_supervisor_connecting_is_enoent),
	group_test(a_detached_supervisor_serves_others_and_ends_with_the_last_container),
	group_test(with_nothing_running_the_command_just_ends),
	group_test(an_error_reaches_a_remote_client_whole),
	group_test(row_14_4_sigterm_ends_the_supervisor_alone_and_a_hang_up_does_not),
	group_test(the_next_command_replaces_a_killed_supervisor),
	group_test(nobody_gets_lost_between_two_supervisors),
	group_test(calls_keep_other_events_for_later),
};

box_main("control", tests)
