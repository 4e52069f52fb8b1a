/* SPDX-License-Identifier: GPL-2.0-or-later
 * sha256.c - SHA-256 by nettle, the only file that includes it. */
#include "engine/base/sha256.h"

#include <nettle/sha2.h>

_Static_assert(sizeof(struct sha256) >= sizeof(struct sha256_ctx), "nettle's context must fit");
_Static_assert(_Alignof(struct sha256) >= _Alignof(struct sha256_ctx), "and be aligned");

static struct sha256_ctx *context(struct sha256 *sha)
{
	return (struct sha256_ctx *)(void *)sha->state;
}

void sha256_start(struct sha256 *sha)
{
	nettle_sha256_init(context(sha));
}

void sha256_add(struct sha256 *sha, const void *bytes, size_t length)
{
	nettle_sha256_update(context(sha), length, bytes);
}

void sha256_finish(struct sha256 *sha, char hex[static SHA256_HEX_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];

	nettle_sha256_digest(context(sha), sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LENGTH] = '\0';
}

void sha256_hex(const void *bytes, size_t length, char hex[static SHA256_HEX_LENGTH + 1])
{
	struct sha256 sha;

	sha256_start(&sha);
	sha256_add(&sha, bytes, length);
	sha256_finish(&sha, hex);
}
