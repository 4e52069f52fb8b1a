/* SPDX-License-Identifier: GPL-2.0-or-later
 * images.c - `images`: what the project's containers were made from, or all that the store has. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/image/image.h"

#define NONE "<none>"

struct images_options {
	bool all;
	bool quiet;
	bool digests;
	bool no_trunc;
	char **filters;
	char *format;
};

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

#define STORE_COLUMNS(with_digest)                                                           \
	{ "Repository", "REPOSITORY", true }, { "Tag", "TAG", true },                        \
		{ "Digest", "DIGEST", with_digest }, { "ID", "IMAGE ID", true },             \
		{ "CreatedSince", "CREATED", true }, { "Size", "SIZE", true },               \
		{ "CreatedAt", "CREATED AT", false }, { "Containers", "CONTAINERS", false }, \
	{                                                                                    \
		NULL, NULL, false                                                            \
	}
static const struct format_column store_columns[] = { STORE_COLUMNS(false) };
static const struct format_column store_digest_columns[] = { STORE_COLUMNS(true) };

static const char *hex_of(const char *digest)
{
	const char *colon = digest ? strchr(digest, ':') : NULL;

	return colon ? colon + 1 : "";
}

static char *short_id(const char *digest, bool no_trunc)
{
	return no_trunc ? xstrdup(digest) : xstrndup(hex_of(digest), ID_SHORT_LENGTH);
}

/* Repository and tag of a reference, "<none>" where it has none. Heap. */
static void split_reference(const char *text, char **ret_repository, char **ret_tag)
{
	struct image_ref ref = { 0 };

	*ret_repository = xstrdup(NONE);
	*ret_tag = xstrdup(NONE);
	if (!text || image_ref_parse(text, &ref, NULL) < 0)
		return;
	free(*ret_repository);
	*ret_repository = xstrdup(ref.repository);
	if (ref.tag) {
		free(*ret_tag);
		*ret_tag = xstrdup(ref.tag);
	}
	image_ref_release(&ref);
}

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
	cleanup_free char *id = short_id(container->image_id, for_machines);
	struct json *fields = json_new_object();
	uint64_t size = 0;

	if (image_find(engine, container->image_id, &image, NULL) == 0)
		size = image->size;
	split_reference(container->image_ref, &repository, &tag);
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
		const char *hex = hex_of(set->items[i].container->image_id);

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

/* One row of the store's table: an image under one of its names. */
struct row {
	const struct image *image;
	const char *name; /* NULL = it has none */
	char *repository;
	char *tag;
};

static bool match_dangling(const struct row *row, const char *value)
{
	return (row->name == NULL) == (!strcmp(value, "true") || !strcmp(value, "1"));
}

static bool match_label(const struct row *row, const char *value)
{
	cleanup_free char *key = xstrndup(value, strcspn(value, "="));
	const char *label = env_get(row->image->config.labels, key);
	const char *wanted = strchr(value, '=');

	return label && (!wanted || !strcmp(label, wanted + 1));
}

/* "redis", "redis:7", "*dis:7*" */
static bool match_reference(const struct row *row, const char *value)
{
	if (!row->name)
		return false;
	return fnmatch(value, row->repository, 0) == 0 || fnmatch(value, row->name, 0) == 0;
}

static const struct {
	const char *key;
	bool (*match)(const struct row *row, const char *value);
} filter_rows[] = {
	{ "dangling", match_dangling },
	{ "label", match_label },
	{ "reference", match_reference },
};

static int check_filters(char *const *filters, struct error *err)
{
	for (; filters && *filters; filters++) {
		size_t length = strcspn(*filters, "="), i = 0;

		while (i < ARRAY_LEN(filter_rows) &&
			(strlen(filter_rows[i].key) != length ||
				strncmp(filter_rows[i].key, *filters, length)))
			i++;
		if (i == ARRAY_LEN(filter_rows) || !(*filters)[length])
			return error_set(err, -EINVAL, "invalid filter '%s'", *filters);
	}
	return 0;
}

static bool passes(const struct row *row, char *const *filters)
{
	for (; filters && *filters; filters++) {
		size_t length = strcspn(*filters, "=");

		for (size_t i = 0; i < ARRAY_LEN(filter_rows); i++)
			if (strlen(filter_rows[i].key) == length &&
				!strncmp(filter_rows[i].key, *filters, length) &&
				!filter_rows[i].match(row, *filters + length + 1))
				return false;
	}
	return true;
}

static void add_row(
	const struct row *row, const struct images_options *options, struct format_items *items)
{
	const struct image *image = row->image;
	int64_t age = time_now() - image->created_ns;
	cleanup_free char *human = time_format_human(age > 0 ? age : 0);
	cleanup_free char *since = image->created_ns ? xasprintf("%s ago", human) : xstrdup("N/A");
	cleanup_free char *created =
		image->created_ns ? time_format_created_at(image->created_ns) : xstrdup("N/A");
	cleanup_free char *id = short_id(image->id, options->no_trunc);
	cleanup_free char *size = format_size(image->size);
	struct json *fields = json_new_object();

	json_set_string(fields, "Containers", "N/A");
	json_set_string(fields, "CreatedAt", created);
	json_set_string(fields, "CreatedSince", since);
	json_set_string(fields, "Digest", image->manifest_digest ? image->manifest_digest : NONE);
	json_set_string(fields, "ID", id);
	json_set_string(fields, "Repository", row->repository);
	json_set_string(fields, "SharedSize", "N/A");
	json_set_string(fields, "Size", size);
	json_set_string(fields, "Tag", row->tag);
	json_set_string(fields, "UniqueSize", "N/A");
	json_set_string(fields, "VirtualSize", size);
	format_items_add(items, fields, image->config.labels);
}

static void add_image(const struct image *image, const char *name,
	const struct images_options *options, const char *wanted, struct format_items *items)
{
	struct row row = { .image = image, .name = name };

	split_reference(name, &row.repository, &row.tag);
	if (passes(&row, options->filters) && (!wanted || match_reference(&row, wanted)))
		add_row(&row, options, items);
	free(row.repository);
	free(row.tag);
}

static void print_quiet(const struct format_items *items)
{
	cleanup_strv char **seen = NULL;

	for (size_t i = 0; i < items->count; i++) {
		const char *id = json_string(json_get(items->items[i].fields, "ID"));

		if (strv_contains(seen, id))
			continue;
		strv_add(&seen, id);
		printf("%s\n", id);
	}
}

static int images_store(struct app *app, const struct images_options *options, const char *wanted,
	struct error *err)
{
	struct format_listing listing = { options->digests ? store_digest_columns : store_columns,
		10, false };
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	struct image **images = NULL;
	size_t count = 0;
	int r = check_filters(options->filters, err);

	if (r == 0)
		r = image_list(&app->engine, &images, &count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < strv_length(images[i]->names); n++)
			add_image(images[i], images[i]->names[n], options, wanted, &items);
		if (!strv_length(images[i]->names))
			add_image(images[i], NULL, options, wanted, &items);
	}
	if (options->quiet)
		print_quiet(&items);
	else
		r = format_print(options->format, &listing, &items, stdout, err);
	image_list_free(images, count);
	return r;
}

static int run_images(struct app *app, void *options, char **args, struct error *err)
{
	int r;

	if (app->project_name && (!args[0] || app_is_service(app, args[0])))
		return images_project(app, options, args, err);
	if (!args[0] && app->project_error.code)
		return error_move(err, &app->project_error);
	r = app_need_operands(app, args, 0, 1, err);
	return r < 0 ? r : images_store(app, options, args[0], err);
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
