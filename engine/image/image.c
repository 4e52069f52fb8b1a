/* SPDX-License-Identifier: GPL-2.0-or-later
 * image.c - find and list images, their layer folders, their names. */
#include "engine/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/image/config.h"
#include "engine/image/digest.h"
#include "engine/image/image_read.h"
#include "engine/image/index.h"

#define ID_PREFIX_MIN 2

void image_free(struct image *image)
{
	if (!image)
		return;
	free(image->id);
	free(image->manifest_digest);
	strv_free(image->names);
	free(image->architecture);
	free(image->os);
	strv_free(image->diff_ids);
	strv_free(image->chain_ids);
	strv_free(image->layer_digests);
	config_release(&image->config);
	free(image);
}

void image_cleanup(struct image **image)
{
	image_free(*image);
}

void image_list_free(struct image **images, size_t count)
{
	for (size_t i = 0; i < count; i++)
		image_free(images[i]);
	free(images);
}

static int read_config(const struct store *store, const struct descriptor *descriptor,
	struct image *image, struct error *err)
{
	cleanup_free char *bytes = NULL;
	size_t length;
	int r = store_blob_read(
		store, descriptor->digest, descriptor->size, CONFIG_MAX, &bytes, &length, err);

	return r < 0 ? r : image_document_parse(bytes, length, image, err);
}

static int take_manifest(const struct store *store, const struct manifest *manifest,
	struct image *image, struct error *err)
{
	int r = read_config(store, &manifest->config, image, err);

	if (r < 0)
		return r;
	if (strv_length(image->diff_ids) != manifest->layer_count)
		return error_set(err, -EBADMSG, "manifest has %zu layers, config %zu",
			manifest->layer_count, strv_length(image->diff_ids));
	image->id = xstrdup(manifest->config.digest);
	for (size_t i = 0; i < manifest->layer_count; i++) {
		uint64_t size = 0;

		strv_add(&image->layer_digests, manifest->layers[i].digest);
		/* Only shown: a layer folder that is missing is told where it is needed. */
		if (store_layer_size(store, image->chain_ids[i], &size, NULL) < 0)
			size = manifest->layers[i].size;
		image->size += size;
	}
	return 0;
}

int image_read(const struct store *store, const struct descriptor *descriptor, struct image **ret,
	struct error *err)
{
	cleanup_image struct image *image = xcalloc(1, sizeof(*image));
	cleanup_free char *bytes = NULL;
	struct manifest manifest = { 0 };
	size_t length;
	int r = store_blob_read(
		store, descriptor->digest, descriptor->size, MANIFEST_MAX, &bytes, &length, err);

	if (r == 0)
		r = manifest_parse(bytes, length, descriptor->media_type, &manifest, err);
	if (r == 0)
		r = take_manifest(store, &manifest, image, err);
	manifest_release(&manifest);
	if (r < 0)
		return error_wrap(err, "image %s", descriptor->digest);
	image->manifest_digest = xstrdup(descriptor->digest);
	*ret = steal_ptr(image);
	return 0;
}

int image_read_entry(const struct store *store, const struct index *index,
	const struct index_entry *entry, struct image **ret, struct error *err)
{
	int r = image_read(store, &entry->manifest, ret, err);

	for (size_t i = 0; r == 0 && i < index->count; i++) {
		const struct index_entry *other = &index->entries[i];

		if (other->name && strcmp(other->manifest.digest, entry->manifest.digest) == 0)
			strv_add(&(*ret)->names, other->name);
	}
	return r;
}

int image_entry_id(
	const struct store *store, const struct index_entry *entry, char **ret, struct error *err)
{
	struct image *image = NULL;
	int r = 0;

	if (entry->image_id) {
		*ret = xstrdup(entry->image_id);
		return 0;
	}
	r = image_read(store, &entry->manifest, &image, err);
	if (r == 0)
		*ret = steal_ptr(image->id);
	image_free(image);
	return r;
}

/* A name, or repository@digest when the image has that manifest and a name in that repository. */
static const struct index_entry *find_by_reference(const struct index *index, const char *text)
{
	struct image_ref ref = { 0 };
	const struct index_entry *found;

	if (image_ref_parse(text, &ref, NULL) < 0)
		return NULL;
	found = index_by_name(index, ref.familiar);
	for (size_t i = 0; !found && ref.digest && i < index->count; i++) {
		const struct index_entry *entry = &index->entries[i];
		struct image_ref own = { 0 };

		if (strcmp(entry->manifest.digest, ref.digest) != 0 || !entry->name ||
			image_ref_parse(entry->name, &own, NULL) < 0)
			continue;
		if (strcmp(own.repository, ref.repository) == 0)
			found = entry;
		image_ref_release(&own);
	}
	image_ref_release(&ref);
	return found;
}

/* By ID or unique prefix of it. Entries of one image count once. */
static int find_by_id(const struct store *store, const struct index *index, const char *text,
	const struct index_entry **ret, struct error *err)
{
	const char *hex = strncmp(text, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) == 0
				  ? text + strlen(DIGEST_PREFIX)
				  : text;
	size_t length = strlen(hex);
	cleanup_free char *first_id = NULL;

	*ret = NULL;
	if (length < ID_PREFIX_MIN || strspn(hex, "0123456789abcdef") != length)
		return 0;
	for (size_t i = 0; i < index->count; i++) {
		cleanup_free char *id = NULL;

		/* One damaged image must not hide the others. */
		if (image_entry_id(store, &index->entries[i], &id, NULL) < 0 ||
			strncmp(digest_hex(id), hex, length) != 0)
			continue;
		if (first_id && strcmp(first_id, id) != 0)
			return error_set(err, -EINVAL, "image id '%s' is ambiguous", text);
		if (first_id)
			continue;
		first_id = steal_ptr(id);
		*ret = &index->entries[i];
	}
	return 0;
}

