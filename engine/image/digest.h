/* SPDX-License-Identifier: GPL-2.0-or-later
 * digest.h - "sha256:HEX", the name of a content. OCI image-spec, descriptor.md and config.md. */
#ifndef MYCOMPOSE_IMAGE_DIGEST_H
#define MYCOMPOSE_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/sha256.h"

#define DIGEST_PREFIX "sha256:"

/* "sha256:" and 64 lower-case hex digits: what may become a file name of the store. */
bool digest_is_valid(const char *digest);
const char *digest_hex(const char *digest); /* the part behind the colon of a valid digest */
/* All heap. */
char *digest_of(const void *bytes, size_t length);
char *digest_finish(struct sha256 *sha);
/* The chain ID of a layer on top of `parent_chain` (NULL for the base layer). */
char *digest_chain(const char *parent_chain, const char *diff_id);

#endif
