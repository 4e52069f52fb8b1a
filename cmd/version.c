/* SPDX-License-Identifier: GPL-2.0-or-later
 * version.c - `version`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/verbs.h"

struct version_options {
	char *format;
	bool is_short;
};

static const struct flag version_flags[] = {
	{ 'f', "format", FLAG_STRING, offsetof(struct version_options, format), "FORMAT",
		"pretty or json", 0 },
	{ 0, "short", FLAG_BOOL, offsetof(struct version_options, is_short), NULL,
		"Only the number", 0 },
	FLAG_END,
};

static int run_version(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct version_options *options = opaque;

	(void)app;
	(void)args;
	if (options->format && !strcmp(options->format, "json"))
		printf("{\"version\":\"%s\"}\n", MYCOMPOSE_VERSION);
	else if (options->format && strcmp(options->format, "pretty"))
		return error_set(
			err, -EINVAL, "unsupported --format value \"%s\"", options->format);
	else if (options->is_short)
		printf("%s\n", MYCOMPOSE_VERSION);
	else
		printf("mycompose version %s\n", MYCOMPOSE_VERSION);
	return 0;
}

const struct verb verb_version = {
	.name = "version",
	.usage = "[OPTIONS]",
	.summary = "Show the version",
	.flags = version_flags,
	.options_size = sizeof(struct version_options),
	.flags_anywhere = true,
	.run = run_version,
};
