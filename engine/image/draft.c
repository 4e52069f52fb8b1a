/* SPDX-License-Identifier: GPL-2.0-or-later
 * draft.c - an image on its way into the store: unpack, sync, publish. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"
#include "engine/image/index.h"
#include "engine/image/layer.h"

#define TRIES_MAX 5

void draft_release(struct draft *draft)
{
	descriptor_release(&draft->manifest);
	manifest_release(&draft->content);
	strv_free(draft->diff_ids);
	strv_free(draft->chain_ids);
	strv_free(draft->names);
	*draft = (struct draft){ 0 };
}

int draft_make_manifest(
	struct store *store, struct draft *draft, const char *config_text, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = store_blob_write(store, config_text, strlen(config_text), MEDIA_TYPE_CONFIG,
		&draft->content.config, err);

	if (r < 0)
		return r;
	text = manifest_print(&draft->content);
	return store_blob_write(
		store, text, strlen(text), MEDIA_TYPE_MANIFEST, &draft->manifest, err);
}

static bool has_tree(const struct store *store, const char *chain_id)
{
	return strmap_has(&store->work_trees, chain_id) || store_has_layer(store, chain_id);
}

/* The diff directory of a layer, in the workspace or under its final name. */
static int open_tree(const struct store *store, const char *chain_id, struct error *err)
{
	const char *name = strmap_get(&store->work_trees, chain_id);
	cleanup_free char *path = xasprintf("%s/diff", name ? name : digest_hex(chain_id));

	return file_open(name ? store->work_fd : store->layers_fd, path,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
}

/* Unpack blob `i` of the draft into tree_fd/diff; its size and diff ID are checked and noted. */
static int unpack_into(const struct store *store, const struct draft *draft, size_t i, int tree_fd,
	const struct layer_place *place, struct error *err)
{
	const struct descriptor *layer = &draft->content.layers[i];
	cleanup_tar_reader struct tar_reader *reader = NULL;
	cleanup_json struct json *note = json_new_object();
	cleanup_fd int blob_fd = -1;
	cleanup_free char *digest = NULL;
	struct stream *stream = NULL;
	enum compression compression;
	uint64_t size;
	int r = layer_compression(layer->media_type, &compression, err);

	if (r == 0)
		r = blob_fd = store_blob_open(store, layer->digest, err);
	if (r >= 0)
		r = stream_open(&stream, blob_fd, "tar", compression, NULL, err);
	if (r == 0)
		r = tar_reader_open(&reader, stream, err);
	if (r == 0)
		r = layer_unpack(place, reader, err);
	if (r == 0)
		r = tar_reader_finish(reader, draft->must_end, &digest, &size, err);
	if (r < 0)
		return r;
	if (strcmp(digest, draft->diff_ids[i]) != 0)
		return error_set(
			err, -EBADMSG, "content does not match diff ID %s", draft->diff_ids[i]);
	json_set_int(note, "version", 1);
	json_set_string(note, "diffID", digest);
	json_set_u64(note, "size", size);
	return json_write_file(tree_fd, "layer.json", note, FILE_VOLATILE, err);
}

static int unpack_layer(struct store *store, const struct draft *draft, size_t i, struct error *err)
{
	cleanup_free char *name = xasprintf("tree-%u", store->work_count++);
	cleanup_fd int tree_fd = dir_make_open(store->work_fd, name, 0700, err);
	cleanup_fd int diff_fd = -1;
	cleanup_free int *lower_fds = xcalloc(i + 1, sizeof(*lower_fds));
	struct layer_place place = { .lower_fds = lower_fds };
	int r = tree_fd;

	if (r >= 0)
		r = diff_fd = dir_make_open(tree_fd, "diff", 0755, err);
	place.root_fd = diff_fd;
	for (size_t below = i; r >= 0 && below > 0; below--) {
		r = open_tree(store, draft->chain_ids[below - 1], err);
		if (r >= 0)
			lower_fds[place.lower_count++] = r;
	}
	if (r >= 0)
		r = unpack_into(store, draft, i, tree_fd, &place, err);
	for (size_t below = 0; below < place.lower_count; below++)
		close_fd(&lower_fds[below]);
	if (r < 0)
		return error_wrap(err, "layer %s", draft->content.layers[i].digest);
	strmap_set(&store->work_trees, draft->chain_ids[i], steal_ptr(name));
	return 0;
}

static int unpack_missing(
	struct store *store, const struct draft *drafts, size_t count, struct error *err)
{
	for (size_t d = 0; d < count; d++) {
		for (size_t i = 0; drafts[d].chain_ids && drafts[d].chain_ids[i]; i++) {
			int r = 0;

			if (!has_tree(store, drafts[d].chain_ids[i]))
				r = unpack_layer(store, &drafts[d], i, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Between unpacking and the lock, a removal may have taken a layer we meant to share. */
static bool all_trees_there(const struct store *store, const struct draft *drafts, size_t count)
{
	for (size_t d = 0; d < count; d++)
		for (size_t i = 0; drafts[d].chain_ids && drafts[d].chain_ids[i]; i++)
			if (!has_tree(store, drafts[d].chain_ids[i]))
				return false;
	return true;
}

static int publish_blob(const struct store *store, const struct descriptor *blob, struct error *err)
{
	const char *name = strmap_get(&store->work_blobs, blob->digest);
	const char *hex = digest_hex(blob->digest);

	if (faccessat(store->blobs_fd, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (!name)
		return error_sys(err, -ENOENT, "blob %s", blob->digest);
	/* linkat, not rename: the file must stay in the workspace for a second draft. */
	if (linkat(store->work_fd, name, store->blobs_fd, hex, 0) < 0)
		return error_sys(err, -errno, "store blob %s", blob->digest);
	return 0;
}

static int publish_trees(const struct store *store, struct error *err)
{
	strmap_for_each (entry, &store->work_trees) {
		if (store_has_layer(store, entry->key))
			continue;
		if (renameat(store->work_fd, entry->value, store->layers_fd,
			    digest_hex(entry->key)) < 0)
			return error_sys(err, -errno, "store layer %s", entry->key);
	}
	if (fsync(store->layers_fd) < 0)
		return error_sys(err, -errno, "sync '%s/layers'", store->engine->data_path);
	return 0;
}

static int publish_blobs(
	const struct store *store, const struct draft *drafts, size_t count, struct error *err)
{
	for (size_t d = 0; d < count; d++) {
		const struct manifest *content = &drafts[d].content;
		int r = publish_blob(store, &drafts[d].manifest, err);

		if (r == 0)
			r = publish_blob(store, &content->config, err);
		for (size_t i = 0; r == 0 && i < content->layer_count; i++)
			r = publish_blob(store, &content->layers[i], err);
		if (r < 0)
			return r;
	}
	if (fsync(store->blobs_fd) < 0)
		return error_sys(err, -errno, "sync '%s/images'", store->engine->data_path);
	return 0;
}

static void put_names(struct index *index, const struct draft *draft)
{
	const char *image_id = draft->content.config.digest;

	if (!draft->names)
		index_put(index, &draft->manifest, image_id, NULL);
	for (char **name = draft->names; name && *name; name++)
		index_put(index, &draft->manifest, image_id, *name);
}

/* Under the lock; the content is durable already, so what is left is names. */
static int publish(struct store *store, const struct draft *drafts, size_t count, struct error *err)
{
	cleanup_index struct index index = { 0 };
	int r = index_load(store, &index, err);

	if (r == 0)
		r = publish_trees(store, err);
	if (r == 0)
		r = publish_blobs(store, drafts, count, err);
	if (r < 0)
		return r;
	for (size_t d = 0; d < count; d++)
		put_names(&index, &drafts[d]);
	return index_save(store, &index, err);
}

int store_add(struct store *store, const struct draft *drafts, size_t count, struct error *err)
{
	for (int try = 0; try < TRIES_MAX; try++) {
		cleanup_fd int lock_fd = -1;
		int r = unpack_missing(store, drafts, count, err);

		if (r < 0)
			return r;
		/* A final name promises whole content, also after power loss: content first. */
		if (syncfs(store->work_fd) < 0)
			return error_sys(err, -errno, "sync '%s'", store->engine->data_path);
		lock_fd = store_lock(store, err);
		if (lock_fd < 0)
			return lock_fd;
		if (all_trees_there(store, drafts, count))
			return publish(store, drafts, count, err);
	}
	return error_set(err, -EBUSY, "layers keep being removed by another command");
}
