/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting containers: what a process inside sees, has and may. */
#include "tests/unit/engine/container/box.h"

static void plain_container_runs_and_ends(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container, "echo $$ $(hostname); exit 7");

	assert_string_equal(outcome.output, "1 box\n");
	assert_int_equal(outcome.exit_code, 7);
	free(outcome.output);
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

static const struct CMUnitTest tests[] = {
	box_test(plain_container_runs_and_ends),
	box_test(exec_joins_everything),
};

box_main("launch", tests)
