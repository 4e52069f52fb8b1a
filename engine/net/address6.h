/* SPDX-License-Identifier: GPL-2.0-or-later
 * address6.h - IPv6 addresses and subnets, and the choice of a free one. Pure: no fd, no clock.
 * May depend on: engine/base/, address.h.
 *
 * Parsers return 0 or -EINVAL; messages are the caller's. Texts are those of RFC 5952. */
#ifndef MYCOMPOSE_NET_ADDRESS6_H
#define MYCOMPOSE_NET_ADDRESS6_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define ADDRESS6_TEXT INET6_ADDRSTRLEN
#define SUBNET6_TEXT  (INET6_ADDRSTRLEN + 4)

struct subnet6 {
	struct in6_addr base; /* host bits are zero */
	uint8_t prefix;	      /* 0 = no subnet */
};

/* Without brackets or zone. */
int address6_parse(const char *text, struct in6_addr *ret);
void address6_format(const struct in6_addr *address, char text[static ADDRESS6_TEXT]);
bool address6_equal(const struct in6_addr *a, const struct in6_addr *b);
/* "fd00:1::/64"; host bits are cleared, as docker does. A prefix over 126 leaves no room for a
 * container and a gateway; multicast, loopback and mapped IPv4 are no networks. */
int subnet6_parse(const char *text, struct subnet6 *ret);
void subnet6_format(const struct subnet6 *subnet, char text[static SUBNET6_TEXT]);
bool subnet6_contains(const struct subnet6 *subnet, const struct in6_addr *address);
bool subnet6_overlaps(const struct subnet6 *a, const struct subnet6 *b);
/* The address that many steps above the base; steps count in the low 64 bits. */
struct in6_addr subnet6_at(const struct subnet6 *subnet, uint64_t offset);
/* May a host have it: inside, and not the anycast address of all routers (offset 0). */
bool subnet6_is_host(const struct subnet6 *subnet, const struct in6_addr *address);
/* A subnet /64 of the unique local range (RFC 4193) from 40 random bits. */
struct subnet6 subnet6_unique_local(const uint8_t random[static 5]);

/* As address_next: next-fit behind `cursor` (unspecified address = from the start). */
struct address6_pool {
	struct subnet6 subnet;
	struct subnet6 range;
	struct in6_addr cursor;
};
bool address6_next(const struct address6_pool *pool,
	bool (*is_free)(const struct in6_addr *address, void *data), void *data,
	struct in6_addr *ret);

#endif
