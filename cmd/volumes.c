/* SPDX-License-Identifier: GPL-2.0-or-later
 * volumes.c - `volumes`: the project's volumes, or those that services' containers have mounted. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "cmd/volume_listing.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct volumes_options {
	bool quiet;
	char *format;
};

static const struct flag volumes_flags[] = {
	{ 'q', "quiet", FLAG_BOOL, offsetof(struct volumes_options, quiet), NULL, "Only names", 0 },
	{ 0, "format", FLAG_STRING, offsetof(struct volumes_options, format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	FLAG_END,
};

static bool runs_for(const struct listed *listed, void *services)
{
	return listed_is_up(listed) && strv_contains(services, listed_service(listed));
}

static int mounted_volumes(
	const struct app *app, char *const *services, char ***ret, struct error *err)
{
	cleanup_listed struct listed_set set = LISTED_INIT;
	cleanup_strv char **names = NULL;
	int r = listed_load(&app->engine, app->project_name, &set, err);

	if (r < 0)
		return r;
	listed_filter(&set, runs_for, (void *)services);
	for (size_t i = 0; i < set.count; i++) {
		const struct spec *spec = &set.items[i].container->spec;

		for (size_t m = 0; m < spec->mount_count; m++)
			if (spec->mounts[m].type == MOUNT_VOLUME)
				strv_add(&names, spec->mounts[m].source);
	}
	*ret = steal_ptr(names);
	return 0;
}

static bool is_of_project(const struct app *app, const struct volume *volume)
{
	const char *project = env_get(volume->labels, LABEL_PROJECT);

	return project && !strcmp(project, app->project_name);
}

static int list(
	struct app *app, char *const *services, struct format_items *items, struct error *err)
{
	cleanup_strv char **mounted = NULL;
	struct volume **volumes = NULL;
	bool all = !strv_length(services);
	size_t count = 0;
	int r = all ? 0 : mounted_volumes(app, services, &mounted, err);

	if (r == 0)
		r = volume_list(&app->engine, &volumes, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (all ? is_of_project(app, volumes[i]) : strv_contains(mounted, volumes[i]->name))
			volume_listing_add(volumes[i], items);
	volume_list_free(volumes, count);
	return r;
}

static int run_volumes(struct app *app, void *opaque, char **services, struct error *err)
{
	const struct volumes_options *options = opaque;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	int r;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = list(app, services, &items, err);
	if (r < 0)
		return r;
	if (!options->quiet)
		return format_print(options->format, &volume_listing, &items, stdout, err);
	for (size_t i = 0; i < items.count; i++)
		printf("%s\n", json_string(json_get(items.items[i].fields, "Name")));
	return 0;
}

const struct verb verb_volumes = {
	.name = "volumes",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "List the project's volumes",
	.flags = volumes_flags,
	.options_size = sizeof(struct volumes_options),
	.needs = NEEDS_ENGINE | NEEDS_NAME | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_volumes,
};
