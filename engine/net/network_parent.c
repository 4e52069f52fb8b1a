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

/* Another network on the same parent; NULL: none. The caller frees it. */
static int neighbour_find(const struct engine *engine, const struct network *network,
	struct network **ret, struct error *err)
{
	struct network **networks;
	size_t count;
	int r = network_read_all(engine, &networks, &count, err);

	if (r < 0)
		return r;
	*ret = NULL;
	for (size_t i = 0; i < count && !*ret; i++)
		if (networks[i]->parent && strcmp(networks[i]->parent, network->parent) == 0 &&
			strcmp(networks[i]->id, network->id) != 0)
			*ret = steal_ptr(networks[i]);
	network_list_free(networks, count);
	return 0;
}

/* The group of a link that we made is that of one network on it, from birth on; so one that was
 * there before is never taken for ours. Who leaves first hands it on. */
int network_parent_down(
	const struct engine *engine, const struct network *network, struct error *err)
{
	cleanup_network struct network *neighbour = NULL;
	cleanup_netlink struct netlink *netlink = NULL;
	struct link_info link;
	int r = netlink_open(&netlink, err);

	if (r == 0)
		r = netlink_find_link(netlink, network->parent, &link, err);
	if (r == -ENODEV || (r == 0 && link.group != network_group(network)))
		return 0;
	if (r == 0)
		r = neighbour_find(engine, network, &neighbour, err);
	if (r < 0)
		return r;
	if (neighbour)
		netlink_add_link_group(netlink, link.index, network_group(neighbour));
	else
		netlink_add_link_delete(netlink, network->parent);
	return netlink_commit(netlink, err);
}

/* Somebody else may be making it at the same time, for another network. */
static int link_make(struct netlink *netlink, const struct sub_link *link, struct error *err)
{
	int r;

	netlink_add_sub_link(netlink, link);
	r = netlink_commit(netlink, err);
	if (r != -EEXIST)
		return r;
	error_release(err);
	return 0;
}

static int vlan_make(struct netlink *netlink, const struct network *network, const char *base,
	uint32_t id, struct error *err)
{
	struct sub_link link = {
		.kind = "vlan",
		.name = network->parent,
		.mode = id,
		.netns_fd = -1,
		.group = network_group(network),
	};
	struct link_info below;
	int r = netlink_find_link(netlink, base, &below, err);

	if (r == -ENODEV)
		return error_set(err, r, "parent interface '%s' does not exist", base);
	if (r < 0)
		return r;
	link.parent_index = below.index;
	return link_make(netlink, &link, err);
}

static int parent_make(struct netlink *netlink, const struct network *network, struct error *err)
{
	struct sub_link dummy = { .kind = "dummy",
		.name = network->parent,
		.netns_fd = -1,
		.group = network_group(network) };
	char base[INTERFACE_TEXT];
	uint32_t id;

	if (is_dummy(network))
		return link_make(netlink, &dummy, err);
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
			if (r < 0)
				error_wrap(err, "parent interface '%s'", network->parent);
		}
	}
	if (r == 0)
		*ret_index = link.index;
	return r;
}
