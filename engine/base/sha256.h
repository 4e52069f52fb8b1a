/* SPDX-License-Identifier: GPL-2.0-or-later
 * sha256.h - SHA-256 digests; nettle is spoken to here and nowhere else.
 *
 * A struct sha256 is plain memory: no release is needed, and a copy of it is a fork of the digest
 * so far. */
#ifndef MYCOMPOSE_BASE_SHA256_H
#define MYCOMPOSE_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_LENGTH 64

/* Opaque: room for nettle's context, checked when sha256.c is built. */
struct sha256 {
	uint64_t opaque[16];
};

void sha256_init(struct sha256 *sha256);
void sha256_update(struct sha256 *sha256, const void *bytes, size_t length);
/* Lower-case hex; the digest starts anew afterwards. */
void sha256_final_hex(struct sha256 *sha256, char hex[static SHA256_HEX_LENGTH + 1]);
void sha256_hex(const void *bytes, size_t length, char hex[static SHA256_HEX_LENGTH + 1]);

#endif
