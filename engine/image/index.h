/* SPDX-License-Identifier: GPL-2.0-or-later
 * index.h - the store's index.json: which manifests there are, under which names.
 *
 * One entry a name; an image without a name has one entry without the annotation. The image ID
 * stands in an annotation of our own, so that a look-up by ID reads no manifests; entries that
 * other tools wrote lack it and work as well. Entries are in the order in which they came. */
#ifndef MYCOMPOSE_IMAGE_INDEX_H
#define MYCOMPOSE_IMAGE_INDEX_H

#include "engine/image/store.h"

#define ANNOTATION_NAME "org.opencontainers.image.ref.name"
#define ANNOTATION_ID	"io.mycompose.image.id"

struct index_entry {
	struct descriptor manifest;
	char *name;	/* familiar reference, NULL = none */
	char *image_id; /* NULL = not noted */
	const struct json
		*json; /* the descriptor as found, foreign members included; the document's */
};

struct index {
	struct json *document; /* as read */
	struct index_entry *entries;
	size_t count;
};
#define cleanup_index __attribute__((cleanup(index_release)))
void index_release(struct index *index);

/* An absent file is an empty index. */
int index_load(const struct store *store, struct index *ret, struct error *err);
/* Durable; also writes the oci-layout marker when it is missing. The caller holds the lock. */
int index_save(const struct store *store, const struct index *index, struct error *err);

struct index_entry *index_by_name(const struct index *index, const char *name);
/* Give the manifest that name (taking it from another, which stays as a nameless entry when it was
 * its last), or with NULL make sure it has an entry. */
void index_put(struct index *index, const struct descriptor *manifest, const char *image_id,
	const char *name);
/* Take the name off. The manifest keeps a nameless entry if that was its last and `keep`. */
void index_take_name(struct index *index, const char *name, bool keep);
/* Drop every entry of a manifest. */
void index_drop(struct index *index, const char *manifest_digest);

#endif
