/* SPDX-License-Identifier: GPL-2.0-or-later
 * group.h - a group of real containers under a supervisor, for tests: make them, ask for things,
 * wait for events. Network work happens in a netns of the test's own. */
#ifndef MYCOMPOSE_TESTS_SUPERVISOR_GROUP_H
#define MYCOMPOSE_TESTS_SUPERVISOR_GROUP_H

#include <sched.h>

#include "engine/base/times.h"
#include "engine/supervisor/control.h"
#include "tests/unit/engine/container/box.h"

#define GROUP	"box" /* as box_container has it */
#define WAIT_MS 20000

struct group {
	struct box *box;
	const struct engine *engine;
	struct control *control;
	struct strbuf output; /* what the hook has seen */
	int input_fd;	      /* of the last container with an input */
	int inputs_ended;
	bool full; /* the hook takes no more output */
};

static inline void see_output(const struct container *container, enum log_stream stream,
	int64_t time_ns, const char *bytes, size_t length, void *arg)
{
	struct group *group = arg;

	(void)container;
	(void)stream;
	(void)time_ns;
	strbuf_add(&group->output, bytes, length);
}

static inline bool see_full(void *arg)
{
	return ((struct group *)arg)->full;
}

static inline void see_input(const struct container *container, int fd, void *arg)
{
	struct group *group = arg;

	(void)container;
	group->input_fd = fd;
	if (fd < 0)
		group->inputs_ended++;
}

static inline void group_open(struct group *group, enum control_mode mode)
{
	struct supervisor_hooks hooks = { see_output, see_input, group, see_full };
	cleanup_error struct error err = ERROR_INIT;

	check_ok(control_open(group->engine, GROUP, mode, &hooks, &group->control, &err), &err);
}

static inline void group_close(struct group *group)
{
	control_free(group->control);
	group->control = NULL;
}

static inline int group_setup(void **state)
{
	struct group *group;
	void *box;

	if (box_setup(&box) < 0)
		return -1;
	*state = NULL;
	if (!box)
		return 0;
	group = xcalloc(1, sizeof(*group));
	group->box = box;
	group->engine = &group->box->world->engine;
	group->input_fd = -1;
	*state = group;
	return 0;
}

/* Whatever a test that failed has left running goes now. */
static inline int group_teardown(void **state)
{
	struct group *group = *state;
	struct container **containers = NULL;
	size_t count = 0;
	void *box;

	if (!group)
		return 0;
	group_close(group);
	container_list(group->engine, NULL, &containers, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		bool oom_killed;

		launch_clean(group->engine, group->box->host, containers[i], &oom_killed, NULL);
	}
	container_list_free(containers, count);
	strbuf_release(&group->output);
	box = group->box;
	free(group);
	return box_teardown(&box);
}

#define group_or_skip(state)              \
	({                                \
		if (!*(state))            \
			skip();           \
		(struct group *)*(state); \
	})

#define group_test(f) cmocka_unit_test_setup_teardown(f, group_setup, group_teardown)

static inline struct container *group_container(const char *name, const char *script)
{
	struct container *container = box_container();

	free(container->name);
	container->name = xstrdup(name);
	set_command(container, script);
	return container;
}

static inline void group_create(struct group *group, struct container *container)
{
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_create(group->engine, container, &err), &err);
}

static inline struct request request_for(
	enum operation operation, const struct container *container)
{
	struct request request = { .operation = operation, .timeout_ns = -1 };

	memcpy(request.id, container->id, sizeof(request.id));
	return request;
}

static inline int ask(
	struct group *group, enum operation operation, const struct container *container)
{
	struct request request = request_for(operation, container);

	return control_call(group->control, &request, NULL);
}

static inline void must(
	struct group *group, enum operation operation, const struct container *container)
{
	struct request request = request_for(operation, container);
	cleanup_error struct error err = ERROR_INIT;

	check_ok(control_call(group->control, &request, &err), &err);
}

/* The next event of this kind for this container; others are dropped. */
static inline struct event next_event(
	struct group *group, enum event_kind kind, const struct container *container)
{
	int64_t deadline = time_monotonic() + WAIT_MS * NS_PER_MS;
	struct event event;

	while (time_monotonic() < deadline) {
		if (control_wait(group->control, 100, &event, NULL) != 1)
			continue;
		if (event.kind == kind && strcmp(event.id, container->id) == 0)
			return event;
		event_release(&event);
	}
	fail_msg("no event of kind %d", (int)kind);
	return event;
}

/* So many events of this kind, whoever they are of; a reply must be a success. */
static inline void await_events(struct group *group, enum event_kind kind, int count)
{
	struct event event;

	while (count > 0) {
		assert_int_equal(control_wait(group->control, WAIT_MS, &event, NULL), 1);
		if (event.kind == EVENT_REPLY && event.error.code)
			fail_msg("%s", error_text(&event.error));
		if (event.kind == kind)
			count--;
		event_release(&event);
	}
}

/* Let the supervisor work for a while. */
static inline void pump_for(struct group *group, int ms)
{
	int64_t deadline = time_monotonic() + ms * NS_PER_MS;
	struct event event;

	while (time_monotonic() < deadline) {
		if (control_wait(group->control, 5, &event, NULL) == 1)
			event_release(&event);
	}
}

/* Something that a container writes from now on, or has written unseen: its handlers are set then.
 */
static inline void await_output(struct group *group)
{
	int64_t deadline = time_monotonic() + WAIT_MS * NS_PER_MS;

	while (group->output.length == 0 && time_monotonic() < deadline)
		pump_for(group, 5);
	assert_true(group->output.length > 0);
	strbuf_clear(&group->output);
}

static inline struct container_state state_of(
	struct group *group, const struct container *container)
{
	struct container_state state = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_load_state(group->engine, container->id, &state, &err), &err);
	free(state.error);
	state.error = NULL;
	return state;
}

/* The log as text, "stream:line" each. */
static inline char *log_of(struct group *group, const struct container *container)
{
	struct log_reader_options options = { .tail = -1 };
	struct strbuf text = STRBUF_INIT;
	struct log_reader *reader = NULL;
	struct log_record record;
	cleanup_error struct error err = ERROR_INIT;

	check_ok(log_reader_open(group->engine, container->id, &options, &reader, &err), &err);
	while (log_reader_next(reader, &record, NULL) == 1)
		strbuf_addf(&text, "%s:%.*s\n", log_stream_name(record.stream), (int)record.length,
			record.text);
	log_reader_free(reader);
	return strbuf_steal(&text);
}

static inline bool run_exists(struct group *group, const char *path)
{
	return faccessat(group->engine->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void check_no_run(struct group *group, const struct container *container)
{
	cleanup_free char *path = xasprintf("containers/%s", container->id);
	struct cgroup *cgroup = NULL;

	assert_false(run_exists(group, path));
	assert_int_equal(cgroup_open(group->box->host, group->engine->cgroup_parent, container->id,
				 &cgroup, NULL),
		-ENOENT);
}

#endif
