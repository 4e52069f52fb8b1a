/* SPDX-License-Identifier: GPL-2.0-or-later
 * logs.c - `logs`: services with their names before the lines, or one container's raw output. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/log_follow.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_forward.h"

struct logs_options {
	bool follow;
	bool timestamps;
	bool no_color;
	bool no_log_prefix;
	bool details;
	int64_t index;
	char *tail;
	char *since;
	char *until;
};

#define L(field) offsetof(struct logs_options, field)
static const struct flag logs_flags[] = {
	{ 'f', "follow", FLAG_BOOL, L(follow), NULL, "Go on as more is written", 0 },
	{ 'n', "tail", FLAG_STRING, L(tail), "N", "Only the last N lines of each container", 0 },
	{ 't', "timestamps", FLAG_BOOL, L(timestamps), NULL, "Times before the lines", 0 },
	{ 0, "since", FLAG_STRING, L(since), "TIME",
		"Only what was written after a time (RFC 3339) or a duration back (42m)", 0 },
	{ 0, "until", FLAG_STRING, L(until), "TIME",
		"Only what was written before a time (RFC 3339) or a duration back (42m)", 0 },
	{ 0, "no-color", FLAG_BOOL, L(no_color), NULL, "No colours", 0 },
	{ 0, "no-log-prefix", FLAG_BOOL, L(no_log_prefix), NULL, "No names before the lines", 0 },
	{ 0, "index", FLAG_INT, L(index), "N", "Only the service's container with this number", 0 },
	{ 0, "details", FLAG_BOOL, L(details), NULL, NULL, 0 },
	FLAG_END,
};

static int follow_options(
	const struct logs_options *options, struct log_follow_options *ret, struct error *err)
{
	int64_t now = time_now();
	int r = 0;

	*ret = (struct log_follow_options){
		.reader = { .tail = -1 },
		.printer = { options->no_log_prefix, options->timestamps, options->no_color },
		.follow = options->follow,
	};
	if (options->tail)
		r = log_tail_parse(options->tail, &ret->reader.tail, err);
	if (r == 0 && options->since)
		r = log_time_parse("--since", options->since, now, &ret->reader.since_ns, err);
	if (r == 0 && options->until)
		r = log_time_parse("--until", options->until, now, &ret->reader.until_ns, err);
	return r;
}

struct selection {
	struct app *app;
	const struct logs_options *options;
	char *const *services;
};

/* `attach: false` hides a service unless it is named. What has never run has written nothing, and,
 * while it takes another's place, not even its name yet. */
static bool is_selected(const struct listed *listed, void *arg)
{
	const struct selection *selection = arg;
	const char *name = listed_service(listed);
	const struct service *service;

	if (listed_is_one_off(listed) || listed->state.status == CONTAINER_CREATED)
		return false;
	if (selection->options->index && selection->options->index != listed_number(listed))
		return false;
	if (strv_length(selection->services))
		return strv_contains(selection->services, name);
	service = selection->app->project ? project_find_service(selection->app->project, name)
					  : NULL;
	return !service || service->attach;
}

static int add_containers(struct log_follow *follow, void *arg, struct error *err)
{
	struct selection *selection = arg;
	cleanup_listed struct listed_set set = LISTED_INIT;
	int r = listed_load(&selection->app->engine, selection->app->project_name, &set, err);

	if (r < 0)
		return r;
	listed_filter(&set, is_selected, selection);
	listed_sort_by_name(&set);
	for (size_t i = 0; r == 0 && i < set.count; i++)
		/* Without a log there is nothing to be shown; only who asks for that one container
		 * is told. */
		if (log_driver_keeps_file(set.items[i].container->log_driver))
			r = log_follow_add(follow, &set.items[i], err);
	return r;
}

static int logs_project(
	struct app *app, const struct logs_options *options, char **services, struct error *err)
{
	struct selection selection = { app, options, services };
	struct log_follow_options wanted;
	struct log_follow *follow;
	int r;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	if (options->index && strv_length(services) != 1)
		return error_set(err, -EINVAL, "--index requires one service to be selected");
	r = follow_options(options, &wanted, err);
	if (r < 0)
		return r;
	wanted.project = app->project_name;
	follow = log_follow_new(app, &wanted);
	r = add_containers(follow, &selection, err);
	if (r == 0)
		r = log_follow_run(follow, add_containers, &selection, err);
	log_follow_free(follow);
	return r;
}

static int logs_container(
	struct app *app, const struct logs_options *options, const char *name, struct error *err)
{
	cleanup_container struct container *container = NULL;
	struct log_follow_options wanted;
	struct log_follow *follow;
	struct listed listed = { 0 };
	int r;

	r = follow_options(options, &wanted, err);
	if (r == 0)
		r = container_find(&app->engine, name, &container, err);
	if (r == 0)
		r = container_load_state(&app->engine, container->id, &listed.state, err);
	if (r == 0 && !log_driver_keeps_file(container->log_driver))
		r = error_set(err, -EOPNOTSUPP,
			"container %s: configured logging driver does not support reading: '%s' "
			"keeps nothing",
			container->name, container->log_driver);
	if (r < 0)
		return r;
	listed.container = container;
	wanted.printer.no_prefix = true;
	wanted.printer.raw = true;
	follow = log_follow_new(app, &wanted);
	r = log_follow_add(follow, &listed, err);
	if (r == 0)
		r = log_follow_run(follow, NULL, NULL, err);
	log_follow_free(follow);
	container_state_release(&listed.state);
	return r;
}

static int run_logs(struct app *app, void *options, char **args, struct error *err)
{
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return logs_project(app, options, args, err);
	r = app_need_operands(app, args, 1, 1, err);
	return r < 0 ? r : logs_container(app, options, args[0], err);
}

const struct verb verb_logs = {
	.name = "logs",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER]",
	.summary = "Show what containers have written",
	.flags = logs_flags,
	.options_size = sizeof(struct logs_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_logs,
};
