/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_parent.c - the host's interface that a macvlan or ipvlan network lives on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/net/room.h"

#define VLAN_MAX 4094 /* IEEE 802.1Q; 0 and 4095 are reserved */

/* "eth0.10" taken apart; false for any other name. */
static bool vlan_parse(const char *name, char base[static INTERFACE_TEXT], uint32_t *ret_id)
{
	const char *dot = strrchr(name, '.');
	uint64_t id;

	if (!dot || dot == name || parse_u64(dot + 1, 1, VLAN_MAX, &id) < 0)
		return false;
	snprintf(base, INTERFACE_TEXT, "%.*s", (int)(dot - name), name);
	*ret_id = (uint32_t)id;
	return true;
}

static bool is_dummy(const struct network *network)
{
	return strncmp(network->parent, "dm-", 3) == 0 &&
	       strncmp(network->parent + 3, network->id, strlen(network->parent + 3)) == 0;
}

/* A VLAN interface that was there before is not told from one of ours, and others may use it: it
 * stays, as the host's routes would. */
bool network_parent_is_own(const struct network *network)
{
	return network->parent && is_dummy(network);
}

static int vlan_make(struct netlink *netlink, const struct network *network, const char *base,
	uint32_t id, struct error *err)
{
	struct sub_link link = {
		.kind = "vlan", .name = network->parent, .mode = id, .netns_fd = -1
	};
	struct link_info below;
	int r = netlink_find_link(netlink, base, &below, err);

	if (r == -ENODEV)
		return error_set(err, r, "parent interface '%s' does not exist", base);
	if (r < 0)
		return r;
	link.parent_index = below.index;
	netlink_add_sub_link(netlink, &link);
	return netlink_commit(netlink, err);
}

static int parent_make(struct netlink *netlink, const struct network *network, struct error *err)
{
	struct sub_link dummy = { .kind = "dummy", .name = network->parent, .netns_fd = -1 };
	char base[INTERFACE_TEXT];
	uint32_t id;

	if (is_dummy(network)) {
		netlink_add_sub_link(netlink, &dummy);
		return netlink_commit(netlink, err);
	}
	if (vlan_parse(network->parent, base, &id))
		return vlan_make(netlink, network, base, id, err);
	return error_set(err, -ENODEV, "parent interface '%s' does not exist", network->parent);
}

int network_parent_up(struct netlink *netlink, const struct network *network, uint32_t *ret_index,
	struct error *err)
{
	struct link_info link;
	int r = netlink_find_link(netlink, network->parent, &link, err);

	if (r == -ENODEV) {
		r = parent_make(netlink, network, err);
		if (r == 0)
			r = netlink_find_link(netlink, network->parent, &link, err);
		if (r == -ENODEV && !err->code)
			r = error_set(err, r, "interface '%s' vanished", network->parent);
		if (r == 0) {
			netlink_add_link_up(netlink, link.index);
			r = netlink_commit(netlink, err);
		}
	}
	if (r == 0)
		*ret_index = link.index;
	return r;
}
