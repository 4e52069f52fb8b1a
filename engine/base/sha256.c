/* SPDX-License-Identifier: GPL-2.0-or-later
 * sha256.c - SHA-256 by nettle.
 *
 * nettle's header gives its functions the names sha256_init, sha256_update by macros onto
 * nettle_sha256_*; ours have these names as symbols, so the macros go once the header has been
 * read. */
#include <nettle/sha2.h>

#undef sha256_init
#undef sha256_update
#undef sha256_digest

#include "engine/base/sha256.h"

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha256), "struct sha256 is too small");
_Static_assert(
	_Alignof(struct sha256_ctx) <= _Alignof(struct sha256), "struct sha256 is misaligned");

static struct sha256_ctx *context(struct sha256 *sha256)
{
	return (struct sha256_ctx *)sha256->opaque;
}

void sha256_init(struct sha256 *sha256)
{
	nettle_sha256_init(context(sha256));
}

void sha256_update(struct sha256 *sha256, const void *bytes, size_t length)
{
	nettle_sha256_update(context(sha256), length, bytes);
}

void sha256_final_hex(struct sha256 *sha256, char hex[static SHA256_HEX_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];

	nettle_sha256_digest(context(sha256), sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LENGTH] = '\0';
}

void sha256_hex(const void *bytes, size_t length, char hex[static SHA256_HEX_LENGTH + 1])
{
	struct sha256 sha256;

	sha256_init(&sha256);
	sha256_update(&sha256, bytes, length);
	sha256_final_hex(&sha256, hex);
}
