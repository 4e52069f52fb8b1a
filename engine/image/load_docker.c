/* SPDX-License-Identifier: GPL-2.0-or-later
 * load_docker.c - what `docker save` writes: manifest.json names a config and layer tars. The
 * config is kept byte by byte, because its digest is the image ID; the manifest is ours. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"
#include "engine/image/load.h"

/* "HEX.json" and "blobs/sha256/HEX" promise a content. */
static int check_promise(const char *path, const char *digest, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strspn(name, "0123456789abcdef");
	bool is_promise = length == SHA256_HEX_LENGTH &&
			  (!name[length] || strcmp(name + length, ".json") == 0);

	if (is_promise && strncmp(name, digest_hex(digest), length) != 0)
		return error_set(err, -EBADMSG, "'%s': content does not match its name", path);
	return 0;
}

static int take_config(struct load *load, const struct json *item, struct draft *draft,
	char **ret_text, struct error *err)
{
	cleanup_free char *path = NULL;
	cleanup_free char *bytes = NULL;
	struct image image = { 0 };
	const char *digest;
	uint64_t size;
	size_t length;
	int r = json_get_string(item, "Config", &path, err);

	if (r == 0)
		r = source_get(load->source, path, &digest, &size, err);
	if (r == 0)
		r = check_promise(path, digest, err);
	if (r == 0)
		r = source_read(load->source, path, CONFIG_MAX, &bytes, &length, err);
	if (r == 0)
		r = image_document_parse(bytes, length, &image, err);
	if (r < 0)
		return r;
	draft->diff_ids = steal_ptr(image.diff_ids);
	draft->chain_ids = steal_ptr(image.chain_ids);
	image_document_release(&image);
	*ret_text = steal_ptr(bytes);
	return 0;
}

/* A layer that is compressed in the archive is stored plain: the config names the plain tar's
 * digest only. */
static int take_compressed(struct load *load, const char *digest, const char *diff_id,
	uint64_t *ret_size, struct error *err)
{
	cleanup_stream struct stream *stream = NULL;
	cleanup_free char *plain = NULL;
	cleanup_fd int fd = store_blob_open(load->store, digest, err);
	int r;

	if (fd < 0)
		return fd;
	r = stream_open(&stream, fd, digest, COMPRESSION_ANY, NULL, err);
	if (r == 0)
		r = store_blob_ingest(load->store, stream, &plain, ret_size, err);
	if (r < 0)
		return r;
	if (strcmp(plain, diff_id) != 0)
		return error_set(err, -EBADMSG, "content does not match diff ID %s", diff_id);
	return 0;
}

static int take_layer(struct load *load, const char *path, const char *diff_id,
	struct descriptor *layer, struct error *err)
{
	const char *digest;
	uint64_t size;
	int r;

	if (!path)
		return error_set(err, -EBADMSG, "'Layers': wrong type");
	r = source_get(load->source, path, &digest, &size, err);
	if (r == 0)
		r = check_promise(path, digest, err);
	if (r == 0 && strcmp(digest, diff_id) != 0) {
		r = take_compressed(load, digest, diff_id, &size, err);
		if (r < 0)
			return error_wrap(err, "layer '%.200s'", path);
	}
	if (r < 0)
		return r;
	layer->media_type = xstrdup(MEDIA_TYPE_LAYER_TAR);
	layer->digest = xstrdup(diff_id);
	layer->size = size;
	return 0;
}

static int take_layers(
	struct load *load, const struct json *layers, struct draft *draft, struct error *err)
{
	struct manifest *content = &draft->content;

	if (!json_is_array(layers) || json_count(layers) != strv_length(draft->diff_ids))
		return error_set(err, -EBADMSG, "'Layers': must be a list of %zu paths",
			strv_length(draft->diff_ids));
	json_for_each (item, layers) {
		struct descriptor *layer = array_add(content->layers, content->layer_count);
		int r = take_layer(load, json_string(item),
			draft->diff_ids[content->layer_count - 1], layer, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int take_names(const struct json *tags, struct draft *draft, struct error *err)
{
	if (!tags || json_is_null(tags))
		return 0;
	if (!json_is_array(tags))
		return error_set(err, -EBADMSG, "'RepoTags': wrong type");
	json_for_each (item, tags) {
		struct image_ref ref = { 0 };
		int r = image_ref_parse(json_string(item) ? json_string(item) : "", &ref, err);

		if (r < 0)
			return error_wrap(err, "RepoTags");
		strv_add(&draft->names, ref.familiar);
		image_ref_release(&ref);
	}
	return 0;
}

static int take_image(struct load *load, const struct json *item, struct error *err)
{
	struct draft *draft = array_add(load->drafts, load->draft_count);
	cleanup_free char *config_text = NULL;
	int r = take_config(load, item, draft, &config_text, err);

	if (r == 0)
		r = take_layers(load, json_get(item, "Layers"), draft, err);
	if (r == 0)
		r = take_names(json_get(item, "RepoTags"), draft, err);
	return r < 0 ? r : draft_make_manifest(load->store, draft, config_text, err);
}

int load_docker_archive(struct load *load, struct error *err)
{
	cleanup_json struct json *manifest = NULL;
	cleanup_free char *bytes = NULL;
	size_t length;
	int r = source_read(load->source, "manifest.json", MANIFEST_MAX, &bytes, &length, err);

	if (r < 0)
		return r;
	r = json_parse(bytes, length, &manifest, err);
	if (r == 0 && !json_is_array(manifest))
		r = error_set(err, -EBADMSG, "not a list");
	if (r < 0)
		return error_wrap(err, "manifest.json");
	json_for_each (item, manifest) {
		r = take_image(load, item, err);
		if (r < 0)
			return error_wrap(err, "manifest.json");
	}
	return 0;
}
