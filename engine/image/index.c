/* SPDX-License-Identifier: GPL-2.0-or-later
 * index.c - index.json in memory and on disk. */
#include "engine/image/index.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include "engine/base/memory.h"

#define INDEX_MAX     (16 * 1024 * 1024) /* bytes: about 40 000 names */
#define LAYOUT_MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"

static void entry_release(struct index_entry *entry)
{
	descriptor_release(&entry->manifest);
	free(entry->name);
	free(entry->image_id);
}

void index_release(struct index *index)
{
	for (size_t i = 0; i < index->count; i++)
		entry_release(&index->entries[i]);
	free(index->entries);
	json_free(index->document);
	*index = (struct index){ 0 };
}

static int parse_entry(const struct json *json, struct index_entry *entry, struct error *err)
{
	const struct json *annotations = json_get(json, "annotations");
	const char *image_id = json_string(json_get(annotations, ANNOTATION_ID));
	int r = descriptor_parse(json, &entry->manifest, err);

	if (r < 0)
		return r;
	entry->name = xstrdup(json_string(json_get(annotations, ANNOTATION_NAME)));
	entry->image_id = xstrdup(image_id);
	entry->json = json;
	return 0;
}

int index_load(const struct store *store, struct index *ret, struct error *err)
{
	cleanup_index struct index index = { 0 };
	int r;

	if (faccessat(store->images_fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno == ENOENT) {
		*ret = index;
		return 0;
	}
	r = json_read_file(store->images_fd, "index.json", INDEX_MAX, &index.document, err);
	if (r < 0)
		return r;
	json_for_each (item, json_get(index.document, "manifests")) {
		struct index_entry *entry = array_add(index.entries, index.count);

		r = parse_entry(item, entry, err);
		if (r < 0)
			return error_wrap(err, "%s/images/index.json", store->engine->data_path);
	}
	*ret = index;
	index = (struct index){ 0 };
	return 0;
}

static struct json *print_entry(const struct index_entry *entry)
{
	struct json *json =
		entry->json ? json_copy(entry->json) : descriptor_to_json(&entry->manifest);
	const struct json *found = json_get(json, "annotations");
	struct json *annotations = json_is_object(found) ? json_copy(found) : json_new_object();

	json_remove(annotations, ANNOTATION_NAME);
	json_set_string(annotations, ANNOTATION_NAME, entry->name);
	if (entry->image_id)
		json_set_string(annotations, ANNOTATION_ID, entry->image_id);
	json_remove(json, "annotations");
	if (json_count(annotations) > 0)
		json_set(json, "annotations", annotations);
	else
		json_free(annotations);
	return json;
}

int index_save(const struct store *store, const struct index *index, struct error *err)
{
	cleanup_json struct json *json = json_new_object();
	struct json *manifests = json_new_array();
	int r;

	if (faccessat(store->images_fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		r = file_replace(store->images_fd, "oci-layout", LAYOUT_MARKER,
			strlen(LAYOUT_MARKER), 0600, FILE_DURABLE, err);
		if (r < 0)
			return r;
	}
	json_set_int(json, "schemaVersion", 2);
	json_set_string(json, "mediaType", MEDIA_TYPE_INDEX);
	for (size_t i = 0; i < index->count; i++)
		json_append(manifests, print_entry(&index->entries[i]));
	json_set(json, "manifests", manifests);
	return json_write_file(store->images_fd, "index.json", json, FILE_DURABLE, err);
}

struct index_entry *index_by_name(const struct index *index, const char *name)
{
	for (size_t i = 0; i < index->count; i++)
		if (index->entries[i].name && strcmp(index->entries[i].name, name) == 0)
			return &index->entries[i];
	return NULL;
}

static bool is_of(const struct index_entry *entry, const char *manifest_digest)
{
	return strcmp(entry->manifest.digest, manifest_digest) == 0;
}

static void remove_at(struct index *index, size_t i)
{
	entry_release(&index->entries[i]);
	index->count--;
	memmove(&index->entries[i], &index->entries[i + 1],
		(index->count - i) * sizeof(index->entries[0]));
}

void index_take_name(struct index *index, const char *name, bool keep)
{
	struct index_entry *entry = index_by_name(index, name);
	size_t entries = 0;

	if (!entry)
		return;
	for (size_t i = 0; i < index->count; i++)
		entries += is_of(&index->entries[i], entry->manifest.digest);
	if (entries == 1 && keep)
		free(steal_ptr(entry->name));
	else
		remove_at(index, (size_t)(entry - index->entries));
}

void index_put(struct index *index, const struct descriptor *manifest, const char *image_id,
	const char *name)
{
	struct index_entry *entry = name ? index_by_name(index, name) : NULL;

	if (entry && is_of(entry, manifest->digest))
		return;
	if (entry)
		index_take_name(index, name, true);
	for (size_t i = 0; i < index->count; i++) {
		entry = &index->entries[i];
		if (!is_of(entry, manifest->digest))
			continue;
		if (!name)
			return;
		if (!entry->name) {
			entry->name = xstrdup(name);
			return;
		}
	}
	entry = array_add(index->entries, index->count);
	descriptor_copy(&entry->manifest, manifest);
	entry->name = xstrdup(name);
	entry->image_id = xstrdup(image_id);
}

void index_drop(struct index *index, const char *manifest_digest)
{
	for (size_t i = index->count; i > 0; i--)
		if (is_of(&index->entries[i - 1], manifest_digest))
			remove_at(index, i - 1);
}
