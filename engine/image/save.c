/* SPDX-License-Identifier: GPL-2.0-or-later
 * save.c - images into one tar that is a docker archive (manifest.json) and an OCI layout
 * (index.json) at once. The same images give the same bytes: no time of writing is in it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"
#include "engine/image/image_read.h"
#include "engine/image/store.h"

struct saved {
	struct descriptor manifest;
	struct manifest content;
	char **names; /* those asked for */
};

struct save {
	struct store store;
	struct index index;
	struct saved *images;
	size_t image_count;
	struct tar_writer *writer;
	struct strmap written; /* digests */
};

static void save_release(struct save *save)
{
	for (size_t i = 0; i < save->image_count; i++) {
		descriptor_release(&save->images[i].manifest);
		manifest_release(&save->images[i].content);
		strv_free(save->images[i].names);
	}
	free(save->images);
	tar_writer_free(save->writer);
	strmap_release(&save->written);
	index_release(&save->index);
	store_release(&save->store);
}

static struct saved *find_saved(const struct save *save, const char *manifest_digest)
{
	for (size_t i = 0; i < save->image_count; i++)
		if (strcmp(save->images[i].manifest.digest, manifest_digest) == 0)
			return &save->images[i];
	return NULL;
}

static int add_image(struct save *save, const char *text, struct error *err)
{
	const struct index_entry *entry;
	struct saved *saved;
	bool by_id;
	int r = image_find_entry(&save->store, &save->index, text, &entry, &by_id, err);

	if (r < 0)
		return r;
	saved = find_saved(save, entry->manifest.digest);
	if (!saved) {
		cleanup_free char *bytes = NULL;
		size_t length;

		saved = array_add(save->images, save->image_count);
		descriptor_copy(&saved->manifest, &entry->manifest);
		r = store_blob_read(&save->store, saved->manifest.digest, saved->manifest.size,
			MANIFEST_MAX, &bytes, &length, err);
		if (r == 0)
			r = manifest_parse(
				bytes, length, saved->manifest.media_type, &saved->content, err);
	}
	/* As docker: who asks by ID gets the image without its names. */
	if (r == 0 && !by_id && !strv_contains(saved->names, entry->name))
		strv_add(&saved->names, entry->name);
	return r;
}

static int write_file(struct save *save, const char *path, uint64_t size, struct error *err)
{
	const struct tar_entry entry = { .path = path, .mode = S_IFREG | 0644, .size = size };

	return tar_writer_entry(save->writer, &entry, err);
}

static int write_text(struct save *save, const char *path, const char *text, struct error *err)
{
	int r = write_file(save, path, strlen(text), err);

	return r < 0 ? r : tar_writer_data(save->writer, text, strlen(text), err);
}

static char *blob_path(const char *digest)
{
	return xasprintf("blobs/sha256/%s", digest_hex(digest));
}

static int write_blob(struct save *save, const struct descriptor *blob, struct error *err)
{
	cleanup_free char *path = blob_path(blob->digest);
	cleanup_fd int fd = -1;
	int r;

	if (strmap_has(&save->written, blob->digest))
		return 0;
	strmap_set(&save->written, blob->digest, save);
	r = fd = store_blob_open(&save->store, blob->digest, err);
	if (r >= 0)
		r = write_file(save, path, blob->size, err);
	if (r >= 0)
		r = tar_writer_copy(save->writer, fd, blob->size, false, err);
	return r < 0 ? error_wrap(err, "blob %s", blob->digest) : 0;
}

static int write_blobs(struct save *save, const struct saved *saved, struct error *err)
{
	int r = write_blob(save, &saved->manifest, err);

	if (r == 0)
		r = write_blob(save, &saved->content.config, err);
	for (size_t i = 0; r == 0 && i < saved->content.layer_count; i++)
		r = write_blob(save, &saved->content.layers[i], err);
	return r;
}

static void add_index_entry(
	struct json *manifests, const struct descriptor *manifest, const char *name)
{
	struct json *entry = descriptor_to_json(manifest);
	struct image_ref ref = { 0 };

	if (name && image_ref_parse(name, &ref, NULL) == 0) {
		struct json *annotations = json_new_object();
		cleanup_free char *canonical = image_ref_canonical(&ref);

		json_set_string(annotations, "io.containerd.image.name", canonical);
		json_set_string(annotations, ANNOTATION_NAME, name);
		json_set(entry, "annotations", annotations);
		image_ref_release(&ref);
	}
	json_append(manifests, entry);
}

static char *print_index(const struct save *save)
{
	cleanup_json struct json *index = json_new_object();
	struct json *manifests = json_new_array();

	for (size_t i = 0; i < save->image_count; i++) {
		const struct saved *saved = &save->images[i];

		if (!saved->names)
			add_index_entry(manifests, &saved->manifest, NULL);
		for (char **name = saved->names; name && *name; name++)
			add_index_entry(manifests, &saved->manifest, *name);
	}
	json_set_int(index, "schemaVersion", 2);
	json_set_string(index, "mediaType", MEDIA_TYPE_INDEX);
	json_set(index, "manifests", manifests);
	return json_print(index);
}

static char *print_docker_manifest(const struct save *save)
{
	cleanup_json struct json *list = json_new_array();

	for (size_t i = 0; i < save->image_count; i++) {
		const struct saved *saved = &save->images[i];
		cleanup_free char *config = blob_path(saved->content.config.digest);
		struct json *item = json_new_object();
		struct json *layers = json_new_array();

		for (size_t j = 0; j < saved->content.layer_count; j++) {
			cleanup_free char *layer = blob_path(saved->content.layers[j].digest);

			json_append_string(layers, layer);
		}
		json_set_string(item, "Config", config);
		if (saved->names)
			json_set_strv(item, "RepoTags", saved->names);
		else
			json_set(item, "RepoTags", json_new_null());
		json_set(item, "Layers", layers);
		json_append(list, item);
	}
	return json_print(list);
}

static int write_all(struct save *save, struct error *err)
{
	cleanup_free char *index = print_index(save);
	cleanup_free char *manifest = print_docker_manifest(save);
	cleanup_free char *digest = NULL;
	uint64_t size;
	int r = write_text(save, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err);

	if (r == 0)
		r = write_text(save, "index.json", index, err);
	if (r == 0)
		r = write_text(save, "manifest.json", manifest, err);
	for (size_t i = 0; r == 0 && i < save->image_count; i++)
		r = write_blobs(save, &save->images[i], err);
	return r < 0 ? r : tar_writer_finish(save->writer, &digest, &size, err);
}

int image_save(const struct engine *engine, char *const *references, int out_fd, struct error *err)
{
	struct save save = { .store = STORE_INIT };
	int r = store_open(&save.store, engine, err);

	if (r == 0)
		r = index_load(&save.store, &save.index, err);
	for (char *const *reference = references; r == 0 && reference && *reference; reference++)
		r = add_image(&save, *reference, err);
	if (r == 0)
		r = tar_writer_open(&save.writer, out_fd, err);
	if (r == 0)
		r = write_all(&save, err);
	save_release(&save);
	return r;
}
