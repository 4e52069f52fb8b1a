/* SPDX-License-Identifier: GPL-2.0-or-later
 * address.h - IPv4 addresses and subnets as numbers, and the choice of a free one. Pure: no fd, no
 * clock. May depend on: engine/base/.
 *
 * Numbers are in host byte order. Parsers return 0 or -EINVAL; messages are the caller's. */
#ifndef MYCOMPOSE_NET_ADDRESS_H
#define MYCOMPOSE_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT 16 /* "255.255.255.255" and NUL */
#define SUBNET_TEXT  19 /* "/32" more */
#define MAC_TEXT     18 /* "02:42:ac:12:00:02" and NUL */

struct subnet {
	uint32_t base; /* host bits are zero */
	uint8_t prefix;
};

int address_parse(const char *text, uint32_t *ret);
void address_format(uint32_t address, char text[static ADDRESS_TEXT]);
/* "172.18.0.0/16"; host bits are cleared, as docker does. A prefix over 30 leaves no room for a
 * container and a gateway and is refused. */
int subnet_parse(const char *text, struct subnet *ret);
void subnet_format(const struct subnet *subnet, char text[static SUBNET_TEXT]);
uint32_t subnet_mask(const struct subnet *subnet);
bool subnet_contains(const struct subnet *subnet, uint32_t address);
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);
/* The lowest and the highest address a host may have (network and broadcast address left out). */
uint32_t subnet_first_host(const struct subnet *subnet);
uint32_t subnet_last_host(const struct subnet *subnet);

/* The MAC docker derives from an address: 02:42 and its four bytes. */
void mac_from_address(uint32_t address, char text[static MAC_TEXT]);
int mac_parse(const char *text, uint8_t ret[static 6]);

/* Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 to 192.168.240.0/20.
 */
#define DEFAULT_POOLS 31
struct subnet default_pool(size_t index);

/* Next-fit: the first address after `cursor` (0 = from the start), wrapping once, that is inside
 * `range`, may be a host of `subnet`, and that `is_free` accepts; false when there is none. */
struct address_pool {
	struct subnet subnet;
	struct subnet range;
	uint32_t cursor;
};
bool address_next(const struct address_pool *pool, bool (*is_free)(uint32_t address, void *data),
	void *data, uint32_t *ret);

#endif
