/* SPDX-License-Identifier: GPL-2.0-or-later
 * images_store.c - every image under every name. */
#include "cmd/images_store.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/format.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/image/image.h"

#define NONE "<none>"

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

const char *images_hex(const char *digest)
{
	const char *colon = digest ? strchr(digest, ':') : NULL;

	return colon ? colon + 1 : "";
}

char *images_short_id(const char *digest, bool no_trunc)
{
	return no_trunc ? xstrdup(digest) : xstrndup(images_hex(digest), ID_SHORT_LENGTH);
}

void images_split_reference(const char *text, char **ret_repository, char **ret_tag)
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
	cleanup_free char *id = images_short_id(image->id, options->no_trunc);
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

	images_split_reference(name, &row.repository, &row.tag);
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

int images_store_list(struct app *app, const struct images_options *options, const char *wanted,
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
