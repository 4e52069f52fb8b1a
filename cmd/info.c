/* SPDX-License-Identifier: GPL-2.0-or-later
 * info.c - `info`: what this host offers, and where mycompose keeps its things. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/format.h"
#include "cmd/host_facts.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"

struct info_options {
	char *format;
};

static const struct flag info_flags[] = {
	{ 'f', "format", FLAG_STRING, offsetof(struct info_options, format), "FORMAT",
		"json, or a template of {{.Field}}", 0 },
	FLAG_END,
};

static struct json *facts_to_json(const struct app *app, const struct facts *facts)
{
	struct json *json = json_new_object();
	struct json *warnings = json_new_array();

	json_set_string(json, "version", MYCOMPOSE_VERSION);
	json_set_string(json, "runRoot", app->engine.run_path);
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		json_set_string(json, fact->key, fact->value);
		if (fact->state != FACT_GOOD) {
			cleanup_free char *text = xasprintf("%s: %s", fact->title, fact->advice);

			json_append_string(warnings, text);
		}
	}
	json_set(json, "warnings", warnings);
	return json;
}

static void print_text(const struct app *app, const struct facts *facts)
{
	printf("%-22s %s\n%-22s %s\n", "Version:", MYCOMPOSE_VERSION,
		"Run root:", app->engine.run_path);
	for (size_t i = 0; i < facts->count; i++) {
		cleanup_free char *title = xasprintf("%s:", facts->items[i].title);

		printf("%-22s %s\n", title, facts->items[i].value);
	}
	for (size_t i = 0; i < facts->count; i++)
		if (facts->items[i].state != FACT_GOOD)
			printf("WARNING: %s: %s\n", facts->items[i].title, facts->items[i].advice);
}

static int print_formatted(
	const struct app *app, const struct facts *facts, const char *format, struct error *err)
{
	cleanup_json struct json *json = facts_to_json(app, facts);
	struct format_item item = { json, NULL };
	cleanup_free char *text = NULL;
	int r = 0;

	if (strcmp(format, "json") == 0)
		text = json_print_go(json);
	else
		r = format_expand(format, &item, &text, err);
	if (r == 0)
		puts(text);
	return r;
}

static int run_info(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct info_options *options = opaque;
	struct facts facts = { 0 };
	int r = 0;

	(void)args;
	facts_collect(app, &facts);
	if (options->format && *options->format)
		r = print_formatted(app, &facts, options->format, err);
	else
		print_text(app, &facts);
	facts_release(&facts);
	return r;
}

const struct verb verb_info = {
	.name = "info",
	.usage = "[OPTIONS]",
	.summary = "Show what this host offers to containers",
	.flags = info_flags,
	.options_size = sizeof(struct info_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_info,
};
