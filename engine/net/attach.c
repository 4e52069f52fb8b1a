/* SPDX-License-Identifier: GPL-2.0-or-later
 * attach.c - the parent's half of an attachment: links between networks and a netns. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/net/room.h"

#define IPV6_MIN_MTU 1280 /* RFC 8200; below it the kernel gives a link no IPv6 settings at all */

/* A restarted container's old veth may live on for a while: the kernel takes netns apart in the
 * background. So names are drawn, not derived; of 48 random bits, two alike are not to be expected,
 * and the kernel refuses them. */
static void host_name_draw(char name[static INTERFACE_TEXT])
{
	char id[ID_LENGTH + 1];

	id_random(id);
	snprintf(name, INTERFACE_TEXT, "mv%.*s", ID_SHORT_LENGTH, id);
}

/* Looking leaves the batch alone; making the bridge sends it, which is merely early. */
static int bridge_index(const struct engine *engine, struct netlink *netlink,
	const struct network *network, uint32_t *ret, struct error *err)
{
	struct link_info link;
	int r = netlink_find_link(netlink, network->bridge, &link, err);

	if (r == -ENODEV) /* deleted since network_up */
		return network_bridge_up(engine, netlink, network, ret, err);
	if (r == 0)
		*ret = link.index;
	return r;
}

struct bridge_port endpoint_port(
	const struct endpoint *endpoint, const struct network_traits *traits)
{
	return (struct bridge_port){
		.isolated = traits->no_icc,
		/* With bridge-nf-call-iptables a container that uses its own published port is
		 * sent back by the bridge itself, through the port its frame came from. */
		.hairpin = endpoint->port_count > 0,
	};
}

static int veth_add(const struct engine *engine, struct netlink *netlink,
	const struct network *network, const struct endpoint *endpoint, int netns_fd,
	struct error *err)
{
	struct network_traits traits;
	char host_name[INTERFACE_TEXT];
	struct veth_pair pair;
	uint8_t mac[6];
	int r = network_traits_read(network->options, &traits, err);

	if (r == 0 && mac_parse(endpoint->mac, mac) < 0)
		r = error_set(err, -EINVAL, "'%s' is no MAC address", endpoint->mac);
	if (r < 0)
		return r;
	host_name_draw(host_name);
	pair = (struct veth_pair){
		.host_name = host_name,
		.alias = endpoint->container_id,
		.group = network_group(network),
		.mtu = network->mtu,
		.port = endpoint_port(endpoint, &traits),
		.has_ipv6 = (!network->mtu || network->mtu >= IPV6_MIN_MTU) &&
			    access("/proc/sys/net/ipv6", F_OK) == 0,
		.peer_name = endpoint->interface,
		.peer_netns_fd = netns_fd,
		.peer_mac = mac,
	};
	r = bridge_index(engine, netlink, network, &pair.port.bridge_index, err);
	if (r == 0)
		netlink_add_veth(netlink, &pair);
	return r;
}

/* A macvlan or ipvlan is one link, made where it is to be. */
static int sub_link_add(struct netlink *netlink, const struct network *network,
	const struct endpoint *endpoint, int netns_fd, struct error *err)
{
	struct sub_link link = { .kind = network->driver,
		.name = endpoint->interface,
		.netns_fd = netns_fd,
		.mtu = network->mtu };
	struct network_traits traits;
	uint8_t mac[6];
	int r = network_options_read(network->driver, network->options, &traits, err);

	if (r == 0 && *endpoint->mac && mac_parse(endpoint->mac, mac) < 0)
		r = error_set(err, -EINVAL, "'%s' is no MAC address", endpoint->mac);
	if (r == 0)
		r = network_parent_up(netlink, network, &link.parent_index, err);
	if (r < 0)
		return r;
	link.mode = traits.mode;
	link.flags = traits.flags;
	/* In passthru mode the one macvlan and its parent share a MAC: a given one would be the
	 * host's as well. */
	if (*endpoint->mac && traits.mode != MACVLAN_MODE_PASSTHRU)
		link.mac = mac;
	netlink_add_sub_link(netlink, &link);
	r = netlink_commit(netlink, err);
	return r < 0 ? error_wrap(err, "parent interface '%s'", network->parent) : 0;
}

static int link_add(const struct engine *engine, struct netlink *netlink,
	const struct endpoint *endpoint, int netns_fd, struct error *err)
{
	cleanup_network struct network *network = NULL;
	int r = network_find(engine, endpoint->network, &network, err);

	if (r < 0)
		return r;
	return network_is_bridge(network)
		       ? veth_add(engine, netlink, network, endpoint, netns_fd, err)
		       : sub_link_add(netlink, network, endpoint, netns_fd, err);
}

/* On failure, pairs made so far go with the netns, which the caller gives up. */
int endpoint_attach(const struct engine *engine, const struct endpoint *endpoints, size_t count,
	int netns_fd, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	int r;

	if (!count)
		return 0;
	r = netlink_open(&netlink, err);
	for (size_t i = 0; i < count && r == 0; i++) {
		r = link_add(engine, netlink, &endpoints[i], netns_fd, err);
		if (r < 0)
			error_wrap(err, "network '%s'", endpoints[i].network);
	}
	return r < 0 ? r : netlink_commit(netlink, err);
}
