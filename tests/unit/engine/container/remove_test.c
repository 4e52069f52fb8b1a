/* SPDX-License-Identifier: GPL-2.0-or-later
 * remove_test.c - containers go whole, and interrupted removals are finished. */
#include "engine/base/ids.h"
#include "engine/container/records.h"

#include "support.h"

static struct container *created(
	const struct engine *engine, const char *name, const char *named, const char *anonymous)
{
	struct container *container = container_called(name, "g");
	cleanup_error struct error err = ERROR_INIT;

	if (named)
		add_volume(container, named, false);
	if (anonymous)
		add_volume(container, anonymous, true);
	check_ok(container_create(engine, container, &err), &err);
	cleanup_free char *run_dir = xasprintf("containers/%s/stdio", container->id);
	cleanup_free char *file = xasprintf("containers/%s/upper/file", container->id);

	assert_int_equal(dir_make(engine->run_fd, run_dir, 0700, NULL), 0);
	write_file(engine->data_fd, file, "x");
	return container;
}

static bool is_found(const struct engine *engine, const char *text)
{
	cleanup_container struct container *found = NULL;

	return container_find(engine, text, &found, NULL) == 0;
}

static void check_gone(const struct engine *engine, const struct container *container)
{
	cleanup_free char *path = xasprintf("containers/%s", container->id);
	cleanup_free char *name = xasprintf("containers/names/%s", container->name);

	assert_false(is_found(engine, container->name));
	assert_false(is_found(engine, container->id));
	assert_false(exists(engine, path));
	assert_false(exists(engine, name));
	assert_int_equal(faccessat(engine->run_fd, path, F_OK, 0), -1);
	check_no_leftovers(engine, "containers");
	check_no_leftovers(engine, "volumes");
}

static void removed_without_its_volumes(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", "data", "anon");
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_remove(&world->engine, c, false, NULL, &err), &err);
	check_gone(&world->engine, c);
	assert_true(exists(&world->engine, "volumes/data/_data"));
	assert_true(exists(&world->engine, "volumes/anon/_data"));
	check_ok(container_remove(&world->engine, c, false, NULL, &err),
		&err); /* absent is success */
}

static void removed_with_its_anonymous_volumes(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", "data", "anon");
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_remove(&world->engine, c, true, NULL, &err), &err);
	check_gone(&world->engine, c);
	assert_true(exists(&world->engine, "volumes/data/_data"));
	assert_false(exists(&world->engine, "volumes/anon"));
}

static void a_shared_anonymous_volume_goes_with_the_last(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *a = created(&world->engine, "a", NULL, "anon");
	cleanup_container struct container *b = created(&world->engine, "b", NULL, "anon");

	check_ok(container_remove(&world->engine, a, true, NULL, NULL), NULL);
	assert_true(exists(&world->engine, "volumes/anon/_data"));
	check_ok(container_remove(&world->engine, b, true, NULL, NULL), NULL);
	assert_false(exists(&world->engine, "volumes/anon"));
}

static void save_running(const struct engine *engine, const char *id, pid_t pid)
{
	struct container_state state = { .status = CONTAINER_RUNNING };

	assert_int_equal(process_identify(pid, &state.process, NULL), 0);
	assert_int_equal(boot_id_read(state.boot_id, NULL), 0);
	assert_int_equal(container_save_state(engine, id, &state, FILE_VOLATILE, NULL), 0);
}

