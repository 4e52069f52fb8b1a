/* SPDX-License-Identifier: GPL-2.0-or-later
 * supervisor_test.c - real containers under a supervisor in this process: their runs from start to
 * end. */
#include "tests/unit/engine/supervisor/group.h"

static void a_run_is_started_logged_and_its_exit_recorded(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container =
		group_container("one", "echo out; echo err >&2; printf tail; exit 3");
	struct container_state end;
	cleanup_free char *log = NULL;
	struct event event;

	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	event = next_event(group, EVENT_EXITED, container);
	assert_int_equal(event.exit_code, 3);
	assert_false(event.oom_killed);
	assert_false(event.restarting);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 0);
	end = state_of(group, container);
	assert_int_equal(end.status, CONTAINER_EXITED);
	assert_int_equal(end.exit_code, 3);
	assert_true(end.finished_ns >= end.started_ns && end.started_ns > 0);
	assert_int_equal(end.process.pid, 0);
	log = log_of(group, container);
	assert_non_null(strstr(log, "stdout:out\n"));
	assert_non_null(strstr(log, "stderr:err\n"));
	assert_non_null(strstr(log, "stdout:tail\n"));
	assert_int_equal(group->output.length, strlen("out\nerr\ntail"));
	check_no_run(group, container);
}

static void row_14_11_a_full_hook_makes_only_its_container_wait(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *noisy = group_container("noisy",
		"i=0; while [ $i -lt 3000 ]; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; i=$((i+1)); "
		"done; exec sleep 1000");
	cleanup_container struct container *quiet = group_container("quiet", "exit 4");
	size_t seen;

	group_create(group, noisy);
	group_create(group, quiet);
	group_open(group, CONTROL_FOREGROUND);
	group->full = true;
	must(group, OPERATION_START, noisy);
	pump_for(group, 200);
	seen = group->output.length;
	assert_true(seen > 0 && seen <= 65536);
	must(group, OPERATION_START, quiet);
	assert_int_equal(next_event(group, EVENT_EXITED, quiet).exit_code, 4);
	assert_int_equal(group->output.length, seen);
	group->full = false;
	supervisor_read_on(control_supervisor(group->control));
	for (int wait = 0; group->output.length < 3000 * 32 && wait < 1000; wait++)
		pump_for(group, 10);
	assert_int_equal(group->output.length, 3000 * 32);
	assert_int_equal(ask(group, OPERATION_KILL, noisy), 0);
	next_event(group, EVENT_EXITED, noisy);
}

static void row_14_2_stop_is_signal_grace_and_sigkill(void **state)
{
	static const struct {
		const char *script;
		int64_t timeout_ns;
		int exit_code;
		bool waits;
	} rows[] = {
		{ "trap 'exit 5' TERM; echo r; while :; do sleep 0.05; done", 10 * NS_PER_SEC, 5,
			false },
		/* pid 1 without a handler does not even see the signal */
		{ "echo r; while :; do sleep 0.05; done", 300 * NS_PER_MS, 137, true },
		{ "trap '' TERM; echo r; while :; do sleep 0.05; done", 0, 137, false },
	};
	struct group *group = group_or_skip(state);

	group_open(group, CONTROL_FOREGROUND);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *name = xasprintf("stop%zu", i);
		cleanup_container struct container *container =
			group_container(name, rows[i].script);
		struct request request = request_for(OPERATION_STOP, container);
		int64_t start;

		group_create(group, container);
		must(group, OPERATION_START, container);
		await_output(group);
		start = time_monotonic();
		request.timeout_ns = rows[i].timeout_ns;
		assert_int_equal(control_call(group->control, &request, NULL), 0);
		assert_int_equal(
			next_event(group, EVENT_EXITED, container).exit_code, rows[i].exit_code);
		assert_true(time_monotonic() - start < 3 * NS_PER_SEC);
		assert_int_equal(time_monotonic() - start >= 300 * NS_PER_MS, rows[i].waits);
		assert_true(state_of(group, container).stopped_by_user);
		check_no_run(group, container);
		/* What does not run is stopped already. */
		must(group, OPERATION_STOP, container);
	}
}

