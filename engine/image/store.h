/* SPDX-License-Identifier: GPL-2.0-or-later
 * store.h - the image store on disk: layout, lock, workspaces, blobs, and how an image gets in.
 *
 *   <data>/images/oci-layout index.json blobs/sha256/HEX    an OCI image layout
 *   <data>/layers/HEX/{diff,layer.json}                     unpacked, HEX is the chain ID
 *   <data>/layers/.work-XXXX/                               what one running command is making
 *
 * Blobs and layers are made in the workspace, synced, and appear under their final names by rename
 * while <run>/images.lock is held; the index is written after them. So a name that exists is whole,
 * also after power loss. A workspace is held by flock on its directory; one that nobody holds was
 * left by a killed command and is swept, as is a half-written index, by the next that makes a
 * workspace. The lock is held shortly: unpacking goes on without it. May depend on: engine/base/,
 * the other files of this room. */
#ifndef MYCOMPOSE_IMAGE_STORE_H
#define MYCOMPOSE_IMAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/base/sha256.h"
#include "engine/base/strmap.h"
#include "engine/image/image.h"
#include "engine/image/manifest.h"
#include "engine/image/tarball.h"

struct store {
	const struct engine *engine;
	int images_fd;
	int blobs_fd;
	int layers_fd;
	int work_fd; /* -1 until store_begin */
	char *work_name;
	unsigned int work_count;
	struct strmap work_blobs; /* digest -> name of its file in the workspace */
	struct strmap work_trees; /* chain ID -> name of its directory in the workspace */
};

#define STORE_INIT                                                      \
	{                                                               \
		NULL, -1, -1, -1, -1, NULL, 0, STRMAP_INIT, STRMAP_INIT \
	}
#define cleanup_store __attribute__((cleanup(store_release)))

int store_open(struct store *store, const struct engine *engine, struct error *err);
void store_release(struct store *store); /* the workspace goes, with what was not added */
/* The lock over index, blob names and layer names; held while the returned fd is open. */
int store_lock(const struct store *store, struct error *err);
/* Sweep left workspaces, make one of our own. */
int store_begin(struct store *store, struct error *err);

/* -ENOSPC when writing `bytes` more would use up what the file system should keep free. */
int store_check_space(const struct store *store, uint64_t bytes, struct error *err);

/* A blob in the making. Closed (or given up) by its end; a file given up goes with the workspace.
 */
struct blob_writer {
	struct store *store;
	struct sha256 sha;
	uint64_t size;
	uint64_t checked; /* how far free space has been checked */
	int fd;
	char name[32];
};
int blob_start(struct blob_writer *writer, struct store *store, struct error *err);
int blob_add(struct blob_writer *writer, const void *bytes, size_t length, struct error *err);
/* The digest ("sha256:HEX", heap); from now on store_blob_open finds it. */
char *blob_end(struct blob_writer *writer);
/* The same when somebody else wrote the file and knows the digest. */
void blob_end_as(struct blob_writer *writer, const char *digest);
void blob_give_up(struct blob_writer *writer);
/* A whole small blob at once. */
int store_blob_write(struct store *store, const void *bytes, size_t length, const char *media_type,
	struct descriptor *ret, struct error *err);
/* All bytes of a stream. */
int store_blob_ingest(struct store *store, struct stream *stream, char **ret_digest,
	uint64_t *ret_size, struct error *err);

/* From the workspace or the store; -ENOENT when in neither. */
int store_blob_open(const struct store *store, const char *digest, struct error *err);
bool store_has_blob(const struct store *store, const char *digest);
/* Into memory, with size and digest checked. `size` UINT64_MAX = not known. */
int store_blob_read(const struct store *store, const char *digest, uint64_t size, size_t limit,
	char **ret, size_t *ret_length, struct error *err);

bool store_has_layer(const struct store *store, const char *chain_id);
/* The size of the layer's tar, as noted when it was unpacked. */
int store_layer_size(
	const struct store *store, const char *chain_id, uint64_t *ret, struct error *err);

/* An image about to be added: its blobs are in the workspace or the store. */
struct draft {
	struct descriptor manifest;
	struct manifest content;
	char **diff_ids;
	char **chain_ids;
	char **names;  /* familiar references, may be NULL */
	bool must_end; /* nobody told the layers' digests: a tar without end mark is truncated */
};
void draft_release(struct draft *draft);
/* From a config document's bytes and layers (content.layers filled): store both documents. */
int draft_make_manifest(
	struct store *store, struct draft *draft, const char *config_text, struct error *err);

/* Unpack what is not there yet, make all durable, and put the images into the index: all or none.
 */
int store_add(struct store *store, const struct draft *drafts, size_t count, struct error *err);

#endif
