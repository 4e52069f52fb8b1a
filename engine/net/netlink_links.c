/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_links.c - requests and questions about links. */
#include "engine/net/netlink_message.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

void netlink_add_bridge(
	struct netlink *netlink, const char *name, uint32_t mtu, const uint8_t mac[6])
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	struct nlattr *info;

	put_string(msg, IFLA_IFNAME, name);
	/* A bridge without a MAC of its own takes the lowest of its ports and changes it as they
	 * come and go, which leaves the containers with a stale neighbour entry for the gateway. */
	netlink_put(msg, IFLA_ADDRESS, mac, 6);
	if (mtu)
		put_u32(msg, IFLA_MTU, mtu);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "bridge");
	nla_nest_end(msg, info);
	netlink_batch_add_link(netlink, msg, "create bridge", -EEXIST, "bridge");
}

void netlink_add_link_up(struct netlink *netlink, uint32_t index)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};

	netlink_batch_add(
		netlink, netlink_message(RTM_NEWLINK, 0, &link, sizeof(link)), "bring link up", 0);
}

void netlink_add_link_group(struct netlink *netlink, uint32_t index, uint32_t group)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));

	put_u32(msg, IFLA_GROUP, group);
	netlink_batch_add(netlink, msg, "set group of link", -ENODEV);
}

void netlink_add_link_delete(struct netlink *netlink, const char *name)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_DELLINK, 0, &link, sizeof(link));

	put_string(msg, IFLA_IFNAME, name);
	netlink_batch_add(netlink, msg, "delete link", -ENODEV);
}

void netlink_add_group_delete(struct netlink *netlink, uint32_t group)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_DELLINK, 0, &link, sizeof(link));

	put_u32(msg, IFLA_GROUP, group);
	netlink_batch_add(netlink, msg, "delete links of the group", -ENODEV);
}

static void put_peer(struct nl_msg *msg, const struct veth_pair *pair)
{
	struct nlattr *peer = nest(msg, VETH_INFO_PEER);
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	if (nlmsg_append(msg, &link, sizeof(link), NLMSG_ALIGNTO) < 0)
		abort();
	put_string(msg, IFLA_IFNAME, pair->peer_name);
	netlink_put(msg, IFLA_ADDRESS, pair->peer_mac, 6);
	put_u32(msg, IFLA_NET_NS_FD, (uint32_t)pair->peer_netns_fd);
	if (pair->mtu)
		put_u32(msg, IFLA_MTU, pair->mtu);
	nla_nest_end(msg, peer);
}

static void add_veth_create(struct netlink *netlink, const struct veth_pair *pair)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	struct nlattr *info, *data;

	put_string(msg, IFLA_IFNAME, pair->host_name);
	put_u32(msg, IFLA_MASTER, pair->port.bridge_index);
	put_u32(msg, IFLA_GROUP, pair->group);
	if (pair->mtu)
		put_u32(msg, IFLA_MTU, pair->mtu);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "veth");
	data = nest(msg, IFLA_INFO_DATA);
	put_peer(msg, pair);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	netlink_batch_add_link(netlink, msg, "create veth pair", 0, "veth");
}

static void put_port(struct nl_msg *msg, const struct bridge_port *port)
{
	struct nlattr *info = nest(msg, IFLA_LINKINFO), *data;

	put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
	data = nest(msg, IFLA_INFO_SLAVE_DATA);
	put_u8(msg, IFLA_BRPORT_MODE, port->hairpin);
	put_u8(msg, IFLA_BRPORT_ISOLATED, port->isolated);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
}

/* What the kernel takes only from an existing link: alias, port options and the IPv6 mode. */
static void add_port_up(struct netlink *netlink, const struct veth_pair *pair)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));
	struct nlattr *info, *data;

	put_string(msg, IFLA_IFNAME, pair->host_name);
	if (pair->has_ipv6) {
		info = nest(msg, IFLA_AF_SPEC);
		data = nest(msg, AF_INET6);
		put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	}
	netlink_put(msg, IFLA_IFALIAS, pair->alias, strlen(pair->alias));
	if (pair->port.isolated || pair->port.hairpin)
		put_port(msg, &pair->port);
	netlink_batch_add(netlink, msg, "bring veth up", 0);
}

void netlink_add_veth(struct netlink *netlink, const struct veth_pair *pair)
{
	add_veth_create(netlink, pair);
	add_port_up(netlink, pair);
}

void netlink_add_port(struct netlink *netlink, uint32_t index, const struct bridge_port *port)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));

	put_u32(msg, IFLA_MASTER, port->bridge_index);
	netlink_batch_add(netlink, msg, "join link to bridge", -ENODEV);
	if (!port->isolated && !port->hairpin)
		return;
	/* The kernel reads port options before it sets the master: they need a message of their
	 * own. */
	msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));
	put_port(msg, port);
	netlink_batch_add(netlink, msg, "set options of bridge port", -ENODEV);
}