static void kill_sends_one_signal_and_names_what_does_not_run(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"sig", "trap 'echo usr' USR1; echo r; while :; do sleep 0.05; done");
	struct request request = request_for(OPERATION_KILL, container);
	cleanup_error struct error err = ERROR_INIT;

	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(control_call(group->control, &request, &err), -ESRCH);
	assert_string_equal(error_text(&err), "Container sig is not running");
	must(group, OPERATION_START, container);
	await_output(group);
	request.signal = SIGUSR1;
	assert_int_equal(control_call(group->control, &request, NULL), 0);
	await_output(group);
	request.signal = 0;
	assert_int_equal(control_call(group->control, &request, NULL), 0);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 137);
}

static void a_start_that_fails_says_why_and_leaves_nothing(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("bad", "true");
	struct request request = request_for(OPERATION_START, container);
	cleanup_error struct error err = ERROR_INIT;

	free(container->spec.args[0]);
	container->spec.args[0] = xstrdup("/no/such/program");
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	assert_true(control_call(group->control, &request, &err) < 0);
	assert_int_equal(err.exit_code, 127);
	check_contains(error_text(&err), "container bad");
	assert_int_equal(state_of(group, container).status, CONTAINER_CREATED);
	assert_int_equal(state_of(group, container).exit_code, 127);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 0);
	check_no_run(group, container);
}

static void what_belongs_to_another_group_or_does_not_exist_is_refused(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("alien", "true");
	struct request request = request_for(OPERATION_START, container);

	free(container->group);
	container->group = xstrdup("other");
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(ask(group, OPERATION_START, container), -EINVAL);
	memset(request.id, '0', ID_LENGTH);
	assert_int_equal(control_call(group->control, &request, NULL), -ENOENT);
	request.operation = OPERATION_STOP;
	assert_int_equal(control_call(group->control, &request, NULL), 0);
}

static void row_14_6_on_failure_restarts_up_to_its_bound_with_growing_delays(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("crash", "exit 9");
	int64_t start;

	container->restart = RESTART_ON_FAILURE;
	container->restart_max_retries = 2;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	start = time_monotonic();
	assert_true(next_event(group, EVENT_EXITED, container).restarting);
	assert_int_equal(state_of(group, container).status, CONTAINER_RESTARTING);
	assert_true(next_event(group, EVENT_EXITED, container).restarting);
	assert_false(next_event(group, EVENT_EXITED, container).restarting);
	assert_true(time_monotonic() - start >= 300 * NS_PER_MS);
	assert_int_equal(state_of(group, container).status, CONTAINER_EXITED);
	assert_int_equal(state_of(group, container).restart_count, 2);
	check_no_run(group, container);
}

static void a_stop_ends_the_wait_for_a_restart(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("loop", "exit 1");

	container->restart = RESTART_ALWAYS;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	next_event(group, EVENT_EXITED, container);
	must(group, OPERATION_STOP, container);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 0);
	assert_int_equal(state_of(group, container).status, CONTAINER_EXITED);
	assert_true(state_of(group, container).stopped_by_user);
	pump_for(group, 300);
	assert_int_equal(supervisor_active(control_supervisor(group->control)), 0);
}

static void restart_is_a_new_run_and_a_user_s_stop_is_forgotten(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"again", "trap 'exit 0' TERM; echo r; while :; do sleep 0.05; done");
	pid_t first;

	container->restart = RESTART_UNLESS_STOPPED;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_RESTART, container); /* of a stopped one: a start */
	await_output(group);
	first = state_of(group, container).process.pid;
	must(group, OPERATION_RESTART, container);
	assert_true(next_event(group, EVENT_EXITED, container).restarting);
	assert_int_equal(state_of(group, container).status, CONTAINER_RUNNING);
	assert_int_not_equal(state_of(group, container).process.pid, first);
	assert_false(state_of(group, container).stopped_by_user);
	await_output(group);
	must(group, OPERATION_START, container); /* it runs already */
	must(group, OPERATION_STOP, container);
}

