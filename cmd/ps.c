/* SPDX-License-Identifier: GPL-2.0-or-later
 * ps.c - `ps`: the project's containers, or, where there is no project, the host's. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/ps_filter.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

struct ps_options {
	bool all;
	bool quiet;
	bool services;
	bool orphans;
	bool no_trunc;
	bool latest;
	bool size;
	int64_t last;
	char **status;
	char **filters;
	char *format;
};

#define P(field) offsetof(struct ps_options, field)
static const struct flag ps_flags[] = {
	{ 'a', "all", FLAG_BOOL, P(all), NULL, "Show all containers, not only running ones", 0 },
	{ 'q', "quiet", FLAG_BOOL, P(quiet), NULL, "Only ids", 0 },
	{ 0, "services", FLAG_BOOL, P(services), NULL, "Only the names of services", 0 },
	{ 0, "status", FLAG_LIST, P(status), "STATUS",
		"Only containers in this state (created, running, paused, restarting, exited, "
		"dead)",
		0 },
	{ 'f', "filter", FLAG_LIST, P(filters), "KEY=VALUE",
		"Only what matches: status; without a project also id, name, label, ancestor, "
		"exited, health, network, volume",
		0 },
	{ 0, "format", FLAG_STRING, P(format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	{ 0, "no-trunc", FLAG_BOOL, P(no_trunc), NULL, "Do not cut ids and commands", 0 },
	{ 0, "orphans", FLAG_BOOL, P(orphans), NULL,
		"Include services that the file does not declare (default: true)", 0 },
	{ 'n', "last", FLAG_INT, P(last), "N", "The N newest of the host, in whatever state", 0 },
	{ 'l', "latest", FLAG_BOOL, P(latest), NULL, "The newest of the host", 0 },
	{ 's', "size", FLAG_BOOL, P(size), NULL, "Show the sizes of writable layers", 0 },
	FLAG_END,
};

static void ps_defaults(void *opaque)
{
	struct ps_options *options = opaque;

	options->last = -1;
	options->orphans = true;
}

static const struct format_column compose_columns[] = {
	{ "Name", "NAME", true },
	{ "Image", "IMAGE", true },
	{ "Command", "COMMAND", true },
	{ "Service", "SERVICE", true },
	{ "RunningFor", "CREATED", true },
	{ "Status", "STATUS", true },
	{ "Ports", "PORTS", true },
	{ "ID", "CONTAINER ID", false },
	{ "Names", "NAMES", false },
	{ "CreatedAt", "CREATED AT", false },
	{ "ExitCode", "EXIT CODE", false },
	{ "Health", "HEALTH", false },
	{ "Labels", "LABELS", false },
	{ "LocalVolumes", "LOCAL VOLUMES", false },
	{ "Mounts", "MOUNTS", false },
	{ "Networks", "NETWORKS", false },
	{ "Project", "PROJECT", false },
	{ "Publishers", "PUBLISHERS", false },
	{ "Size", "SIZE", false },
	{ "State", "STATE", false },
	{ NULL, NULL, false },
};

#define DOCKER_COLUMNS(with_size)                                                          \
	{ "ID", "CONTAINER ID", true }, { "Image", "IMAGE", true },                        \
		{ "Command", "COMMAND", true }, { "RunningFor", "CREATED", true },         \
		{ "Status", "STATUS", true }, { "Ports", "PORTS", true },                  \
		{ "Names", "NAMES", true }, { "Size", "SIZE", with_size },                 \
		{ "CreatedAt", "CREATED AT", false }, { "Labels", "LABELS", false },       \
		{ "LocalVolumes", "LOCAL VOLUMES", false }, { "Mounts", "MOUNTS", false }, \
		{ "Networks", "NETWORKS", false }, { "State", "STATE", false },            \
	{                                                                                  \
		NULL, NULL, false                                                          \
	}

static const struct format_column docker_columns[] = { DOCKER_COLUMNS(false) };
static const struct format_column docker_size_columns[] = { DOCKER_COLUMNS(true) };

static void print_ids(const struct listed_set *set, size_t length)
{
	for (size_t i = 0; i < set->count; i++)
		printf("%.*s\n", (int)length, set->items[i].container->id);
}

static void print_services(const struct listed_set *set)
{
	cleanup_strv char **seen = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const char *service = listed_service(&set->items[i]);

		if (strv_contains(seen, service))
			continue;
		strv_add(&seen, service);
		printf("%s\n", service);
	}
}

/* What a project's `ps` shows. */
struct selection {
	const struct app *app;
	const struct ps_options *options;
	char *const *services;
	char *const *states; /* --status and --filter status= */
};

