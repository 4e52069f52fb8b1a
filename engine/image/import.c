/* SPDX-License-Identifier: GPL-2.0-or-later
 * import.c - a root file system tar becomes a one-layer image. */
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

struct import {
	struct store store;
	struct image_ref ref; /* empty when no name was given */
	struct image_config config;
	struct draft draft;
	struct image *same; /* already there under that name, with this content and config */
};

static void import_release(struct import *import)
{
	draft_release(&import->draft);
	config_release(&import->config);
	image_ref_release(&import->ref);
	image_free(import->same);
	store_release(&import->store);
}

/* Decompressed on the way in: then the layer's digest is its diff ID, one hash serves both, and a
 * damaged archive is told here. An image that is unpacked once and read by few is not worth
 * compressing again. */
static int take_layer(struct import *import, int tar_fd, const char *tar_name, struct error *err)
{
	cleanup_stream struct stream *stream = NULL;
	struct descriptor *layer =
		array_add(import->draft.content.layers, import->draft.content.layer_count);
	int r = stream_open(&stream, tar_fd, tar_name, COMPRESSION_ANY, NULL, err);

	if (r == 0)
		r = store_blob_ingest(&import->store, stream, &layer->digest, &layer->size, err);
	if (r < 0)
		return r;
	if (layer->size == 0)
		return error_set(err, -EBADMSG, "%s: empty", tar_name);
	layer->media_type = xstrdup(MEDIA_TYPE_LAYER_TAR);
	strv_add(&import->draft.diff_ids, layer->digest);
	strv_add(&import->draft.chain_ids, layer->digest);
	return 0;
}

static char *print_document(const struct import *import, const char *message)
{
	cleanup_json struct json *document = json_new_object();
	cleanup_free char *now = time_format_rfc3339(time_now());
	struct json *rootfs = json_new_object();
	struct json *history = json_new_array();
	struct json *step = json_new_object();
	struct platform platform;

	platform_host(&platform);
	json_set_string(document, "created", now);
	json_set_string(document, "architecture", platform.architecture);
	json_set_string(document, "variant", platform.variant);
	json_set_string(document, "os", platform.os);
	json_set(document, "config", config_to_json(&import->config));
	json_set_string(rootfs, "type", "layers");
	json_set_strv(rootfs, "diff_ids", import->draft.diff_ids);
	json_set(document, "rootfs", rootfs);
	json_set_string(step, "created", now);
	json_set_string(step, "comment", message);
	json_append(history, step);
	json_set(document, "history", history);
	return json_print(document);
}

/* The same tar under the same name with the same changes is the same image: its ID, and with it
 * every container made of it, stays. */
static void find_same(struct import *import)
{
	cleanup_index struct index index = { 0 };
	cleanup_image struct image *image = NULL;
	const struct index_entry *entry;
	cleanup_json struct json *wanted = config_to_json(&import->config);
	cleanup_free char *wanted_text = json_print(wanted);
	cleanup_json struct json *found = NULL;
	cleanup_free char *found_text = NULL;

	if (!import->ref.familiar || index_load(&import->store, &index, NULL) < 0)
		return;
	entry = index_by_name(&index, import->ref.familiar);
	if (!entry || image_read_entry(&import->store, &index, entry, &image, NULL) < 0)
		return;
	found = config_to_json(&image->config);
	found_text = json_print(found);
	if (strv_equal(image->diff_ids, import->draft.diff_ids) &&
		store_has_layer(&import->store, image->chain_ids[0]) &&
		strcmp(wanted_text, found_text) == 0)
		import->same = steal_ptr(image);
}

static int run(struct import *import, int tar_fd, const char *tar_name, const char *message,
	struct error *err)
{
	cleanup_free char *document = NULL;
	int r = store_begin(&import->store, err);

	if (r == 0)
		r = take_layer(import, tar_fd, tar_name, err);
	if (r < 0)
		return r;
	find_same(import);
	if (import->same)
		return 0;
	document = print_document(import, message);
	r = draft_make_manifest(&import->store, &import->draft, document, err);
	if (r == 0)
		r = store_add(&import->store, &import->draft, 1, err);
	return r < 0 ? error_wrap(err, "%s", tar_name) : 0;
}

static int prepare(struct import *import, const struct engine *engine, const char *reference,
	char *const *changes, struct error *err)
{
	int r = 0;

	import->draft.must_end = true;
	if (reference)
		r = image_ref_parse(reference, &import->ref, err);
	if (r == 0 && import->ref.digest)
		r = error_set(err, -EINVAL, "cannot import digest reference");
	if (r == 0)
		r = config_change_all(&import->config, changes, err);
	if (r == 0 && reference)
		strv_add(&import->draft.names, import->ref.familiar);
	return r < 0 ? r : store_open(&import->store, engine, err);
}

int image_import(const struct engine *engine, int tar_fd, const char *tar_name,
	const char *reference, char *const *changes, const char *message, struct image **ret,
	struct error *err)
{
	struct import import = { .store = STORE_INIT };
	int r = prepare(&import, engine, reference, changes, err);

	if (r == 0)
		r = run(&import, tar_fd, tar_name, message, err);
	if (r == 0 && import.same)
		*ret = steal_ptr(import.same);
	else if (r == 0)
		r = image_find(engine, import.draft.content.config.digest, ret, err);
	import_release(&import);
	return r;
}
