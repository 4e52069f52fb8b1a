/* SPDX-License-Identifier: GPL-2.0-or-later
 * groups_test.c - which run directories of groups are swept. */
#include "engine/supervisor/groups.h"

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/supervisor/server.h"
#include "tests/unit/engine/supervisor/group.h"

/* As a supervisor leaves it that is killed. */
static int group_left(const struct engine *engine, const char *name)
{
	cleanup_free char *path = xasprintf("groups/%s", name);
	int dir_fd = dir_make_open(engine->run_fd, path, 0700, NULL);

	assert_true(dir_fd >= 0);
	assert_int_equal(mknodat(dir_fd, CONTROL_SOCKET_NAME, S_IFSOCK | 0600, 0), 0);
	close_fd(&(int){ lock_take(dir_fd, SUPERVISOR_LOCK_NAME, 0, NULL, NULL) });
	return dir_fd;
}

static char *groups_present(const struct engine *engine)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(engine->run_fd, "groups", &names, NULL), 0);
	return strv_join(names, " ");
}

static void row_13_1_groups_of_killed_supervisors_without_containers_are_swept(void **state)
{
	struct group *group = group_or_skip(state);
	struct container *container = group_container("c", "true");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *before = NULL, *after = NULL, *record = NULL;
	int held_fd, lock_fd;

	check_ok(groups_sweep(group->engine, &err), &err); /* no directory at all */
	check_ok(container_create(group->engine, container, &err), &err);
	close(group_left(group->engine, GROUP)); /* the container's */
	close(group_left(group->engine, "_0123456789ab"));
	held_fd = group_left(group->engine, "_held");
	lock_fd = lock_take(held_fd, SUPERVISOR_LOCK_NAME, 0, NULL, NULL);
	assert_true(lock_fd >= 0);
	before = groups_present(group->engine);
	assert_string_equal(before, "_0123456789ab _held " GROUP);
	check_ok(groups_sweep(group->engine, &err), &err);
	after = groups_present(group->engine);
	assert_string_equal(after, "_held " GROUP);
	close(lock_fd);
	close(held_fd);
	check_ok(groups_sweep(group->engine, &err), &err);
	free(steal_ptr(after));
	after = groups_present(group->engine);
	assert_string_equal(after, GROUP);
	record = xasprintf("containers/%s", container->id);
	check_ok(tree_remove(group->engine->data_fd, record, &err), &err);
	container_free(container);
	check_ok(groups_sweep(group->engine, &err), &err);
	free(steal_ptr(after));
	after = groups_present(group->engine);
	assert_string_equal(after, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		group_test(row_13_1_groups_of_killed_supervisors_without_containers_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