static void a_stop_overtakes_a_restart_and_a_start_follows_a_stop(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container =
		group_container("race", "echo r; while :; do sleep 0.05; done");
	struct request stop = request_for(OPERATION_STOP, container);
	struct request restart = request_for(OPERATION_RESTART, container);
	uint64_t restart_tag, stop_tag, start_tag;
	struct request start = request_for(OPERATION_START, container);
	struct event event;
	int replies = 0;

	stop.timeout_ns = restart.timeout_ns = 200 * NS_PER_MS;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	control_submit(group->control, &restart, &restart_tag, NULL);
	control_submit(group->control, &stop, &stop_tag, NULL);
	while (replies < 2) {
		assert_int_equal(control_wait(group->control, WAIT_MS, &event, NULL), 1);
		if (event.kind == EVENT_REPLY) {
			assert_int_equal(
				event.error.code, event.tag == restart_tag ? -ECANCELED : 0);
			replies++;
		}
		event_release(&event);
	}
	assert_int_equal(state_of(group, container).status, CONTAINER_EXITED);
	must(group, OPERATION_START, container);
	control_submit(group->control, &stop, &stop_tag, NULL);
	control_submit(group->control, &start, &start_tag, NULL);
	for (replies = 0; replies < 2;) {
		assert_int_equal(control_wait(group->control, WAIT_MS, &event, NULL), 1);
		if (event.kind == EVENT_REPLY) {
			assert_int_equal(event.error.code, 0);
			assert_true(event.tag == (replies == 0 ? stop_tag : start_tag));
			replies++;
		}
		event_release(&event);
	}
	assert_int_equal(state_of(group, container).status, CONTAINER_RUNNING);
	assert_int_equal(control_call(group->control, &stop, NULL), 0);
}

static void pause_freezes_and_a_paused_container_can_be_stopped(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"ice", "trap 'exit 0' TERM; while :; do echo tick; sleep 0.02; done");
	size_t length;

	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	assert_int_equal(ask(group, OPERATION_PAUSE, container), -ESRCH);
	must(group, OPERATION_START, container);
	must(group, OPERATION_PAUSE, container);
	assert_int_equal(state_of(group, container).status, CONTAINER_PAUSED);
	assert_true(ask(group, OPERATION_PAUSE, container) < 0);
	assert_true(ask(group, OPERATION_START, container) < 0);
	pump_for(group, 50);
	length = group->output.length;
	pump_for(group, 150);
	assert_int_equal(group->output.length, length);
	must(group, OPERATION_UNPAUSE, container);
	await_output(group);
	must(group, OPERATION_PAUSE, container);
	must(group, OPERATION_STOP, container);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 0);
}

static void auto_remove_leaves_no_container(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("gone", "exit 4");
	struct container *found = NULL;

	container->auto_remove = true;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 4);
	assert_int_equal(container_find(group->engine, "gone", &found, NULL), -ENOENT);
	check_no_run(group, container);
}

static void an_open_stdin_reaches_the_container_and_its_end_too(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container("cat", "cat; echo end");

	container->spec.stdin_open = true;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_true(group->input_fd >= 0);
	assert_int_equal(write(group->input_fd, "hello\n", 6), 6);
	close(group->input_fd);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 0);
	assert_string_equal(strbuf_text(&group->output), "hello\nend\n");
	assert_int_equal(group->inputs_ended, 1);
}

static void a_terminal_container_has_a_pty_in_the_log_and_at_the_hook(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container =
		group_container("tty", "test -t 0 && test -t 2 && read line && echo got $line");
	cleanup_free char *log = NULL;

	container->spec.terminal = true;
	container->spec.stdin_open = true;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_true(group->input_fd >= 0);
	assert_int_equal(write(group->input_fd, "abc\n", 4), 4);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 0);
	check_contains(strbuf_text(&group->output), "got abc\r\n");
	log = log_of(group, container);
	check_contains(log, "stdout:got abc\r\n");
	assert_int_equal(group->input_fd, -1);
}

static void the_container_may_reopen_its_own_stdout(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"reopen", "echo a > /dev/stdout; echo b > /proc/self/fd/2; id -u > /dev/stderr");
	cleanup_free char *log = NULL;

	free(container->spec.user);
	container->spec.user = xstrdup("1234:1234");
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	assert_int_equal(next_event(group, EVENT_EXITED, container).exit_code, 0);
	log = log_of(group, container);
	check_contains(log, "stdout:a\n");
	check_contains(log, "stderr:b\nstderr:1234\n");
}

static void row_14_11_output_is_complete_when_the_exit_is_told(void **state)
{
	enum { LINES = 60000 };
	struct group *group = group_or_skip(state);
	cleanup_container struct container *container = group_container(
		"flood", "i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done");
	struct log_reader_options options = { .tail = -1 };
	struct log_reader *reader = NULL;
	struct log_record record;
	int next = 0;

	container->log_max_size = 100 << 10;
	container->log_max_file = 100;
	group_create(group, container);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, container);
	next_event(group, EVENT_EXITED, container);
	assert_int_equal(log_reader_open(group->engine, container->id, &options, &reader, NULL), 0);
	while (log_reader_next(reader, &record, NULL) == 1) {
		char expected[32];

		snprintf(expected, sizeof(expected), "line %d", next++);
		assert_int_equal(record.length, strlen(expected));
		assert_memory_equal(record.text, expected, record.length);
	}
	assert_int_equal(next, LINES);
	log_reader_free(reader);
}

