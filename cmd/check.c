/* SPDX-License-Identifier: GPL-2.0-or-later
 * check.c - `check`: is everything here that containers need, and what to do where it is not? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/host_facts.h"
#include "cmd/verbs.h"
#include "engine/base/json.h"

#define EXIT_SOMETHING_MISSING 1

struct check_options {
	char *format;
};

static const struct flag check_flags[] = {
	{ 0, "format", FLAG_STRING, offsetof(struct check_options, format), "FORMAT",
		"text or json", 0 },
	FLAG_END,
};

static void print_json(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];
		struct json *json = json_new_object();
		char *text;

		json_set_string(json, "advice", fact->advice ? fact->advice : "");
		json_set_string(json, "name", fact->key);
		json_set_string(json, "state", fact_state_names[fact->state]);
		json_set_string(json, "value", fact->value);
		text = json_print_go(json);
		puts(text);
		free(text);
		json_free(json);
	}
}

static void print_text(const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		printf("%-8s %s: %s\n", fact_state_names[fact->state], fact->title, fact->value);
		if (fact->state != FACT_GOOD)
			printf("         %s\n", fact->advice);
	}
}

static int run_check(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct check_options *options = opaque;
	bool is_json = options->format && !strcmp(options->format, "json");
	struct facts facts = { 0 };
	size_t missing = 0;

	(void)args;
	if (options->format && !is_json && strcmp(options->format, "text") != 0)
		return error_set(
			err, -EINVAL, "unsupported --format value \"%s\"", options->format);
	facts_collect(app, &facts);
	for (size_t i = 0; i < facts.count; i++)
		missing += facts.items[i].state == FACT_MISSING;
	if (is_json)
		print_json(&facts);
	else
		print_text(&facts);
	facts_release(&facts);
	return missing ? EXIT_SOMETHING_MISSING : 0;
}

const struct verb verb_check = {
	.name = "check",
	.usage = "[OPTIONS]",
	.summary = "Check that this host has what containers need; exit 1 if something is missing",
	.flags = check_flags,
	.options_size = sizeof(struct check_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_check,
};
