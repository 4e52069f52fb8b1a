/* SPDX-License-Identifier: GPL-2.0-or-later
 * manifest.h - descriptors, image manifests and image indexes as documents.
 * Meaning: OCI image-spec descriptor.md, manifest.md, image-index.md; docker's schema 2 types are
 * the same documents under other names. The media type says what a document is, never its look. */
#ifndef MYCOMPOSE_IMAGE_MANIFEST_H
#define MYCOMPOSE_IMAGE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/json.h"
#include "engine/image/image.h"
#include "engine/image/tarball.h"

#define MANIFEST_MAX (4 * 1024 * 1024) /* bytes; the distribution project's own bound */
#define CONFIG_MAX   (8 * 1024 * 1024)
#define LAYERS_MAX \
	256 /* docker stops at 127, overlay at 500; each is an open file while unpacking */

#define MEDIA_TYPE_MANIFEST  "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_TYPE_INDEX     "application/vnd.oci.image.index.v1+json"
#define MEDIA_TYPE_CONFIG    "application/vnd.oci.image.config.v1+json"
#define MEDIA_TYPE_LAYER_TAR "application/vnd.oci.image.layer.v1.tar"

struct descriptor {
	char *media_type;
	char *digest; /* valid, see digest.h */
	uint64_t size;
};
void descriptor_release(struct descriptor *descriptor);
void descriptor_copy(struct descriptor *to, const struct descriptor *from);
int descriptor_parse(const struct json *json, struct descriptor *ret, struct error *err);
struct json *descriptor_to_json(const struct descriptor *descriptor);

enum document_kind { DOCUMENT_MANIFEST, DOCUMENT_INDEX, DOCUMENT_UNKNOWN };
enum document_kind document_kind(const char *media_type);
/* Parse the bytes of a manifest or index of that media type. -EBADMSG when it says otherwise about
 * itself or could be taken for the other kind. */
int oci_document_parse(const char *bytes, size_t length, const char *media_type, struct json **ret,
	struct error *err);

struct manifest {
	struct descriptor config;
	struct descriptor *layers; /* base first */
	size_t layer_count;
};
void manifest_release(struct manifest *manifest);
int manifest_parse(const char *bytes, size_t length, const char *media_type, struct manifest *ret,
	struct error *err);
char *manifest_print(const struct manifest *manifest); /* OCI form, heap */

/* How a layer blob of that type is compressed. -EOPNOTSUPP when it is no layer we know. */
int layer_compression(const char *media_type, enum compression *ret, struct error *err);

/* The image config document: fills architecture, os, created_ns, diff_ids, chain_ids, config. On
 * failure nothing is left in `image`. */
int image_document_parse(const char *bytes, size_t length, struct image *image, struct error *err);

/* Free what it filled, for an image that is no heap object. */
void image_document_release(struct image *image);

/* The Go names of this machine ("amd64"); variant may be NULL. */
struct platform {
	const char *os;
	const char *architecture;
	const char *variant;
};
void platform_host(struct platform *ret);

#endif
