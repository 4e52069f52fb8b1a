/* SPDX-License-Identifier: GPL-2.0-or-later
 * load_oci.c - an OCI image layout: index.json, maybe an index below it, manifests, all kept as
 * they are. */
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/ascii.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"
#include "engine/image/index.h"
#include "engine/image/load.h"

#define INDEX_DEPTH_MAX	   4
#define CONTAINERD_NAME	   "io.containerd.image.name"
#define DOCKER_CONFIG_TYPE "application/vnd.docker.container.image.v1+json"

/* The blob of a descriptor is there, with that digest and that size. */
static int check_blob(struct load *load, const struct descriptor *blob, struct error *err)
{
	cleanup_free char *path = xasprintf("blobs/sha256/%s", digest_hex(blob->digest));
	const char *digest;
	uint64_t size;
	int r = source_get(load->source, path, &digest, &size, err);

	if (r < 0)
		return r;
	if (strcmp(digest, blob->digest) != 0)
		return error_set(err, -EBADMSG, "'%s': content does not match its digest", path);
	if (size != blob->size)
		return error_set(err, -EBADMSG, "'%s': has %llu bytes, its descriptor says %llu",
			path, (unsigned long long)size, (unsigned long long)blob->size);
	return 0;
}

static int read_blob(struct load *load, const struct descriptor *blob, size_t limit, char **ret,
	size_t *ret_length, struct error *err)
{
	int r = blob->size > limit
			? error_set(err, -EFBIG, "%s is larger than %zu bytes", blob->digest, limit)
			: check_blob(load, blob, err);

	return r < 0 ? r
		     : store_blob_read(
			       load->store, blob->digest, blob->size, limit, ret, ret_length, err);
}

enum match { MATCH_NO, MATCH_OTHER_VARIANT, MATCH_YES };

static bool member_equals(const struct json *json, const char *key, const char *wanted)
{
	const char *value = json_string(json_get(json, key));

	return value && wanted && strcmp(value, wanted) == 0;
}

/* No platform fits any; no variant fits any variant. */
static enum match match_platform(const struct json *descriptor)
{
	const struct json *platform = json_get(descriptor, "platform");
	struct platform host;

	if (!platform)
		return MATCH_YES;
	platform_host(&host);
	if (!member_equals(platform, "os", host.os) ||
		!member_equals(platform, "architecture", host.architecture))
		return MATCH_NO;
	if (!json_get(platform, "variant") || member_equals(platform, "variant", host.variant))
		return MATCH_YES;
	return MATCH_OTHER_VARIANT;
}

static int take_config(struct load *load, struct draft *draft, struct error *err)
{
	const struct descriptor *config = &draft->content.config;
	cleanup_free char *bytes = NULL;
	struct image image = { 0 };
	size_t length;
	int r;

	if (strcmp(config->media_type, MEDIA_TYPE_CONFIG) != 0 &&
		strcmp(config->media_type, DOCKER_CONFIG_TYPE) != 0)
		return error_set(
			err, -EOPNOTSUPP, "'%.100s' is no image config", config->media_type);
	r = read_blob(load, config, CONFIG_MAX, &bytes, &length, err);
	if (r == 0)
		r = image_document_parse(bytes, length, &image, err);
	if (r < 0)
		return r;
	draft->diff_ids = steal_ptr(image.diff_ids);
	draft->chain_ids = steal_ptr(image.chain_ids);
	image_document_release(&image);
	if (strv_length(draft->diff_ids) != draft->content.layer_count)
		return error_set(err, -EBADMSG, "manifest has %zu layers, config %zu",
			draft->content.layer_count, strv_length(draft->diff_ids));
	return 0;
}

static int take_manifest(
	struct load *load, const struct descriptor *descriptor, const char *name, struct error *err)
{
	struct draft *draft = array_add(load->drafts, load->draft_count);
	cleanup_free char *bytes = NULL;
	size_t length;
	int r = read_blob(load, descriptor, MANIFEST_MAX, &bytes, &length, err);