static void a_running_one_is_refused(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", NULL, NULL);
	cleanup_error struct error err = ERROR_INIT;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	save_running(&world->engine, c->id, pid);
	assert_int_equal(container_remove(&world->engine, c, true, NULL, &err), -EBUSY);
	assert_non_null(strstr(error_text(&err), "You cannot remove a running container"));
	assert_true(is_found(&world->engine, "web"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check_ok(container_remove(&world->engine, c, true, NULL, &err), &err);
	check_gone(&world->engine, c);
}

static void row_13_5_a_damaged_state_does_not_make_it_immortal(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", NULL, NULL);
	cleanup_free char *path = xasprintf("containers/%s/state.json", c->id);
	cleanup_error struct error err = ERROR_INIT;

	write_file(world->engine.data_fd, path, "{\"version\":1,\"sta");
	check_ok(container_remove(&world->engine, c, false, NULL, &err), &err);
	check_gone(&world->engine, c);
}

struct job {
	const struct engine *engine;
	const struct container *container;
};

static int do_remove(void *arg)
{
	struct job *job = arg;

	return container_remove(job->engine, job->container, true, NULL, NULL);
}

static int do_sweep(void *arg)
{
	struct job *job = arg;

	return container_sweep(job->engine, NULL);
}

/* Whole means: with everything it had. */
static void check_whole_or_gone(
	const struct engine *engine, const struct container *c, const char *anonymous)
{
	cleanup_free char *volume = xasprintf("volumes/%s", anonymous);
	cleanup_free char *file = xasprintf("containers/%s/upper/file", c->id);

	if (!is_found(engine, c->id)) {
		check_gone(engine, c);
		assert_false(exists(engine, volume));
		return;
	}
	assert_true(is_found(engine, c->name));
	assert_true(exists(engine, file));
	assert_true(exists(engine, volume));
	check_ok(container_remove(engine, c, true, NULL, NULL), NULL);
	check_gone(engine, c);
}

static void row_13_1_a_removal_killed_anywhere_is_finished_by_the_sweep(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	bool finished = false;
	unsigned int n;

	for (n = 0; !finished; n++) {
		cleanup_free char *anonymous = xasprintf("anon%u", n);
		cleanup_container struct container *c = created(engine, "web", "data", anonymous);
		struct job job = { engine, c };

		finished = killed_at(n, do_remove, &job);
		check_ok(container_sweep(engine, NULL), NULL);
		check_whole_or_gone(engine, c, anonymous);
		assert_true(exists(engine, "volumes/data/_data"));
	}
	assert_true(n > 20);
}

static void row_13_1_a_removal_killed_anywhere_is_finished_by_repeating_it(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	bool finished = false;

	for (unsigned int n = 0; !finished; n++) {
		cleanup_free char *anonymous = xasprintf("anon%u", n);
		cleanup_free char *volume = xasprintf("volumes/%s", anonymous);
		cleanup_container struct container *c = created(engine, "web", NULL, anonymous);
		struct job job = { engine, c };

		finished = killed_at(n, do_remove, &job);
		check_ok(container_remove(engine, c, true, NULL, NULL), NULL);
		check_gone(engine, c);
		assert_false(exists(engine, volume));
	}
}

/* What a killed removal left, and then the sweep is killed as well. */
static void row_13_1_a_sweep_killed_anywhere_is_finished_by_the_next(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	bool finished = false;

	for (unsigned int n = 0; !finished; n++) {
		cleanup_free char *anonymous = xasprintf("anon%u", n);
		cleanup_free char *volume = xasprintf("volumes/%s", anonymous);
		cleanup_container struct container *c = created(engine, "web", NULL, anonymous);
		cleanup_free char *from = xasprintf("containers/%s", c->id);
		cleanup_free char *to =
			xasprintf("containers/" REMOVING_VOLUMES_PREFIX "%s", c->id);
		struct job job = { engine, c };

		assert_int_equal(renameat(engine->data_fd, from, engine->data_fd, to), 0);
		finished = killed_at(n, do_sweep, &job);
		check_ok(container_sweep(engine, NULL), NULL);
		check_gone(engine, c);
		assert_false(exists(engine, volume));
	}
}

static void row_13_10_what_a_link_in_it_leads_to_survives(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", NULL, NULL);
	cleanup_free char *link = xasprintf("containers/%s/upper/link", c->id);
	cleanup_free char *canary = xasprintf("%s/canary", world->path);

	write_file(AT_FDCWD, canary, "sings");
	assert_int_equal(symlinkat(world->path, world->engine.data_fd, link), 0);
	check_ok(container_remove(&world->engine, c, true, NULL, NULL), NULL);
	check_gone(&world->engine, c);
	assert_int_equal(access(canary, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(removed_without_its_volumes),
		world_test(removed_with_its_anonymous_volumes),
		world_test(a_shared_anonymous_volume_goes_with_the_last),
		world_test(a_running_one_is_refused),
		world_test(row_13_5_a_damaged_state_does_not_make_it_immortal),
		world_test(row_13_1_a_removal_killed_anywhere_is_finished_by_the_sweep),
		world_test(row_13_1_a_removal_killed_anywhere_is_finished_by_repeating_it),
		world_test(row_13_1_a_sweep_killed_anywhere_is_finished_by_the_next),
		world_test(row_13_10_what_a_link_in_it_leads_to_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
