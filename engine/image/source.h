/* SPDX-License-Identifier: GPL-2.0-or-later
 * source.h - the files an image is loaded from: a tar archive, or a directory.
 *
 * A file is named by its plain path ("blobs/sha256/HEX", "manifest.json"). Its content goes into
 * the store's workspace as a blob, hashed on the way; a tar is read once, in whatever order it
 * comes. Links inside an archive (older `docker save` shares layers so) lead to other members of it
 * and nowhere else. */
#ifndef MYCOMPOSE_IMAGE_SOURCE_H
#define MYCOMPOSE_IMAGE_SOURCE_H

#include "engine/image/store.h"

struct source;
#define cleanup_source __attribute__((cleanup(source_cleanup)))
/* fd is the archive or an opened directory, and stays the caller's; `store` must have begun and
 * outlive it. */
int source_open(
	struct source **ret, struct store *store, int fd, const char *name, struct error *err);
void source_free(struct source *source); /* NULL is fine */
void source_cleanup(struct source **source);

bool source_has(struct source *source, const char *path);
/* Digest (the source's) and size of a file. -ENOENT; -EINVAL for a path that is not plain. */
int source_get(struct source *source, const char *path, const char **ret_digest, uint64_t *ret_size,
	struct error *err);
/* A document of at most `limit` bytes, heap. */
int source_read(struct source *source, const char *path, size_t limit, char **ret,
	size_t *ret_length, struct error *err);

#endif
