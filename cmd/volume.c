/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume.c - `volume create`, `inspect`, `ls`, `rm`; prune is in prune.c. */
#include "engine/container/volume.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/format.h"
#include "cmd/inspect.h"
#include "cmd/verbs.h"
#include "cmd/volume_listing.h"
#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct create_options {
	char *name;
	char *driver;
	char **labels;
	char **driver_options;
};

static const struct flag create_flags[] = {
	{ 0, "name", FLAG_STRING, offsetof(struct create_options, name), "NAME", NULL, 0 },
	{ 'd', "driver", FLAG_STRING, offsetof(struct create_options, driver), "NAME",
		"Driver (local)", 0 },
	{ 0, "label", FLAG_LIST, offsetof(struct create_options, labels), "KEY=VALUE",
		"Set a label", 0 },
	{ 'o', "opt", FLAG_LIST, offsetof(struct create_options, driver_options), "KEY=VALUE",
		"What is mounted instead of a folder of its own: type=, o=, device=", 0 },
	FLAG_END,
};

static int run_create(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct create_options *options = opaque;
	cleanup_strv char **labels = NULL;
	char id[ID_LENGTH + 1];
	const char *name = args[0] ? args[0] : options->name;
	int r = app_need_operands(app, args, 0, 1, err);

	if (r < 0)
		return r;
	if (options->driver && strcmp(options->driver, "local"))
		return error_set(
			err, -EOPNOTSUPP, "volume driver '%s' is not supported", options->driver);
	for (size_t i = 0; i < strv_length(options->labels); i++)
		strv_take(&labels, strchr(options->labels[i], '=')
					   ? xstrdup(options->labels[i])
					   : xasprintf("%s=", options->labels[i]));
	if (!name) {
		id_random(id);
		name = id;
	}
	if (!name_is_safe(name))
		return error_set(err, -EINVAL,
			"create %s: \"%s\" includes invalid characters for a local volume name, "
			"only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
			name, name);
	/* docker counts one without a name as anonymous too. */
	r = options->driver_options ? volume_create_with_options(&app->engine, name, labels,
					      options->driver_options, err)
				    : volume_create(&app->engine, name, labels, name == id, err);
	if (r < 0)
		return r;
	printf("%s\n", name);
	return 0;
}

static const struct verb verb_volume_create = {
	.name = "create",
	.usage = "[OPTIONS] [NAME]",
	.summary = "Create a volume",
	.flags = create_flags,
	.options_size = sizeof(struct create_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_create,
};

struct ls_options {
	bool quiet;
	char **filters;
	char *format;
};

static const struct flag ls_flags[] = {
	{ 'q', "quiet", FLAG_BOOL, offsetof(struct ls_options, quiet), NULL, "Only names", 0 },
	{ 'f', "filter", FLAG_LIST, offsetof(struct ls_options, filters), "KEY=VALUE",
		"Only what matches: dangling, driver, label, name", 0 },
	{ 0, "format", FLAG_STRING, offsetof(struct ls_options, format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	FLAG_END,
};

/* What is to be known beside the volume's own record: does no container use it? 1 = it passes. */
static int passes_dangling(struct app *app, const char *name, const char *value,
	struct volume_users *users, struct error *err)
{
	bool wanted = !strcmp(value, "true") || !strcmp(value, "1");
	int r;

	if (!wanted && strcmp(value, "false") && strcmp(value, "0"))
		return error_set(err, -EINVAL, "invalid filter 'dangling=%s'", value);
	r = volume_check_unused(&app->engine, name, users, NULL);
	return (r == 0) == wanted;
}

static int passes(struct app *app, const struct volume *volume, char *const *filters,
	struct volume_users *users, struct error *err)
{
	int all = 1;

	for (; filters && *filters; filters++) {
		char *const one[] = { *filters, NULL };
		int r;

		if (!strncmp(*filters, "dangling=", strlen("dangling=")))
			r = passes_dangling(
				app, volume->name, *filters + strlen("dangling="), users, err);
		else if (!strncmp(*filters, "driver=", strlen("driver=")))
			r = !strcmp(*filters + strlen("driver="), "local");
		else
			r = volume_passes(volume, one, err);
		if (r < 0)
			return r;
		all &= r;
	}
	return all;
}

static int run_ls(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct ls_options *options = opaque;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	struct volume **volumes = NULL;
	size_t count = 0;
	int r = app_need_operands(app, args, 0, 0, err);

	if (r == 0)
		r = volume_list(&app->engine, &volumes, &count, err);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		r = passes(app, volumes[i], options->filters, users, err);
		if (r > 0)
			volume_listing_add(volumes[i], &items);
	}
	volume_list_free(volumes, count);
	if (r < 0)
		return r;
	if (!options->quiet)
		return format_print(options->format, &volume_listing, &items, stdout, err);
	for (size_t i = 0; i < items.count; i++)
		printf("%s\n", json_string(json_get(items.items[i].fields, "Name")));
	return 0;
}

static const struct verb verb_volume_ls = {
	.name = "ls",
	.alias = "list",
	.usage = "[OPTIONS]",
	.summary = "List volumes",
	.flags = ls_flags,
	.options_size = sizeof(struct ls_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_ls,
};

struct rm_options {
	bool force;
};

static const struct flag rm_flags[] = {
	{ 'f', "force", FLAG_BOOL, offsetof(struct rm_options, force), NULL,
		"A volume that is not there is no failure", 0 },
	FLAG_END,
};

static int run_rm(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct rm_options *options = opaque;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	int code = 0;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	for (; *args; args++) {
		cleanup_error struct error own = ERROR_INIT;

		r = volume_remove(&app->engine, *args, users, &own);
		if (r == 0 || (r == -ENOENT && options->force)) {
			printf("%s\n", *args);
		} else {
			app_print_error(app, &own);
			code = 1;
		}
	}
	return code;
}

static const struct verb verb_volume_rm = {
	.name = "rm",
	.alias = "remove",
	.usage = "[OPTIONS] VOLUME...",
	.summary = "Remove volumes and what they hold",
	.flags = rm_flags,
	.options_size = sizeof(struct rm_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_rm,
};

static int describe(
	const struct engine *engine, const char *name, struct json **ret, struct error *err)
{
	struct volume *volume = NULL;
	struct json *object;
	int r = volume_find(engine, name, &volume, err);

	if (r < 0)
		return r;
	object = json_new_object();
	inspect_time(object, "CreatedAt", volume->created_ns);
	json_set_string(object, "Driver", "local");
	json_set(object, "Labels", inspect_map(volume->labels));
	json_set_string(object, "Mountpoint", volume->mountpoint);
	json_set_string(object, "Name", volume->name);
	json_set(object, "Options", inspect_map(volume->options));
	json_set_string(object, "Scope", "local");
	volume_free(volume);
	*ret = object;
	return 0;
}

static int run_inspect(struct app *app, void *options, char **args, struct error *err)
{
	return inspect_each(app, options, args, describe, err);
}

static const struct verb verb_volume_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] VOLUME...",
	.summary = "Show all that is known of volumes",
	.flags = inspect_flags,
	.options_size = sizeof(struct inspect_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_inspect,
};

static const struct verb *const children[] = {
	&verb_volume_create,
	&verb_volume_inspect,
	&verb_volume_ls,
	&verb_volume_prune,
	&verb_volume_rm,
	NULL,
};

const struct verb verb_volume = {
	.name = "volume",
	.summary = "Work with volumes",
	.children = children,
};
