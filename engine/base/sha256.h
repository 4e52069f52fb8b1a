/* SPDX-License-Identifier: GPL-2.0-or-later
 * sha256.h - SHA-256 while data streams by; the adapter to nettle.
 *
 * The context is a plain value: no allocation, nothing to free. Hex is lower case. */
#ifndef MYCOMPOSE_BASE_SHA256_H
#define MYCOMPOSE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_LENGTH 64

struct sha256 {
	uint64_t state[16]; /* nettle's context lives in here; only sha256.c looks inside */
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t length);
/* Ends the hash; the context must be started again before further use. */
void sha256_finish(struct sha256 *sha, char hex[static SHA256_HEX_LENGTH + 1]);

/* All at once. */
void sha256_hex(const void *bytes, size_t length, char hex[static SHA256_HEX_LENGTH + 1]);

#endif
