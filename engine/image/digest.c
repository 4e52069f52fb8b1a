/* SPDX-License-Identifier: GPL-2.0-or-later
 * digest.c - checked and computed digests. */
#include "engine/image/digest.h"

#include "engine/base/memory.h"

#define PREFIX_LENGTH (sizeof(DIGEST_PREFIX) - 1)

bool digest_is_valid(const char *digest)
{
	return digest && strncmp(digest, DIGEST_PREFIX, PREFIX_LENGTH) == 0 &&
	       strlen(digest) == PREFIX_LENGTH + SHA256_HEX_LENGTH &&
	       strspn(digest + PREFIX_LENGTH, "0123456789abcdef") == SHA256_HEX_LENGTH;
}

const char *digest_hex(const char *digest)
{
	return digest + PREFIX_LENGTH;
}

char *digest_of(const void *bytes, size_t length)
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, bytes, length);
	return digest_finish(&sha);
}

char *digest_finish(struct sha256 *sha)
{
	char hex[SHA256_HEX_LENGTH + 1];

	sha256_final_hex(sha, hex);
	return xasprintf(DIGEST_PREFIX "%s", hex);
}

char *digest_chain(const char *parent_chain, const char *diff_id)
{
	cleanup_free char *both = NULL;

	if (!parent_chain)
		return xstrdup(diff_id);
	both = xasprintf("%s %s", parent_chain, diff_id);
	return digest_of(both, strlen(both));
}
