/* SPDX-License-Identifier: GPL-2.0-or-later
 * address6.c - IPv6 addresses and subnets, and the choice of a free one. */
#include "engine/net/address6.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/numbers.h"

#define LONGEST_PREFIX 126

int address6_parse(const char *text, struct in6_addr *ret)
{
	struct in6_addr address;

	if (!text || inet_pton(AF_INET6, text, &address) != 1)
		return -EINVAL;
	*ret = address;
	return 0;
}

void address6_format(const struct in6_addr *address, char text[static ADDRESS6_TEXT])
{
	inet_ntop(AF_INET6, address, text, ADDRESS6_TEXT);
}

bool address6_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static struct in6_addr masked(const struct in6_addr *address, unsigned int prefix)
{
	struct in6_addr result = *address;

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int bits = prefix <= 8 * i ? 0 : prefix - 8 * i;

		if (bits < 8)
			result.s6_addr[i] &= (uint8_t)(0xff00u >> bits);
	}
	return result;
}

int subnet6_parse(const char *text, struct subnet6 *ret)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	char address_text[ADDRESS6_TEXT];
	struct in6_addr address;
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, (size_t)(slash - text));
	address_text[slash - text] = '\0';
	if (address6_parse(address_text, &address) < 0 ||
		parse_u64(slash + 1, 1, LONGEST_PREFIX, &prefix) < 0 ||
		IN6_IS_ADDR_MULTICAST(&address) || IN6_IS_ADDR_LOOPBACK(&address) ||
		IN6_IS_ADDR_V4MAPPED(&address))
		return -EINVAL;
	*ret = (struct subnet6){ masked(&address, (unsigned int)prefix), (uint8_t)prefix };
	return 0;
}

void subnet6_format(const struct subnet6 *subnet, char text[static SUBNET6_TEXT])
{
	char address[ADDRESS6_TEXT];

	address6_format(&subnet->base, address);
	snprintf(text, SUBNET6_TEXT, "%s/%u", address, subnet->prefix % 1000u);
}

bool subnet6_contains(const struct subnet6 *subnet, const struct in6_addr *address)
{
	struct in6_addr base = masked(address, subnet->prefix);

	return address6_equal(&base, &subnet->base);
}

bool subnet6_overlaps(const struct subnet6 *a, const struct subnet6 *b)
{
	return subnet6_contains(a, &b->base) || subnet6_contains(b, &a->base);
}

static uint64_t low_half(const struct in6_addr *address)
{
	uint64_t value = 0;

	for (int i = 8; i < 16; i++)
		value = value << 8 | address->s6_addr[i];
	return value;
}

static uint64_t last_offset(const struct subnet6 *subnet)
{
	return subnet->prefix <= 64 ? UINT64_MAX : UINT64_MAX >> (subnet->prefix - 64);
}

struct in6_addr subnet6_at(const struct subnet6 *subnet, uint64_t offset)
{
	struct in6_addr address = subnet->base;
	uint64_t low = low_half(&address) + offset;

	for (int i = 15; i >= 8; i--, low >>= 8)
		address.s6_addr[i] = (uint8_t)low;
	return address;
}

bool subnet6_is_host(const struct subnet6 *subnet, const struct in6_addr *address)
{
	return subnet6_contains(subnet, address) && !address6_equal(address, &subnet->base);
}

struct subnet6 subnet6_unique_local(const uint8_t random[static 5])
{
	struct subnet6 subnet = { .prefix = 64 };

	subnet.base.s6_addr[0] = 0xfd;
	memcpy(subnet.base.s6_addr + 1, random, 5);
	return subnet;
}

bool address6_next(const struct address6_pool *pool,
	bool (*is_free)(const struct in6_addr *address, void *data), void *data,
	struct in6_addr *ret)
{
	uint64_t last = last_offset(&pool->range);
	uint64_t start = low_half(&pool->cursor) - low_half(&pool->range.base);
	uint64_t offset;

	if (!subnet6_contains(&pool->range, &pool->cursor))
		start = last; /* the next one is the first */
	offset = start;
	do {
		struct in6_addr address;

		offset = offset >= last ? 0 : offset + 1;
		address = subnet6_at(&pool->range, offset);
		if (subnet6_is_host(&pool->subnet, &address) && is_free(&address, data)) {
			*ret = address;
			return true;
		}
	} while (offset != start);
	return false;
}
