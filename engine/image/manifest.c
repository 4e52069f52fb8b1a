/* SPDX-License-Identifier: GPL-2.0-or-later
 * manifest.c - image manifests: parse, check, print. */
#include "engine/image/manifest.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/image/digest.h"

static const struct {
	const char *media_type;
	enum document_kind kind;
} document_types[] = {
	{ MEDIA_TYPE_MANIFEST, DOCUMENT_MANIFEST },
	{ MEDIA_TYPE_INDEX, DOCUMENT_INDEX },
	{ "application/vnd.docker.distribution.manifest.v2+json", DOCUMENT_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", DOCUMENT_INDEX },
};

#define OCI_LAYER    "application/vnd.oci.image.layer."
#define DOCKER_LAYER "application/vnd.docker.image.rootfs."

static const struct {
	const char *media_type;
	enum compression compression;
} layer_types[] = {
	{ MEDIA_TYPE_LAYER_TAR, COMPRESSION_NONE },
	{ OCI_LAYER "v1.tar+gzip", COMPRESSION_GZIP },
	{ OCI_LAYER "v1.tar+zstd", COMPRESSION_ZSTD },
	{ OCI_LAYER "nondistributable.v1.tar", COMPRESSION_NONE },
	{ OCI_LAYER "nondistributable.v1.tar+gzip", COMPRESSION_GZIP },
	{ OCI_LAYER "nondistributable.v1.tar+zstd", COMPRESSION_ZSTD },
	{ DOCKER_LAYER "diff.tar", COMPRESSION_NONE },
	{ DOCKER_LAYER "diff.tar.gzip", COMPRESSION_GZIP },
	{ DOCKER_LAYER "diff.tar.zstd", COMPRESSION_ZSTD },
	{ DOCKER_LAYER "foreign.diff.tar.gzip", COMPRESSION_GZIP },
};

void descriptor_release(struct descriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->digest);
	*descriptor = (struct descriptor){ 0 };
}

void descriptor_copy(struct descriptor *to, const struct descriptor *from)
{
	to->media_type = xstrdup(from->media_type);
	to->digest = xstrdup(from->digest);
	to->size = from->size;
}

int descriptor_parse(const struct json *json, struct descriptor *ret, struct error *err)
{
	struct descriptor descriptor = { 0 };
	int r = json_get_string(json, "mediaType", &descriptor.media_type, err);

	if (r == 0)
		r = json_get_string(json, "digest", &descriptor.digest, err);
	if (r == 0)
		r = json_get_u64(json, "size", &descriptor.size, err);
	if (r == 0 && !digest_is_valid(descriptor.digest))
		r = error_set(err, -EBADMSG, "'digest': '%.100s' is not sha256 and 64 digits",
			descriptor.digest);
	if (r < 0) {
		descriptor_release(&descriptor);
		return r;
	}
	*ret = descriptor;
	return 0;
}

struct json *descriptor_to_json(const struct descriptor *descriptor)
{
	struct json *json = json_new_object();

	json_set_string(json, "mediaType", descriptor->media_type);
	json_set_string(json, "digest", descriptor->digest);
	json_set_u64(json, "size", descriptor->size);
	return json;
}

enum document_kind document_kind(const char *media_type)
{
	for (size_t i = 0; i < ARRAY_LEN(document_types); i++)
		if (strcmp(document_types[i].media_type, media_type) == 0)
			return document_types[i].kind;
	return DOCUMENT_UNKNOWN;
}

int oci_document_parse(const char *bytes, size_t length, const char *media_type, struct json **ret,
	struct error *err)
{
	cleanup_json struct json *json = NULL;
	enum document_kind kind = document_kind(media_type);
	const char *own_type;
	int r = json_parse(bytes, length, &json, err);

	if (r < 0)
		return r;
	if (!json_is_object(json) || json_int(json_get(json, "schemaVersion"), 0) != 2)
		return error_set(err, -EBADMSG, "not a manifest of schema version 2");
	own_type = json_string(json_get(json, "mediaType"));
	if (own_type && strcmp(own_type, media_type) != 0)
		return error_set(err, -EBADMSG, "is called '%s' and calls itself '%.100s'",
			media_type, own_type);
	/* One document that is both would be verified as one thing and used as the other. */
	if (json_get(json, kind == DOCUMENT_MANIFEST ? "manifests" : "layers") ||
		(kind == DOCUMENT_INDEX && json_get(json, "config")))
		return error_set(
			err, -EBADMSG, "ambiguous: has members of a manifest and of an index");
	*ret = steal_ptr(json);
	return 0;
}

void manifest_release(struct manifest *manifest)
{
	descriptor_release(&manifest->config);
	for (size_t i = 0; i < manifest->layer_count; i++)
		descriptor_release(&manifest->layers[i]);
	free(manifest->layers);
	*manifest = (struct manifest){ 0 };
}

static int parse_members(const struct json *json, struct manifest *manifest, struct error *err)
{
	const struct json *layers = json_get(json, "layers");
	int r = descriptor_parse(json_get(json, "config"), &manifest->config, err);

	if (r < 0)
		return error_wrap(err, "config");
	if (!json_is_array(layers) || json_count(layers) > LAYERS_MAX)
		return error_set(
			err, -EBADMSG, "'layers': must be a list of at most %d", LAYERS_MAX);
	json_for_each (layer, layers) {
		struct descriptor *descriptor = array_add(manifest->layers, manifest->layer_count);

		r = descriptor_parse(layer, descriptor, err);
		if (r < 0)
			return error_wrap(err, "layer %zu", manifest->layer_count);
	}
	return 0;
}

int manifest_parse(const char *bytes, size_t length, const char *media_type, struct manifest *ret,
	struct error *err)
{
	cleanup_json struct json *json = NULL;
	struct manifest manifest = { 0 };
	int r;

	if (document_kind(media_type) != DOCUMENT_MANIFEST)
		return error_set(
			err, -EBADMSG, "'%.100s' is no type of an image manifest", media_type);
	r = oci_document_parse(bytes, length, media_type, &json, err);
	if (r == 0)
		r = parse_members(json, &manifest, err);
	if (r < 0) {
		manifest_release(&manifest);
		return r;
	}
	*ret = manifest;
	return 0;
}

char *manifest_print(const struct manifest *manifest)
{
	cleanup_json struct json *json = json_new_object();
	struct json *layers = json_new_array();

	json_set_int(json, "schemaVersion", 2);
	json_set_string(json, "mediaType", MEDIA_TYPE_MANIFEST);
	json_set(json, "config", descriptor_to_json(&manifest->config));
	for (size_t i = 0; i < manifest->layer_count; i++)
		json_append(layers, descriptor_to_json(&manifest->layers[i]));
	json_set(json, "layers", layers);
	return json_print(json);
}

int layer_compression(const char *media_type, enum compression *ret, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(layer_types); i++) {
		if (strcmp(layer_types[i].media_type, media_type) == 0) {
			*ret = layer_types[i].compression;
			return 0;
		}
	}
	return error_set(err, -EOPNOTSUPP, "unsupported layer type '%.100s'", media_type);
}
