/* SPDX-License-Identifier: GPL-2.0-or-later
 * state_test.c - the last known state, and what the kernel makes of it. */
#include "engine/container/records.h"

#include "engine/base/times.h"

#include "support.h"

static struct container *created(const struct engine *engine)
{
	struct container *container = container_called("web", "g");
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_create(engine, container, &err), &err);
	return container;
}

static struct container_state running(pid_t pid)
{
	struct container_state state = { .status = CONTAINER_RUNNING, .started_ns = 1000 };

	assert_int_equal(process_identify(pid, &state.process, NULL), 0);
	assert_int_equal(boot_id_read(state.boot_id, NULL), 0);
	return state;
}

static struct container_state save_and_load(
	const struct engine *engine, const char *id, const struct container_state *state)
{
	struct container_state back;
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_save_state(engine, id, state, FILE_DURABLE, &err), &err);
	check_ok(container_load_state(engine, id, &back, &err), &err);
	return back;
}

static void never_started_is_created(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state back;

	assert_int_equal(container_load_state(&world->engine, c->id, &back, NULL), 0);
	assert_int_equal(back.status, CONTAINER_CREATED);
	assert_string_equal(container_status_name(back.status), "created");
}

static void no_container_has_no_state(void **state)
{
	struct world *world = *state;
	struct container_state s = { .status = CONTAINER_EXITED };
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(container_load_state(&world->engine, "abc", &s, &err), -ENOENT);
	assert_string_equal(error_text(&err), "No such container: abc");
	assert_int_equal(
		container_save_state(&world->engine, "abc", &s, FILE_VOLATILE, &err), -ENOENT);
	assert_string_equal(error_text(&err), "No such container: abc");
}

static void a_state_survives_a_round_trip(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state s = {
		.status = CONTAINER_EXITED,
		.exit_code = 137,
		.oom_killed = true,
		.stopped_by_user = true,
		.error = xstrdup("exec: \"x\": not found"),
		.started_ns = 1795500000123456789,
		.finished_ns = 1795500000987654321,
		.restart_count = 4,
		.restart_attempts = 2,
		.health = HEALTH_UNHEALTHY,
		.post_start_due = true,
	};
	struct container_state back = save_and_load(&world->engine, c->id, &s);

	assert_int_equal(back.status, CONTAINER_EXITED);
	assert_int_equal(back.exit_code, 137);
	assert_true(back.oom_killed && back.stopped_by_user);
	assert_string_equal(back.error, s.error);
	assert_true(back.started_ns == s.started_ns);
	assert_true(back.finished_ns == s.finished_ns);
	assert_int_equal(back.restart_count, 4);
	assert_int_equal(back.restart_attempts, 2);
	assert_int_equal(back.health, HEALTH_UNHEALTHY);
	assert_true(back.post_start_due);
	container_state_release(&s);
	container_state_release(&back);
}

static void what_lives_is_running(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state s = running(getpid());
	struct container_state back = save_and_load(&world->engine, c->id, &s);

	assert_int_equal(back.status, CONTAINER_RUNNING);
	assert_int_equal(back.process.pid, getpid());
	assert_true(back.process.start_time == s.process.start_time);
	s.status = CONTAINER_PAUSED;
	back = save_and_load(&world->engine, c->id, &s);
	assert_int_equal(back.status, CONTAINER_PAUSED);
}

static void check_ended(const struct container_state *state)
{
	assert_int_equal(state->status, CONTAINER_EXITED);
	assert_int_equal(state->exit_code, -1);
	assert_true(state->finished_ns == 0);
	assert_true(state->started_ns == 1000);
	assert_int_equal(state->process.pid, 0);
}

static void row_13_3_a_recycled_pid_is_not_it(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state s = running(getpid());
	struct container_state back;

	s.process.start_time--;
	back = save_and_load(&world->engine, c->id, &s);
	check_ended(&back);
}

static void row_13_4_nothing_runs_on_after_a_reboot(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state s = running(getpid());
	struct container_state back;

	s.boot_id[0] = s.boot_id[0] == '0' ? '1' : '0';
	back = save_and_load(&world->engine, c->id, &s);
	check_ended(&back);
	s.boot_id[0] = '\0';
	back = save_and_load(&world->engine, c->id, &s);
	check_ended(&back);
}

static void a_zombie_has_ended(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	struct container_state s = running(pid);

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	struct container_state back = save_and_load(&world->engine, c->id, &s);

	waitpid(pid, NULL, 0);
	check_ended(&back);
}

