/* SPDX-License-Identifier: GPL-2.0-or-later
 * wait.c - `wait`: until services' containers, or containers by name, have stopped.
 *
 * The end of a run is read from the log of events, which also tells of runs that a restart policy
 * follows up; the container's state is looked at as well, for ends that nobody has written down. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/down.h"
#include "cmd/event_watch.h"
#include "cmd/listed.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

struct wait_options {
	bool down_project;
};

static const struct flag wait_flags[] = {
	{ 0, "down-project", FLAG_BOOL, offsetof(struct wait_options, down_project), NULL,
		"Take the project down when the first of the containers has stopped", 0 },
	FLAG_END,
};

struct awaited {
	char id[ID_LENGTH + 1];
	bool ended;
	int exit_code;
};

struct wait {
	const struct engine *engine;
	struct awaited *items;
	size_t count;
	size_t ended;
	int last_code;
	bool first_is_enough;
	bool for_compose; /* whole sentences, as they end; else codes in order afterwards */
};

static void end(struct wait *wait, struct awaited *item, int exit_code)
{
	if (item->ended)
		return;
	item->ended = true;
	item->exit_code = exit_code;
	wait->ended++;
	wait->last_code = exit_code;
	if (wait->for_compose)
		printf("container \"%s\" exited with status code %d\n", item->id, exit_code);
}

static int is_over(const struct wait *wait)
{
	return wait->ended == wait->count || (wait->first_is_enough && wait->ended > 0);
}

static int on_event(const struct event_record *record, void *arg, struct error *err)
{
	const char *text = env_get(record->attributes, "exitCode");
	struct wait *wait = arg;
	int64_t code = -1;

	(void)err;
	if (strcmp(record->action, "die"))
		return 0;
	if (text)
		(void)parse_i64(text, -1, 255, &code);
	for (size_t i = 0; i < wait->count && !is_over(wait); i++)
		if (!strcmp(wait->items[i].id, record->id))
			end(wait, &wait->items[i], (int)code);
	return is_over(wait);
}

/* Gone altogether is ended too; with which code nobody knows. */
static int look(void *arg, struct error *err)
{
	struct wait *wait = arg;

	for (size_t i = 0; i < wait->count && !is_over(wait); i++) {
		struct container_state state = { 0 };
		int r;

		if (wait->items[i].ended)
			continue;
		r = container_load_state(wait->engine, wait->items[i].id, &state, err);
		if (r == -ENOENT) {
			error_release(err);
			end(wait, &wait->items[i], -1);
		} else if (r < 0) {
			return r;
		} else if (!container_is_up(state.status)) {
			end(wait, &wait->items[i], state.exit_code);
		}
		container_state_release(&state);
	}
	return is_over(wait);
}

static void add(struct wait *wait, const struct container *container)
{
	struct awaited *item = array_add(wait->items, wait->count);

	memcpy(item->id, container->id, sizeof(item->id));
}

/* 0, 130 or a negative errno. */
static int run_watch(struct wait *wait, struct event_reader *reader, struct error *err)
{
	const struct event_watch watch = { reader, on_event, look, 0, wait };

	return event_watch_run(&watch, err);
}

static bool is_awaited(const struct listed *listed, void *services)
{
	return listed_is_up(listed) && !listed_is_one_off(listed) &&
	       strv_contains(services, listed_service(listed));
}

static int wait_for_services(struct app *app, const struct wait_options *options, char **services,
	struct wait *wait, struct error *err)
{
	cleanup_event_reader struct event_reader *reader = NULL;
	cleanup_listed struct listed_set set = LISTED_INIT;
	int r = 0;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	/* Before the list, so that no end falls in between. */
	r = event_reader_open(&app->engine, EVENTS_FROM_NOW, &reader, err);
	if (r == 0)
		r = listed_load(&app->engine, app->project_name, &set, err);
	if (r < 0)
		return r;
	listed_filter(&set, is_awaited, services);
	listed_sort_by_name(&set);
	if (!set.count)
		return error_set(
			err, -ESRCH, "no containers for project \"%s\"", app->project_name);
	for (size_t i = 0; i < set.count; i++)
		add(wait, set.items[i].container);
	wait->for_compose = true;
	wait->first_is_enough = options->down_project;
	r = run_watch(wait, reader, err);
	fflush(stdout);
	if (r == 0 && options->down_project)
		r = down_project(app, err);
	return r ? r : wait->last_code & 0xff;
}

static int wait_for_containers(struct app *app, char **names, struct wait *wait, struct error *err)
{
	cleanup_event_reader struct event_reader *reader = NULL;
	int r = event_reader_open(&app->engine, EVENTS_FROM_NOW, &reader, err);

	for (; r == 0 && *names; names++) {
		cleanup_container struct container *container = NULL;

		r = container_find(&app->engine, *names, &container, err);
		if (r == 0)
			add(wait, container);
	}
	if (r == 0)
		r = run_watch(wait, reader, err);
	for (size_t i = 0; r == 0 && i < wait->count; i++)
		printf("%d\n", wait->items[i].exit_code);
	return r;
}

static int run_wait(struct app *app, void *options, char **args, struct error *err)
{
	struct wait wait = { .engine = &app->engine };
	enum target_kind kind;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r == 0)
		r = target_kind_of(app, args[0], &kind, err);
	if (r < 0)
		return r;
	r = kind == TARGET_SERVICES ? wait_for_services(app, options, args, &wait, err)
				    : wait_for_containers(app, args, &wait, err);
	free(wait.items);
	return r;
}

const struct verb verb_wait = {
	.name = "wait",
	.usage = "[OPTIONS] SERVICE...|CONTAINER...",
	.summary = "Wait until containers have stopped",
	.flags = wait_flags,
	.options_size = sizeof(struct wait_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES |
		 NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_wait,
};
