/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit.c - a container's writable layer on top of its image becomes a new image. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/image/config.h"
#include "engine/image/digest.h"
#include "engine/image/image_read.h"
#include "engine/image/store.h"
#include "engine/image/upper.h"

struct commit {
	struct store store;
	struct image_ref ref;
	struct image_config config;
	struct draft draft;
	struct json *document; /* the parent's, changed into ours */
};

static void commit_release(struct commit *commit)
{
	image_ref_release(&commit->ref);
	config_release(&commit->config);
	draft_release(&commit->draft);
	json_free(commit->document);
	store_release(&commit->store);
}

/* Start from what the parent is made of: its layers and its document (history, variant …). */
static int take_parent(struct commit *commit, const struct image *parent, struct error *err)
{
	struct index index = { 0 };
	const struct index_entry *entry = NULL;
	struct draft *draft = &commit->draft;
	cleanup_free char *manifest = NULL;
	cleanup_free char *config = NULL;
	size_t length;
	bool by_id;
	int r = index_load(&commit->store, &index, err);

	if (r == 0)
		r = image_find_entry(&commit->store, &index, parent->id, &entry, &by_id, err);
	if (r == 0)
		r = store_blob_read(&commit->store, entry->manifest.digest, entry->manifest.size,
			MANIFEST_MAX, &manifest, &length, err);
	if (r == 0)
		r = manifest_parse(
			manifest, length, entry->manifest.media_type, &draft->content, err);
	index_release(&index);
	if (r == 0)
		r = store_blob_read(&commit->store, draft->content.config.digest,
			draft->content.config.size, CONFIG_MAX, &config, &length, err);
	if (r == 0)
		r = json_parse(config, length, &commit->document, err);
	descriptor_release(&draft->content.config);
	draft->diff_ids = strv_copy(parent->diff_ids);
	draft->chain_ids = strv_copy(parent->chain_ids);
	return r < 0 ? error_wrap(err, "image %s", parent->id) : 0;
}

static int write_layer(struct commit *commit, int upper_fd, struct error *err)
{
	cleanup_tar_writer struct tar_writer *writer = NULL;
	struct descriptor *layer =
		array_add(commit->draft.content.layers, commit->draft.content.layer_count);
	struct blob_writer blob;
	int r = blob_start(&blob, &commit->store, err);

	if (r == 0)
		r = tar_writer_open(&writer, blob.fd, err);
	if (r == 0)
		r = upper_write(upper_fd, writer, err);
	if (r == 0)
		r = tar_writer_finish(writer, &layer->digest, &layer->size, err);
	if (r < 0) {
		blob_give_up(&blob);
		return error_wrap(err, "read the container's files");
	}
	blob_end_as(&blob, layer->digest);
	layer->media_type = xstrdup(MEDIA_TYPE_LAYER_TAR);
	return 0;
}

static void add_layer_ids(struct draft *draft)
{
	const char *diff_id = draft->content.layers[draft->content.layer_count - 1].digest;
	size_t count = strv_length(draft->chain_ids);
	const char *below = count ? draft->chain_ids[count - 1] : NULL;

	strv_add(&draft->diff_ids, diff_id);
	strv_take(&draft->chain_ids, digest_chain(below, diff_id));
}

static char *print_document(struct commit *commit, const struct image_commit_options *options)
{
	struct json *document = commit->document;
	cleanup_free char *now = time_format_rfc3339(time_now());
	cleanup_free char *command = strv_join(commit->config.cmd, " ");
	struct json *rootfs = json_new_object();
	const struct json *past = json_get(document, "history");
	struct json *history = json_is_array(past) ? json_copy(past) : json_new_array();
	struct json *step = json_new_object();

	json_set_string(step, "created", now);
	json_set_string(step, "created_by", command && *command ? command : NULL);
	json_set_string(step, "author", options ? options->author : NULL);
	json_set_string(step, "comment", options ? options->message : NULL);
	json_append(history, step);
	json_set(document, "history", history);
	json_set_string(document, "created", now);
	if (options && options->author)
		json_set_string(document, "author", options->author);
	json_set(document, "config", config_to_json(&commit->config));
	json_set_string(rootfs, "type", "layers");
	json_set_strv(rootfs, "diff_ids", commit->draft.diff_ids);
	json_set(document, "rootfs", rootfs);
	return json_print(document);
}

static int run(struct commit *commit, const struct image *parent, int upper_fd,
	const struct image_commit_options *options, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = store_begin(&commit->store, err);

	if (r == 0)
		r = take_parent(commit, parent, err);
	if (r == 0)
		r = write_layer(commit, upper_fd, err);
	if (r < 0)
		return r;
	add_layer_ids(&commit->draft);
	text = print_document(commit, options);
	r = draft_make_manifest(&commit->store, &commit->draft, text, err);
	return r < 0 ? r : store_add(&commit->store, &commit->draft, 1, err);
}

static int prepare(struct commit *commit, const struct engine *engine, const char *reference,
	const struct image_commit_options *options, struct error *err)
{
	int r = 0;

	if (reference)
		r = image_ref_parse(reference, &commit->ref, err);
	if (r == 0 && commit->ref.digest)
		r = error_set(err, -EINVAL, "cannot commit to digest reference");
	if (r == 0 && options)
		r = config_change_all(&commit->config, options->changes, err);
	if (r == 0 && reference)
		strv_add(&commit->draft.names, commit->ref.familiar);
	return r < 0 ? r : store_open(&commit->store, engine, err);
}

int image_commit(const struct engine *engine, const struct image *parent, int upperdir_fd,
	const struct image_config *config, const char *reference,
	const struct image_commit_options *options, struct image **ret, struct error *err)
{
	struct commit commit = { .store = STORE_INIT };
	int r;

	config_copy(&commit.config, config);
	r = prepare(&commit, engine, reference, options, err);
	if (r == 0)
		r = run(&commit, parent, upperdir_fd, options, err);
	if (r == 0)
		r = image_find(engine, commit.draft.content.config.digest, ret, err);
	commit_release(&commit);
	return r;
}