struct loose_links {
	struct loose_link *items;
	size_t count;
	uint32_t group;
};

static void read_loose(struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *link = nlmsg_data(header);
	struct nlattr *attrs[IFLA_MAX + 1];
	struct loose_links *links = data;
	struct loose_link *loose;

	if (header->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(header, sizeof(*link), attrs, IFLA_MAX, NULL) < 0 ||
		attrs[IFLA_MASTER] || !attrs[IFLA_GROUP] ||
		nla_get_u32(attrs[IFLA_GROUP]) != links->group)
		return;
	loose = array_add(links->items, links->count);
	*loose = (struct loose_link){ .index = (uint32_t)link->ifi_index };
	if (attrs[IFLA_IFALIAS])
		nla_strlcpy(loose->alias, attrs[IFLA_IFALIAS], sizeof(loose->alias));
}

int netlink_list_loose(struct netlink *netlink, uint32_t group, struct loose_link **ret,
	size_t *ret_count, struct error *err)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	struct loose_links links = { .group = group };
	struct nlattr *info;
	int r;

	put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "veth");
	nla_nest_end(msg, info);
	r = netlink_dump(netlink, msg, read_loose, &links, err);
	if (r < 0) {
		free(links.items);
		return r;
	}
	*ret = links.items;
	*ret_count = links.count;
	return 0;
}

static void read_link(struct nlmsghdr *header, struct link_info *ret)
{
	const struct ifinfomsg *link = nlmsg_data(header);
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];

	*ret = (struct link_info){
		.index = (uint32_t)link->ifi_index,
		.up = link->ifi_flags & IFF_UP,
	};
	if (nlmsg_parse(header, sizeof(*link), attrs, IFLA_MAX, NULL) < 0)
		return;
	if (attrs[IFLA_GROUP])
		ret->group = nla_get_u32(attrs[IFLA_GROUP]);
	if (!attrs[IFLA_LINKINFO] ||
		nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) < 0 ||
		!info[IFLA_INFO_KIND])
		return;
	nla_strlcpy(ret->kind, info[IFLA_INFO_KIND], sizeof(ret->kind));
}

int netlink_find_link(
	struct netlink *netlink, const char *name, struct link_info *ret, struct error *err)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_GETLINK, 0, &link, sizeof(link));
	unsigned char *data = NULL;
	struct nlmsghdr *header;
	uint32_t sequence;
	int r, left;

	put_string(msg, IFLA_IFNAME, name);
	r = netlink_ask(netlink, msg, &sequence);
	left = r < 0 ? r : netlink_receive(netlink, &data);
	if (left < 0)
		return error_sys(err, left, "find link '%s'", name);
	header = (struct nlmsghdr *)data;
	if (!nlmsg_ok(header, left) || header->nlmsg_seq != sequence)
		r = -EBADMSG;
	else if (header->nlmsg_type == NLMSG_ERROR)
		r = ((struct nlmsgerr *)nlmsg_data(header))->error;
	else
		read_link(header, ret);
	free(data);
	return r < 0 && r != -ENODEV ? error_sys(err, r, "find link '%s'", name) : r;
}

static void put_master_link(struct nl_msg *msg, const struct sub_link *link)
{
	struct nlattr *info = nest(msg, IFLA_LINKINFO), *data;

	put_string(msg, IFLA_INFO_KIND, link->kind);
	data = nest(msg, IFLA_INFO_DATA);
	if (strcmp(link->kind, "macvlan") == 0) {
		put_u32(msg, IFLA_MACVLAN_MODE, link->mode);
	} else if (strcmp(link->kind, "ipvlan") == 0) {
		uint16_t mode = (uint16_t)link->mode, flags = (uint16_t)link->flags;

		netlink_put(msg, IFLA_IPVLAN_MODE, &mode, sizeof(mode));
		netlink_put(msg, IFLA_IPVLAN_FLAGS, &flags, sizeof(flags));
	} else if (strcmp(link->kind, "vlan") == 0) {
		uint16_t id = (uint16_t)link->mode;

		netlink_put(msg, IFLA_VLAN_ID, &id, sizeof(id));
	}
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
}

void netlink_add_sub_link(struct netlink *netlink, const struct sub_link *link)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));

	put_string(msg, IFLA_IFNAME, link->name);
	if (link->parent_index)
		put_u32(msg, IFLA_LINK, link->parent_index);
	if (link->netns_fd >= 0)
		put_u32(msg, IFLA_NET_NS_FD, (uint32_t)link->netns_fd);
	if (link->mac)
		netlink_put(msg, IFLA_ADDRESS, link->mac, 6);
	if (link->mtu)
		put_u32(msg, IFLA_MTU, link->mtu);
	if (link->group)
		put_u32(msg, IFLA_GROUP, link->group);
	put_master_link(msg, link);
	netlink_batch_add_link(netlink, msg, "create link", 0, link->kind);
}