static void row_14_9_an_oom_kill_is_told_from_a_kill(void **state)
{
	struct group *group = group_or_skip(state);
	cleanup_container struct container *eater =
		group_container("eater", "dd if=/dev/zero of=/dev/null bs=100M count=1");
	struct event event;

	eater->spec.resources.memory_limit = 16 << 20;
	group_create(group, eater);
	group_open(group, CONTROL_FOREGROUND);
	must(group, OPERATION_START, eater);
	event = next_event(group, EVENT_EXITED, eater);
	assert_true(event.oom_killed);
	assert_true(state_of(group, eater).oom_killed);
}

static long resident_kib(void)
{
	cleanup_free char *text = NULL;
	const char *line;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 65536, &text, NULL, NULL), 0);
	line = strstr(text, "RssAnon:");
	return line ? strtol(line + 8, NULL, 10) : 0;
}

static size_t open_fds(void)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(AT_FDCWD, "/proc/self/fd", &names, NULL), 0);
	return strv_length(names);
}

static void row_14_12_a_container_costs_six_descriptors_and_less_than_300_kib(void **state)
{
	enum { COUNT = 40 };
	struct group *group = group_or_skip(state);
	struct container *containers[COUNT];
	long before_kib;
	size_t before_fds, fds;

	group_open(group, CONTROL_FOREGROUND);
	before_kib = resident_kib();
	before_fds = open_fds();
	for (int i = 0; i < COUNT; i++) {
		cleanup_free char *name = xasprintf("many%d", i);
		struct request request;

		containers[i] = group_container(name, "echo up; exec sleep 1000");
		group_create(group, containers[i]);
		request = request_for(OPERATION_START, containers[i]);
		control_submit(group->control, &request, NULL, NULL);
	}
	await_events(group, EVENT_STARTED, COUNT);
	pump_for(group, 200);
	fds = open_fds() - before_fds;
	/* Its pidfd, its log, two FIFOs and their journals. */
	assert_true(fds <= 6 * COUNT);
#ifndef __SANITIZE_ADDRESS__
	assert_true(resident_kib() - before_kib < 300 * COUNT);
	print_message("memory per container: %ld KiB\n", (resident_kib() - before_kib) / COUNT);
#else
	(void)before_kib;
#endif
	for (int i = 0; i < COUNT; i++) {
		struct request request = request_for(OPERATION_STOP, containers[i]);

		request.timeout_ns = 0;
		control_submit(group->control, &request, NULL, NULL);
	}
	await_events(group, EVENT_EXITED, COUNT);
	for (int i = 0; i < COUNT; i++)
		container_free(containers[i]);
	assert_int_equal(open_fds(), before_fds);
}

static const struct CMUnitTest tests[] = {
	group_test(a_run_is_started_logged_and_its_exit_recorded),
	group_test(row_14_11_a_full_hook_makes_only_its_container_wait),
	group_test(row_14_2_stop_is_signal_grace_and_sigkill),
	group_test(kill_sends_one_signal_and_names_what_does_not_run),
	group_test(a_start_that_fails_says_why_and_leaves_nothing),
	group_test(what_belongs_to_another_group_or_does_not_exist_is_refused),
	group_test(row_14_6_on_failure_restarts_up_to_its_bound_with_growing_delays),
	group_test(a_stop_ends_the_wait_for_a_restart),
	group_test(restart_is_a_new_run_and_a_user_s_stop_is_forgotten),
	group_test(a_stop_overtakes_a_restart_and_a_start_follows_a_stop),
	group_test(pause_freezes_and_a_paused_container_can_be_stopped),
	group_test(auto_remove_leaves_no_container),
	group_test(an_open_stdin_reaches_the_container_and_its_end_too),
	group_test(a_terminal_container_has_a_pty_in_the_log_and_at_the_hook),
	group_test(the_container_may_reopen_its_own_stdout),
	group_test(row_14_11_output_is_complete_when_the_exit_is_told),
	group_test(row_14_9_an_oom_kill_is_told_from_a_kill),
	group_test(row_14_12_a_container_costs_six_descriptors_and_less_than_300_kib),
};

box_main("supervisor", tests)
