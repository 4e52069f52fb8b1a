/* SPDX-License-Identifier: GPL-2.0-or-later
 * child.c - the child's half of an attachment: addresses and routes inside the container's netns.
 */
#include <errno.h>
#include <net/if.h>

#include "engine/net/room.h"

#define LOOPBACK_INDEX 1 /* the first link of every netns */

static int endpoint_add(struct netlink *netlink, const struct endpoint *endpoint, bool *has_route,
	struct error *err)
{
	uint32_t index = if_nametoindex(endpoint->interface);
	uint32_t address, gateway;
	int r;

	if (!index)
		return error_sys(err, -errno, "find interface %s", endpoint->interface);
	if (address_parse(endpoint->address, &address) < 0)
		return error_set(err, -EINVAL, "address '%s'", endpoint->address);
	/* Without an IPv6 network a container neither has nor learns IPv6 addresses. */
	r = ipv6_off(endpoint->interface, err);
	if (r < 0)
		return r;
	netlink_add_address(netlink, index, address, endpoint->prefix_length);
	netlink_add_link_up(netlink, index);
	if (*has_route || !endpoint->gateway)
		return 0;
	if (address_parse(endpoint->gateway, &gateway) < 0)
		return error_set(err, -EINVAL, "gateway '%s'", endpoint->gateway);
	netlink_add_default_route(netlink, index, gateway);
	*has_route = true;
	return 0;
}

int endpoint_configure(const struct endpoint *endpoints, size_t count, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	bool has_route = false;
	int r = netlink_open(&netlink, err);

	if (r < 0)
		return r;
	netlink_add_link_up(netlink, LOOPBACK_INDEX);
	for (size_t i = 0; i < count && r == 0; i++)
		r = endpoint_add(netlink, &endpoints[i], &has_route, err);
	return r < 0 ? r : netlink_commit(netlink, err);
}
