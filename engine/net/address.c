/* SPDX-License-Identifier: GPL-2.0-or-later
 * address.c - IPv4 addresses and subnets as numbers, and the choice of a free one. */
#include "engine/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"

#define LONGEST_PREFIX 30

int address_parse(const char *text, uint32_t *ret)
{
	struct in_addr address;

	if (!text || inet_pton(AF_INET, text, &address) != 1)
		return -EINVAL;
	*ret = ntohl(address.s_addr);
	return 0;
}

void address_format(uint32_t address, char text[static ADDRESS_TEXT])
{
	snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
		address >> 8 & 0xff, address & 0xff);
}

int subnet_parse(const char *text, struct subnet *ret)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	char address_text[ADDRESS_TEXT];
	struct subnet subnet;
	uint32_t address;
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(address_text))
		return -EINVAL;
	memcpy(address_text, text, (size_t)(slash - text));
	address_text[slash - text] = '\0';
	if (address_parse(address_text, &address) < 0 ||
		parse_u64(slash + 1, 1, LONGEST_PREFIX, &prefix) < 0)
		return -EINVAL;
	subnet = (struct subnet){ .prefix = (uint8_t)prefix };
	subnet.base = address & subnet_mask(&subnet);
	*ret = subnet;
	return 0;
}

void subnet_format(const struct subnet *subnet, char text[static SUBNET_TEXT])
{
	char address_text[ADDRESS_TEXT];

	address_format(subnet->base, address_text);
	snprintf(text, SUBNET_TEXT, "%s/%u", address_text, subnet->prefix % 100u);
}

uint32_t subnet_mask(const struct subnet *subnet)
{
	return subnet->prefix ? UINT32_MAX << (32 - subnet->prefix) : 0;
}

bool subnet_contains(const struct subnet *subnet, uint32_t address)
{
	return (address & subnet_mask(subnet)) == subnet->base;
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
	return subnet_contains(a, b->base) || subnet_contains(b, a->base);
}

uint32_t subnet_first_host(const struct subnet *subnet)
{
	return subnet->base + 1;
}

uint32_t subnet_last_host(const struct subnet *subnet)
{
	return (subnet->base | ~subnet_mask(subnet)) - 1;
}

void mac_from_address(uint32_t address, char text[static MAC_TEXT])
{
	snprintf(text, MAC_TEXT, "02:42:%02x:%02x:%02x:%02x", address >> 24, address >> 16 & 0xff,
		address >> 8 & 0xff, address & 0xff);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *text, uint8_t ret[static 6])
{
	uint8_t bytes[6];

	if (!text || strlen(text) != MAC_TEXT - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
		char end = text[3 * i + 2];

		if (high < 0 || low < 0 || (i < 5 && end != ':' && end != '-'))
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	/* IEEE 802: the lowest bit of the first byte marks a group, which no interface may have. */
	if (bytes[0] & 1)
		return -EINVAL;
	memcpy(ret, bytes, sizeof(bytes));
	return 0;
}

struct subnet default_pool(size_t index)
{
	if (index < 15)
		return (struct subnet){ 0xac110000u + ((uint32_t)index << 16), 16 };
	return (struct subnet){ 0xc0a80000u + ((uint32_t)(index - 15) << 12), 20 };
}

bool address_next(const struct address_pool *pool, bool (*is_free)(uint32_t address, void *data),
	void *data, uint32_t *ret)
{
	uint32_t first = pool->range.base;
	uint32_t last = pool->range.base | ~subnet_mask(&pool->range);
	uint32_t address;

	if (first < subnet_first_host(&pool->subnet))
		first = subnet_first_host(&pool->subnet);
	if (last > subnet_last_host(&pool->subnet))
		last = subnet_last_host(&pool->subnet);
	if (first > last)
		return false;
	address = pool->cursor;
	for (uint64_t left = (uint64_t)last - first + 1; left; left--) {
		address = address < first || address >= last ? first : address + 1;
		if (is_free(address, data)) {
			*ret = address;
			return true;
		}
	}
	return false;
}