int image_find_entry(const struct store *store, const struct index *index, const char *text,
	const struct index_entry **ret, bool *ret_by_id, struct error *err)
{
	const struct index_entry *entry = find_by_reference(index, text);
	int r = 0;

	*ret_by_id = !entry;
	if (!entry)
		r = find_by_id(store, index, text, &entry, err);
	if (r < 0)
		return r;
	if (!entry) {
		struct image_ref ref = { 0 };
		bool is_reference = image_ref_parse(text, &ref, NULL) == 0;

		error_set(err, -ENOENT, "No such image: %s", is_reference ? ref.familiar : text);
		image_ref_release(&ref);
		return -ENOENT;
	}
	*ret = entry;
	return 0;
}

int image_find(const struct engine *engine, const char *text, struct image **ret, struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_index struct index index = { 0 };
	const struct index_entry *entry = NULL;
	bool by_id;
	int r = store_open(&store, engine, err);

	if (r == 0)
		r = index_load(&store, &index, err);
	if (r == 0)
		r = image_find_entry(&store, &index, text, &entry, &by_id, err);
	return r < 0 ? r : image_read_entry(&store, &index, entry, ret, err);
}

static int compare_newest_first(const void *a, const void *b)
{
	const struct image *one = *(struct image *const *)a;
	const struct image *two = *(struct image *const *)b;

	if (one->created_ns != two->created_ns)
		return one->created_ns < two->created_ns ? 1 : -1;
	return strcmp(one->id, two->id);
}

/* Entries of one image (several names, or manifests that differ in compression only) become one. A
 * damaged image is told and does not hide the others. */
static void add_to_list(const struct store *store, const struct index_entry *entry,
	struct strmap *by_id, struct image ***images, size_t *count)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *read = NULL;
	struct image *image;

	if (image_read(store, &entry->manifest, &read, &err) < 0) {
		log_warning("%s", error_text(&err));
		return;
	}
	image = strmap_get(by_id, read->id);
	if (!image) {
		image = steal_ptr(read);
		strmap_set(by_id, image->id, image);
		*(struct image **)array_grow(images, count, sizeof(**images)) = image;
	}
	if (entry->name)
		strv_add(&image->names, entry->name);
}

int image_list(
	const struct engine *engine, struct image ***ret, size_t *ret_count, struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_index struct index index = { 0 };
	struct strmap by_id = STRMAP_INIT;
	struct image **images = NULL;
	size_t count = 0;
	int r = store_open(&store, engine, err);

	if (r == 0)
		r = index_load(&store, &index, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index.count; i++)
		add_to_list(&store, &index.entries[i], &by_id, &images, &count);
	strmap_release(&by_id);
	if (count > 0)
		qsort(images, count, sizeof(images[0]), compare_newest_first);
	*ret = images;
	*ret_count = count;
	return 0;
}

int image_chain_paths(
	const struct engine *engine, char *const *chain_ids, char ***ret_paths, struct error *err)
{
	cleanup_strv char **paths = NULL;

	for (size_t i = strv_length(chain_ids); i > 0; i--) {
		const char *chain_id = chain_ids[i - 1];
		cleanup_free char *path = NULL;

		if (!digest_is_valid(chain_id))
			return error_set(err, -EINVAL, "'%.100s' is no chain ID", chain_id);
		path = xasprintf("layers/%s/diff", digest_hex(chain_id));
		if (faccessat(engine->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return error_sys(err, -errno, "layer '%s/%s'", engine->data_path, path);
		strv_take(&paths, xasprintf("%s/%s", engine->data_path, path));
	}
	*ret_paths = steal_ptr(paths);
	return 0;
}

int image_layer_paths(const struct engine *engine, const struct image *image, char ***ret_paths,
	struct error *err)
{
	return image_chain_paths(engine, image->chain_ids, ret_paths, err);
}

static int put_name(
	const struct store *store, const struct image *image, const char *name, struct error *err)
{
	cleanup_index struct index index = { 0 };
	cleanup_fd int lock_fd = store_lock(store, err);
	struct descriptor manifest = { 0 };
	int r;

	if (lock_fd < 0)
		return lock_fd;
	r = index_load(store, &index, err);
	if (r < 0)
		return r;
	for (size_t i = 0; !manifest.digest && i < index.count; i++)
		if (strcmp(index.entries[i].manifest.digest, image->manifest_digest) == 0)
			descriptor_copy(&manifest, &index.entries[i].manifest);
	if (!manifest.digest)
		return error_set(err, -ENOENT, "No such image: %s", image->id);
	index_put(&index, &manifest, image->id, name);
	descriptor_release(&manifest);
	return index_save(store, &index, err);
}

int image_tag(const struct engine *engine, const struct image *image, const char *reference,
	struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	struct image_ref ref = { 0 };
	int r = image_ref_parse(reference, &ref, err);

	if (r == 0 && ref.digest)
		r = error_set(err, -EINVAL, "refusing to create a tag with a digest reference");
	if (r == 0)
		r = store_open(&store, engine, err);
	if (r == 0)
		r = put_name(&store, image, ref.familiar, err);
	image_ref_release(&ref);
	return r;
}