static void row_13_5_a_bad_state_names_its_file(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{ "", -EBADMSG, "state.json: the file is empty" },
		{ "{\"version\":1,\"status\":\"runn", -EBADMSG, "state.json: " },
		{ "{\"version\":1,\"exitCode\":0}", -EBADMSG, "state.json: 'status': missing" },
		{ "{\"version\":1,\"status\":\"exited\"}", -EBADMSG,
			"state.json: 'exitCode': missing" },
		{ "{\"version\":1,\"status\":\"asleep\",\"exitCode\":0}", -EBADMSG,
			"state.json: 'status': unknown value 'asleep'" },
		{ "{\"version\":9,\"status\":\"asleep\"}", -ENOTSUP,
			"state.json: written by a newer mycompose (format 9" },
	};
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	cleanup_free char *path = xasprintf("containers/%s/state.json", c->id);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct container_state back = { .exit_code = 77 };

		write_file(world->engine.data_fd, path, cases[i].text);
		assert_int_equal(
			container_load_state(&world->engine, c->id, &back, &err), cases[i].code);
		assert_non_null(strstr(error_text(&err), cases[i].message));
		assert_non_null(strstr(error_text(&err), c->id));
		assert_int_equal(back.exit_code, 77);
	}
}

static void status_texts_are_dockers(void **state)
{
	const int64_t now = 1795500000 * NS_PER_SEC;
	const struct {
		struct container_state state;
		const char *text;
	} cases[] = {
		{ { .status = CONTAINER_CREATED }, "Created" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now - 2 * NS_PER_SEC },
			"Up 2 seconds" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now }, "Up Less than a second" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now + 9 * NS_PER_SEC },
			"Up Less than a second" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now, .health = HEALTH_STARTING },
			"Up Less than a second (health: starting)" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now, .health = HEALTH_HEALTHY },
			"Up Less than a second (healthy)" },
		{ { .status = CONTAINER_RUNNING, .started_ns = now, .health = HEALTH_UNHEALTHY },
			"Up Less than a second (unhealthy)" },
		{ { .status = CONTAINER_PAUSED, .started_ns = now, .health = HEALTH_HEALTHY },
			"Up Less than a second (Paused)" },
		{ { .status = CONTAINER_EXITED, .exit_code = 1, .health = HEALTH_UNHEALTHY },
			"Exited (1)" },
		{ { .status = CONTAINER_PAUSED, .started_ns = now - 60 * NS_PER_SEC },
			"Up About a minute (Paused)" },
		{ { .status = CONTAINER_EXITED,
			  .exit_code = 137,
			  .finished_ns = now - 180 * NS_PER_SEC },
			"Exited (137) 3 minutes ago" },
		{ { .status = CONTAINER_EXITED, .finished_ns = now - 49 * 3600 * NS_PER_SEC },
			"Exited (0) 2 days ago" },
		{ { .status = CONTAINER_EXITED, .exit_code = -1 }, "Exited (unknown)" },
		{ { .status = CONTAINER_RESTARTING,
			  .exit_code = 1,
			  .finished_ns = now - 5 * NS_PER_SEC },
			"Restarting (1) 5 seconds ago" },
		{ { .status = CONTAINER_DEAD }, "Dead" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *text = container_status_text(&cases[i].state, now);

		assert_string_equal(text, cases[i].text);
	}
}

static void what_its_supervisor_minds_is_up(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine);
	struct container_state running_state = running(getpid());
	bool is_up = true;

	for (enum container_status status = CONTAINER_CREATED; status <= CONTAINER_DEAD; status++)
		assert_int_equal(container_is_up(status), status == CONTAINER_RUNNING ||
								  status == CONTAINER_PAUSED ||
								  status == CONTAINER_RESTARTING);
	check_ok(container_load_is_up(&world->engine, c->id, &is_up, NULL), NULL);
	assert_false(is_up);
	container_save_state(&world->engine, c->id, &running_state, FILE_VOLATILE, NULL);
	check_ok(container_load_is_up(&world->engine, c->id, &is_up, NULL), NULL);
	assert_true(is_up);
	running_state.process.start_time++; /* another's */
	container_save_state(&world->engine, c->id, &running_state, FILE_VOLATILE, NULL);
	check_ok(container_load_is_up(&world->engine, c->id, &is_up, NULL), NULL);
	assert_false(is_up);
	assert_int_equal(container_load_is_up(&world->engine, "abc", &is_up, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(never_started_is_created),
		world_test(no_container_has_no_state),
		world_test(a_state_survives_a_round_trip),
		world_test(what_lives_is_running),
		world_test(row_13_3_a_recycled_pid_is_not_it),
		world_test(row_13_4_nothing_runs_on_after_a_reboot),
		world_test(a_zombie_has_ended),
		world_test(what_its_supervisor_minds_is_up),
		world_test(row_13_5_a_bad_state_names_its_file),
		cmocka_unit_test(status_texts_are_dockers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
