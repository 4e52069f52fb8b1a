/* SPDX-License-Identifier: GPL-2.0-or-later
 * event_log_test.c - what is appended is read again, across rotations and broken lines. */
#include "engine/container/event_log.h"

#include "tests/unit/engine/container/support.h"

static struct event_reader *reader_of(const struct world *world, enum event_start start)
{
	cleanup_error struct error err = ERROR_INIT;
	struct event_reader *reader = NULL;

	check_ok(event_reader_open(&world->engine, start, &reader, &err), &err);
	return reader;
}

/* The next event's action and attribute, NULL when there is none. */
static char *next(struct event_reader *reader)
{
	cleanup_event_record struct event_record record = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	int r = event_reader_next(reader, &record, &err);

	check_ok(r, &err);
	if (r == 0)
		return NULL;
	return xasprintf("%s %s %s", record.name, record.action,
		record.attributes ? record.attributes[0] : "-");
}

static void expect(struct event_reader *reader, const char *text)
{
	cleanup_free char *got = next(reader);

	if (!got)
		fail_msg("no event, expected '%s'", text);
	assert_string_equal(got, text);
}

static void what_is_written_is_read_in_order(void **state)
{
	struct world *world = *state;
	struct container *container = container_called("web", "demo");
	cleanup_event_reader struct event_reader *reader = NULL;
	cleanup_event_record struct event_record record = { 0 };

	container->image_ref = xstrdup("bb");
	strv_add(&container->labels, "a=\"quoted\"\n");
	event_log_add(&world->engine, container, "create", NULL);
	event_log_add(&world->engine, container, "die", "exitCode=3");
	reader = reader_of(world, EVENTS_FROM_FIRST);
	assert_int_equal(event_reader_next(reader, &record, NULL), 1);
	assert_string_equal(record.id, container->id);
	assert_string_equal(record.image, "bb");
	assert_string_equal(record.labels[0], "a=\"quoted\"\n");
	assert_true(record.time_ns > 0);
	expect(reader, "web die exitCode=3");
	assert_null(next(reader));
	event_log_add(&world->engine, container, "destroy", NULL);
	expect(reader, "web destroy -");
	container_free(container);
}

static void from_now_on_is_without_the_past(void **state)
{
	struct world *world = *state;
	struct container *container = container_called("web", "demo");
	cleanup_event_reader struct event_reader *early = reader_of(world, EVENTS_FROM_NOW);
	cleanup_event_reader struct event_reader *late = NULL;

	event_log_add(&world->engine, container, "create", NULL);
	late = reader_of(world, EVENTS_FROM_NOW);
	event_log_add(&world->engine, container, "start", NULL);
	expect(early, "web create -"); /* it came before there was a log at all */
	expect(early, "web start -");
	expect(late, "web start -");
	container_free(container);
}

static void nothing_is_lost_when_the_log_is_rotated_and_it_stays_small(void **state)
{
	struct world *world = *state;
	struct container *container = container_called("web", "demo");
	cleanup_event_reader struct event_reader *reader = NULL;
	cleanup_fd int dir_fd = -1;
	struct stat now, old;

	/* The reader holds the file that will become the old one and later none at all. */
	event_log_add(&world->engine, container, "create", NULL);
	reader = reader_of(world, EVENTS_FROM_FIRST);
	expect(reader, "web create -");
	for (int i = 0; i < 9000; i++) {
		cleanup_free char *attribute = xasprintf("n=%d", i);

		event_log_add(&world->engine, container, "kill", attribute);
		if (i % 500 == 499) {
			for (int told = i - 499; told <= i; told++) {
				cleanup_free char *line = xasprintf("web kill n=%d", told);

				expect(reader, line);
			}
		}
	}
	assert_null(next(reader));
	dir_fd = openat(world->engine.run_fd, "events", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fstatat(dir_fd, "log", &now, 0), 0);
	assert_int_equal(fstatat(dir_fd, "log.1", &old, 0), 0);
	assert_true(now.st_size < EVENT_LOG_SIZE_MAX);
	assert_true(old.st_size < EVENT_LOG_SIZE_MAX + 1024);
	container_free(container);
}

static void lines_that_are_no_events_are_passed_over(void **state)
{
	struct world *world = *state;
	struct container *container = container_called("web", "demo");
	cleanup_event_reader struct event_reader *reader = reader_of(world, EVENTS_FROM_FIRST);
	cleanup_fd int fd = -1;
	static const char rubbish[] = "{\"time\":1\nhalf a li\n[]\n\n{\"action\":\"x\"}\n";

	fd = openat(world->engine.run_fd, "events/log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, rubbish, strlen(rubbish)), (ssize_t)strlen(rubbish));
	event_log_add(&world->engine, container, "start", NULL);
	expect(reader, "web start -");
	assert_null(next(reader));
	container_free(container);
}

static void creation_removal_and_a_new_name_are_told(void **state)
{
	struct world *world = *state;
	struct container *container = container_called("web", "demo");
	cleanup_event_reader struct event_reader *reader = reader_of(world, EVENTS_FROM_NOW);
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_create(&world->engine, container, &err), &err);
	check_ok(container_rename(&world->engine, container, "new", &err), &err);
	check_ok(container_remove(&world->engine, container, false, NULL, &err), &err);
	expect(reader, "web create -");
	expect(reader, "new rename oldName=web");
	expect(reader, "new destroy -");
	assert_null(next(reader));
	container_free(container);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(what_is_written_is_read_in_order),
		world_test(from_now_on_is_without_the_past),
		world_test(nothing_is_lost_when_the_log_is_rotated_and_it_stays_small),
		world_test(lines_that_are_no_events_are_passed_over),
		world_test(creation_removal_and_a_new_name_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
