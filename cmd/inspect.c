/* SPDX-License-Identifier: GPL-2.0-or-later
 * inspect.c - print descriptions of objects. */
#include "cmd/inspect.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/format.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

#define ZERO_TIME "0001-01-01T00:00:00Z"

const struct flag inspect_flags[] = {
	{ 'f', "format", FLAG_STRING, offsetof(struct inspect_options, format), "FORMAT",
		"json, or a template of {{.Field.Field}}", 0 },
	FLAG_END,
};

struct json *inspect_map(char *const *words)
{
	struct json *object = json_new_object();

	for (; words && *words; words++) {
		cleanup_free char *key = xstrndup(*words, strcspn(*words, "="));
		const char *value = strchr(*words, '=');

		json_set_string(object, key, value ? value + 1 : "");
	}
	return object;
}

struct json *inspect_set(char *const *words)
{
	struct json *object = json_new_object();

	for (; words && *words; words++)
		json_set(object, *words, json_new_object());
	return object;
}

struct json *inspect_list(char *const *words)
{
	struct json *array;

	if (!words)
		return json_new_null();
	array = json_new_array();
	for (; *words; words++)
		json_append_string(array, *words);
	return array;
}

void inspect_time(struct json *object, const char *key, int64_t ns)
{
	cleanup_free char *text = ns ? time_format_rfc3339(ns) : xstrdup(ZERO_TIME);

	json_set_string(object, key, text);
}

static int print_template(const struct inspect_options *options, const struct json *object,
	struct strbuf *out, struct error *err)
{
	struct format_item item = { .fields = (struct json *)object };
	char *text = NULL;
	int r = format_expand(options->format, &item, &text, err);

	if (r < 0)
		return r;
	strbuf_addf(out, "%s\n", text);
	free(text);
	return 0;
}

static int print_all(
	const struct inspect_options *options, const struct json *array, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *text = NULL;

	if (!options->format || !*options->format || !strcmp(options->format, "json")) {
		text = options->format && *options->format ? json_print_go(array)
							   : json_print_pretty(array);
		printf("%s\n", text);
		return 0;
	}
	json_for_each (object, array) {
		int r = print_template(options, object, &out, err);

		if (r < 0)
			return r;
	}
	fputs(strbuf_text(&out), stdout);
	return 0;
}

int inspect_each(struct app *app, const struct inspect_options *options, char *const *names,
	inspect_describe describe, struct error *err)
{
	cleanup_json struct json *array = json_new_array();
	int code = 0;
	int r = app_need_operands(app, names, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	for (; *names; names++) {
		cleanup_error struct error own = ERROR_INIT;
		struct json *object = NULL;

		if (describe(&app->engine, *names, &object, &own) == 0) {
			json_append(array, object);
			continue;
		}
		app_print_error(app, &own);
		code = 1;
	}
	r = print_all(options, array, err);
	return r < 0 ? r : code;
}

struct json *inspect_image_config(const struct image_config *config)
{
	struct json *object = json_new_object();
	struct json *healthcheck = NULL;

	json_set_string(object, "User", config->user ? config->user : "");
	if (config->exposed_ports)
		json_set(object, "ExposedPorts", inspect_set(config->exposed_ports));
	json_set(object, "Env", inspect_list(config->env));
	json_set(object, "Cmd", inspect_list(config->cmd));
	if (config->healthcheck_json &&
		json_parse(config->healthcheck_json, strlen(config->healthcheck_json), &healthcheck,
			NULL) == 0)
		json_set(object, "Healthcheck", healthcheck);
	json_set(object, "Volumes",
		config->volumes ? inspect_set(config->volumes) : json_new_null());
	json_set_string(object, "WorkingDir", config->working_dir ? config->working_dir : "");
	json_set(object, "Entrypoint", inspect_list(config->entrypoint));
	json_set(object, "Labels", inspect_map(config->labels));
	if (config->stop_signal && *config->stop_signal)
		json_set_string(object, "StopSignal", config->stop_signal);
	return object;
}
