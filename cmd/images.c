/* SPDX-License-Identifier: GPL-2.0-or-later
 * images.c - `images`: what the project's containers were made from, or all that the store has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/images_store.h"
#include "cmd/listed.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/image/image.h"

#define I(field) offsetof(struct images_options, field)
static const struct flag images_flags[] = {
	{ 'a', "all", FLAG_BOOL, I(all), NULL, NULL, 0 },
	{ 'q', "quiet", FLAG_BOOL, I(quiet), NULL, "Only ids", 0 },
	{ 0, "digests", FLAG_BOOL, I(digests), NULL, "Show the digests of manifests", 0 },
	{ 0, "no-trunc", FLAG_BOOL, I(no_trunc), NULL, "Do not cut ids", 0 },
	{ 'f', "filter", FLAG_LIST, I(filters), "KEY=VALUE",
		"Only what matches: dangling, label, reference", 0 },
	{ 0, "format", FLAG_STRING, I(format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	FLAG_END,
};

static const struct format_column project_columns[] = {
	{ "ContainerName", "CONTAINER", true },
	{ "Repository", "REPOSITORY", true },
	{ "Tag", "TAG", true },
	{ "ID", "IMAGE ID", true },
	{ "Size", "SIZE", true },
	{ NULL, NULL, false },
};

static bool is_of_services(const struct listed *listed, void *services)
{
	return !strv_length(services) || strv_contains(services, listed_service(listed));
}

/* JSON has whole ids and bytes, the table what people read. */
static void add_container_image(const struct engine *engine, const struct listed *listed,
	bool for_machines, struct format_items *items)
{
	const struct container *container = listed->container;
	cleanup_image struct image *image = NULL;
	cleanup_free char *repository = NULL;
	cleanup_free char *tag = NULL;
	cleanup_free char *id = images_short_id(container->image_id, for_machines);
	struct json *fields = json_new_object();
	uint64_t size = 0;

	if (image_find(engine, container->image_id, &image, NULL) == 0)
		size = image->size;
	images_split_reference(container->image_ref, &repository, &tag);
	json_set_string(fields, "ID", id);
	json_set_string(fields, "ContainerName", container->name);
	json_set_string(fields, "Repository", repository);
	json_set_string(fields, "Tag", tag);
	if (for_machines) {
		json_set_u64(fields, "Size", size);
	} else {
		cleanup_free char *text = format_size(size);

		json_set_string(fields, "Size", text);
	}
	format_items_add(items, fields, container->labels);
}

static void print_image_ids(const struct listed_set *set)
{
	cleanup_strv char **seen = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const char *hex = images_hex(set->items[i].container->image_id);

		if (strv_contains(seen, hex))
			continue;
		strv_add(&seen, hex);
		printf("%s\n", hex);
	}
}

static int images_project(
	struct app *app, const struct images_options *options, char **services, struct error *err)
{
	static const struct format_listing listing = { project_columns, 20, true };
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_listed struct listed_set set = LISTED_INIT;
	bool for_machines = options->format && !strcmp(options->format, "json");
	int r;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = listed_load(&app->engine, app->project_name, &set, err);
	if (r < 0)
		return r;
	listed_filter(&set, is_of_services, services);
	listed_sort_by_name(&set);
	if (options->quiet) {
		print_image_ids(&set);
		return 0;
	}
	for (size_t i = 0; i < set.count; i++)
		add_container_image(&app->engine, &set.items[i], for_machines, &items);
	return format_print(options->format, &listing, &items, stdout, err);
}

static int run_images(struct app *app, void *options, char **args, struct error *err)
{
	int r;

	if (app->project_name && (!args[0] || app_is_service(app, args[0])))
		return images_project(app, options, args, err);
	if (!args[0] && app->project_error.code)
		return error_move(err, &app->project_error);
	r = app_need_operands(app, args, 0, 1, err);
	return r < 0 ? r : images_store_list(app, options, args[0], err);
}

const struct verb verb_images = {
	.name = "images",
	.usage = "[OPTIONS] [SERVICE...|REPOSITORY[:TAG]]",
	.summary = "List images: the project's, or all where there is no project",
	.flags = images_flags,
	.options_size = sizeof(struct images_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_images,
};

const struct verb verb_image_ls = {
	.name = "ls",
	.alias = "list",
	.usage = "[OPTIONS] [REPOSITORY[:TAG]]",
	.summary = "List the images of this host",
	.flags = images_flags,
	.options_size = sizeof(struct images_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_images,
};
