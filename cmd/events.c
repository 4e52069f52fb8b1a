/* SPDX-License-Identifier: GPL-2.0-or-later
 * events.c - `events`: what happens to the project's containers, or, where there is no project, to
 * all, as it happens. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/app.h"
#include "cmd/escape.h"
#include "cmd/event_watch.h"
#include "cmd/log_follow.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "compose/labels.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

struct events_options {
	bool json;
	char *since;
	char *until;
};

#define E(field) offsetof(struct events_options, field)
static const struct flag events_flags[] = {
	{ 0, "json", FLAG_BOOL, E(json), NULL, "One JSON object a line", 0 },
	{ 0, "since", FLAG_STRING, E(since), "TIME",
		"Also what has happened since a time (RFC 3339) or a duration back (42m), as far "
		"as "
		"it is still known",
		0 },
	{ 0, "until", FLAG_STRING, E(until), "TIME",
		"End at a time (RFC 3339) or at a duration back (42m)", 0 },
	FLAG_END,
};

struct printer {
	const struct app *app;
	const struct events_options *options;
	char *const *services;
	int64_t since_ns;
};

static bool is_meant(const struct printer *printer, const struct event_record *record)
{
	const char *project = env_get(record->labels, LABEL_PROJECT);
	const char *service = env_get(record->labels, LABEL_SERVICE);
	const char *one_off = env_get(record->labels, LABEL_ONE_OFF);

	if (record->time_ns < printer->since_ns)
		return false;
	if (!printer->app->project_name)
		return true;
	if (!project || strcmp(project, printer->app->project_name) || !service)
		return false;
	if (one_off && !strcmp(one_off, "True"))
		return false;
	return !strv_length(printer->services) || strv_contains(printer->services, service);
}

/* What docker tells of the container beside its id, sorted: its labels too, except for those by
 * which Compose finds it again. */
static char **attributes_of(const struct event_record *record)
{
	char **all = strv_copy(record->attributes);

	strv_take(&all, xasprintf("image=%s", record->image ? record->image : ""));
	strv_take(&all, xasprintf("name=%s", record->name));
	for (char **label = record->labels; label && *label; label++)
		if (strncmp(*label, LABEL_PREFIX, strlen(LABEL_PREFIX)))
			strv_add(&all, *label);
	strv_sort(all);
	return all;
}

static void print_json(const struct event_record *record)
{
	const char *service = env_get(record->labels, LABEL_SERVICE);
	cleanup_strv char **attributes = attributes_of(record);
	cleanup_free char *stamp = time_format_rfc3339(record->time_ns);
	cleanup_json struct json *object = json_new_object();
	struct json *map = json_new_object();
	cleanup_free char *text = NULL;

	for (char **attribute = attributes; *attribute; attribute++) {
		cleanup_free char *key = xstrndup(*attribute, strcspn(*attribute, "="));
		const char *value = strchr(*attribute, '=');

		json_set_string(map, key, value ? value + 1 : "");
	}
	json_set_string(object, "action", record->action);
	json_set(object, "attributes", map);
	json_set_string(object, "id", record->id);
	json_set_string(object, "service", service ? service : "");
	json_set_string(object, "time", stamp);
	json_set_string(object, "type", "container");
	text = json_print_go(object);
	printf("%s\n", text);
}

/* Compose: local time with a blank, an empty line after each; docker: RFC 3339, none. */
static void print_line(const struct event_record *record, bool for_compose)
{
	cleanup_strv char **attributes = attributes_of(record);
	cleanup_free char *joined = strv_join(attributes, ", ");
	cleanup_free char *shown = escape_control(joined);
	cleanup_free char *action = escape_control(record->action);
	time_t seconds = (time_t)(record->time_ns / NS_PER_SEC);
	char stamp[64];
	struct tm local;

	if (!for_compose) {
		char exact[31];

		time_format_log(record->time_ns, exact);
		printf("%s container %s %s (%s)\n", exact, action, record->id, shown);
		return;
	}
	localtime_r(&seconds, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local);
	printf("%s.%06d container %s %s (%s)\n\n", stamp,
		(int)(record->time_ns % NS_PER_SEC / 1000), action, record->id, shown);
}

static int print_event(const struct event_record *record, void *arg, struct error *err)
{
	const struct printer *printer = arg;

	(void)err;
	if (!is_meant(printer, record))
		return 0;
	if (printer->options->json)
		print_json(record);
	else
		print_line(record, printer->app->project_name != NULL);
	return 0;
}

static int check_services(const struct app *app, char *const *services, struct error *err)
{
	for (; *services; services++)
		if (!app_is_service(app, *services))
			return error_set(err, -EINVAL, "no such service: %s", *services);
	return 0;
}

static int run_events(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct events_options *options = opaque;
	cleanup_event_reader struct event_reader *reader = NULL;
	struct printer printer = { app, options, args, 0 };
	struct event_watch watch = { .event = print_event, .arg = &printer };
	int64_t now = time_now();
	int r = 0;

	if (!app->project_name && app->project_error.code)
		return error_move(err, &app->project_error);
	r = app->project_name ? check_services(app, args, err)
			      : app_need_operands(app, args, 0, 0, err);
	if (r == 0 && options->since)
		r = log_time_parse("--since", options->since, now, &printer.since_ns, err);
	if (r == 0 && options->until)
		r = log_time_parse("--until", options->until, now, &watch.until_ns, err);
	if (r == 0)
		r = event_reader_open(&app->engine,
			options->since ? EVENTS_FROM_FIRST : EVENTS_FROM_NOW, &reader, err);
	if (r < 0)
		return r;
	watch.reader = reader;
	return event_watch_run(&watch, err);
}

const struct verb verb_events = {
	.name = "events",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "Tell what happens to containers as it happens",
	.flags = events_flags,
	.options_size = sizeof(struct events_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_events,
};