static bool is_selected(const struct listed *listed, void *arg)
{
	const struct selection *selection = arg;
	const struct ps_options *options = selection->options;
	const char *service = listed_service(listed);
	const char *state = container_status_name(listed->state.status);

	if (strv_length(selection->services) && !strv_contains(selection->services, service))
		return false;
	if (!options->orphans && !app_is_service(selection->app, service))
		return false;
	if (listed_is_one_off(listed) && !options->all)
		return false;
	if (strv_length(selection->states))
		return strv_contains(selection->states, state);
	return options->all || listed_is_up(listed);
}

static int status_filters(const struct ps_options *options, char ***ret, struct error *err)
{
	cleanup_strv char **states = strv_copy(options->status);

	for (size_t i = 0; i < strv_length(options->filters); i++) {
		const char *filter = options->filters[i];
		size_t length = strcspn(filter, "=");

		if (!filter[length])
			return error_set(
				err, -EINVAL, "arguments to --filter should be in form KEY=VAL");
		if (length != strlen("status") || strncmp(filter, "status", length))
			return error_set(err, -EINVAL, "unknown filter %.*s", (int)length, filter);
		strv_add(&states, filter + length + 1);
	}
	*ret = steal_ptr(states);
	return 0;
}

static int ps_project(
	struct app *app, const struct ps_options *options, char **services, struct error *err)
{
	static const struct format_listing listing = { compose_columns, 10, false };
	struct listed_view view = { &app->engine, time_now(), options->no_trunc, options->size };
	struct selection selection = { app, options, services, NULL };
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_listed struct listed_set set = LISTED_INIT;
	cleanup_strv char **states = NULL;
	int r = 0;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = status_filters(options, &states, err);
	if (r == 0)
		r = listed_load(&app->engine, app->project_name, &set, err);
	if (r < 0)
		return r;
	selection.states = states;
	listed_filter(&set, is_selected, &selection);
	listed_sort_by_name(&set);
	if (options->quiet || options->services) {
		if (options->quiet)
			print_ids(&set, ID_LENGTH);
		else
			print_services(&set);
		return 0;
	}
	for (size_t i = 0; i < set.count; i++)
		listed_add_compose(&set.items[i], &view, &items);
	return format_print(options->format, &listing, &items, stdout, err);
}

static bool is_up(const struct listed *listed, void *arg)
{
	(void)arg;
	return listed_is_up(listed);
}

static void keep_first(struct listed_set *set, size_t count)
{
	for (size_t i = count; i < set->count; i++) {
		container_free(set->items[i].container);
		container_state_release(&set->items[i].state);
	}
	if (set->count > count)
		set->count = count;
}

static int ps_host(struct app *app, const struct ps_options *options, struct error *err)
{
	struct format_listing listing = { options->size ? docker_size_columns : docker_columns, 10,
		false };
	struct listed_view view = { &app->engine, time_now(), options->no_trunc, options->size };
	int64_t last = options->latest ? 1 : options->last;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_listed struct listed_set set = LISTED_INIT;
	struct ps_filter *filter = NULL;
	cleanup_strv char **words = strv_copy(options->filters);
	int r;

	for (size_t i = 0; i < strv_length(options->status); i++)
		strv_take(&words, xasprintf("status=%s", options->status[i]));
	r = ps_filter_parse(words, &app->engine, &filter, err);
	if (r == 0)
		r = listed_load(&app->engine, NULL, &set, err);
	if (r < 0) {
		ps_filter_free(filter);
		return r;
	}
	listed_filter(&set, ps_filter_accepts, filter);
	if (!options->all && last < 0 && !ps_filter_has_status(filter))
		listed_filter(&set, is_up, NULL);
	ps_filter_free(filter);
	listed_sort_newest_first(&set);
	if (last >= 0)
		keep_first(&set, (size_t)last);
	if (options->quiet) {
		print_ids(&set, options->no_trunc ? ID_LENGTH : ID_SHORT_LENGTH);
		return 0;
	}
	for (size_t i = 0; i < set.count; i++)
		listed_add_docker(&set.items[i], &view, &items);
	return format_print(options->format, &listing, &items, stdout, err);
}

static int run_ps(struct app *app, void *options, char **args, struct error *err)
{
	int r;

	if (app->project_name)
		return ps_project(app, options, args, err);
	if (app->project_error.code)
		return error_move(err, &app->project_error);
	r = app_need_operands(app, args, 0, 0, err);
	return r < 0 ? r : ps_host(app, options, err);
}

const struct verb verb_ps = {
	.name = "ps",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "List containers: the project's, or all where there is no project",
	.flags = ps_flags,
	.options_size = sizeof(struct ps_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.defaults = ps_defaults,
	.run = run_ps,
};

const struct verb verb_container_ls = {
	.name = "ls",
	.alias = "list",
	.usage = "[OPTIONS]",
	.summary = "List the containers of this host",
	.flags = ps_flags,
	.options_size = sizeof(struct ps_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.defaults = ps_defaults,
	.run = run_ps,
};