	descriptor_copy(&draft->manifest, descriptor);
	if (name)
		strv_add(&draft->names, name);
	if (r == 0)
		r = manifest_parse(bytes, length, descriptor->media_type, &draft->content, err);
	if (r == 0)
		r = take_config(load, draft, err);
	for (size_t i = 0; r == 0 && i < draft->content.layer_count; i++)
		r = check_blob(load, &draft->content.layers[i], err);
	return r < 0 ? error_wrap(err, "%s", descriptor->digest) : 0;
}

/* The one manifest of an index that fits this machine. */
static int choose(const struct json *manifests, const struct json **ret, struct error *err)
{
	const struct json *best = NULL;
	enum match best_match = MATCH_NO;
	struct platform host;

	json_for_each (item, manifests) {
		enum match match = match_platform(item);

		if (match > best_match) {
			best = item;
			best_match = match;
		}
	}
	platform_host(&host);
	if (!best)
		return error_set(
			err, -ENOENT, "no image for %s/%s in it", host.os, host.architecture);
	*ret = best;
	return 0;
}

/* Follow indexes down to a manifest. */
static int take_descriptor(
	struct load *load, const struct json *json, const char *name, int depth, struct error *err)
{
	cleanup_json struct json *document = NULL;
	cleanup_free char *bytes = NULL;
	struct descriptor descriptor = { 0 };
	const struct json *chosen = NULL;
	enum document_kind kind;
	size_t length;
	int r = descriptor_parse(json, &descriptor, err);

	if (r < 0)
		return r;
	kind = document_kind(descriptor.media_type);
	if (kind == DOCUMENT_MANIFEST) {
		r = take_manifest(load, &descriptor, name, err);
		descriptor_release(&descriptor);
		return r;
	}
	if (kind == DOCUMENT_UNKNOWN)
		r = error_set(
			err, -EOPNOTSUPP, "'%.100s' is no type of an image", descriptor.media_type);
	else if (depth >= INDEX_DEPTH_MAX)
		r = error_set(err, -EBADMSG, "indexes nested too deeply");
	else
		r = read_blob(load, &descriptor, MANIFEST_MAX, &bytes, &length, err);
	if (r == 0)
		r = oci_document_parse(bytes, length, descriptor.media_type, &document, err);
	descriptor_release(&descriptor);
	if (r == 0)
		r = choose(json_get(document, "manifests"), &chosen, err);
	return r < 0 ? r : take_descriptor(load, chosen, name, depth + 1, err);
}

/* The familiar reference an entry of index.json gives its image, or NULL. Layouts made by hand
 * carry a bare tag
 * ("latest", "1.2"), which names nothing outside their directory. */
static char *entry_name(const struct json *entry)
{
	const struct json *annotations = json_get(entry, "annotations");
	const char *full = json_string(json_get(annotations, CONTAINERD_NAME));
	const char *short_name = json_string(json_get(annotations, ANNOTATION_NAME));
	struct image_ref ref = { 0 };
	char *name;

	if (!full && short_name && !strpbrk(short_name, ":/@") &&
		(!ascii_is_lower(*short_name) || strcmp(short_name, "latest") == 0))
		return NULL;
	if (!full)
		full = short_name;
	if (!full || image_ref_parse(full, &ref, NULL) < 0)
		return NULL;
	name = steal_ptr(ref.familiar);
	image_ref_release(&ref);
	return name;
}

int load_oci_layout(struct load *load, struct error *err)
{
	cleanup_json struct json *index = NULL;
	cleanup_free char *bytes = NULL;
	const struct json *manifests;
	size_t length, skipped = 0;
	int r = source_read(load->source, "index.json", MANIFEST_MAX, &bytes, &length, err);

	if (r == 0)
		r = oci_document_parse(bytes, length, MEDIA_TYPE_INDEX, &index, err);
	if (r < 0)
		return error_wrap(err, "index.json");
	manifests = json_get(index, "manifests");
	json_for_each (item, manifests) {
		cleanup_free char *name = entry_name(item);

		if (match_platform(item) == MATCH_NO) {
			skipped++;
			continue;
		}
		r = take_descriptor(load, item, name, 1, err);
		if (r < 0)
			return error_wrap(err, "index.json");
	}
	if (load->draft_count == 0 && skipped > 0)
		return choose(manifests, &(const struct json *){ NULL }, err);
	return 0;
}
