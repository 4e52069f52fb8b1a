/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_routes.c - requests and questions about addresses and routes. */
#include "engine/net/netlink_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <stdlib.h>

#include "engine/base/memory.h"

static bool is_link_local(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LINKLOCAL(address);
}

void netlink_add_address(struct netlink *netlink, uint32_t index, uint32_t address, uint8_t prefix)
{
	struct ifaddrmsg header = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = index,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct subnet subnet = { .prefix = prefix };

	put_u32(msg, IFA_LOCAL, htonl(address));
	put_u32(msg, IFA_ADDRESS, htonl(address));
	put_u32(msg, IFA_BROADCAST, htonl(address | ~subnet_mask(&subnet)));
	netlink_batch_add(netlink, msg, "set address", -EEXIST);
}

/* Without duplicate address detection, which would keep the address from use for a second: nobody
 * else gives addresses of this subnet. */
void netlink_add_address6(
	struct netlink *netlink, uint32_t index, const struct in6_addr *address, uint8_t prefix)
{
	struct ifaddrmsg header = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = prefix,
		.ifa_flags = IFA_F_NODAD,
		.ifa_scope = is_link_local(address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.ifa_index = index,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));

	netlink_put(msg, IFA_LOCAL, address, sizeof(*address));
	netlink_put(msg, IFA_ADDRESS, address, sizeof(*address));
	netlink_batch_add(netlink, msg, "set IPv6 address", -EEXIST);
}

static struct nl_msg *default_route(uint8_t family, uint32_t index, bool has_gateway)
{
	struct rtmsg route = {
		.rtm_family = family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = has_gateway || family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof(route));

	put_u32(msg, RTA_OIF, index);
	return msg;
}

void netlink_add_default_route(struct netlink *netlink, uint32_t index, uint32_t gateway)
{
	struct nl_msg *msg = default_route(AF_INET, index, gateway != 0);

	if (gateway)
		put_u32(msg, RTA_GATEWAY, htonl(gateway));
	netlink_batch_add(netlink, msg, "set default route", -EEXIST);
}

void netlink_add_default_route6(
	struct netlink *netlink, uint32_t index, const struct in6_addr *gateway)
{
	struct nl_msg *msg = default_route(AF_INET6, index, gateway != NULL);

	if (gateway)
		netlink_put(msg, RTA_GATEWAY, gateway, sizeof(*gateway));
	netlink_batch_add(netlink, msg, "set default IPv6 route", -EEXIST);
}

struct routes {
	struct subnet *items;
	size_t count;
};

static void read_route(struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = nlmsg_data(header);
	struct nlattr *attrs[RTA_MAX + 1];
	struct routes *routes = data;
	struct subnet *subnet;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_dst_len == 0 ||
		route->rtm_dst_len > 32 || route->rtm_type == RTN_BROADCAST ||
		route->rtm_type == RTN_MULTICAST || route->rtm_type == RTN_ANYCAST ||
		nlmsg_parse(header, sizeof(*route), attrs, RTA_MAX, NULL) < 0 || !attrs[RTA_DST] ||
		nla_len(attrs[RTA_DST]) != 4)
		return;
	subnet = array_add(routes->items, routes->count);
	*subnet = (struct subnet){ ntohl(nla_get_u32(attrs[RTA_DST])), route->rtm_dst_len };
}

int netlink_list_routes(
	struct netlink *netlink, struct subnet **ret, size_t *ret_count, struct error *err)
{
	struct rtmsg route = { .rtm_family = AF_INET };
	struct routes routes = { NULL, 0 };
	int r = netlink_dump(netlink,
		netlink_message(RTM_GETROUTE, NLM_F_DUMP, &route, sizeof(route)), read_route,
		&routes, err);

	if (r < 0) {
		free(routes.items);
		return r;
	}
	*ret = routes.items;
	*ret_count = routes.count;
	return 0;
}

struct routes6 {
	struct subnet6 *items;
	size_t count;
};

/* What every host has (::1, link-local, multicast) is in nobody's way. */
static void read_route6(struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = nlmsg_data(header);
	struct nlattr *attrs[RTA_MAX + 1];
	struct routes6 *routes = data;
	struct subnet6 subnet;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_dst_len == 0 ||
		route->rtm_dst_len > 128 || route->rtm_type == RTN_MULTICAST ||
		route->rtm_type == RTN_ANYCAST ||
		nlmsg_parse(header, sizeof(*route), attrs, RTA_MAX, NULL) < 0 || !attrs[RTA_DST] ||
		nla_len(attrs[RTA_DST]) != sizeof(subnet.base))
		return;
	memcpy(&subnet.base, nla_data(attrs[RTA_DST]), sizeof(subnet.base));
	subnet.prefix = route->rtm_dst_len;
	if (!IN6_IS_ADDR_LINKLOCAL(&subnet.base) && !IN6_IS_ADDR_LOOPBACK(&subnet.base))
		*array_add(routes->items, routes->count) = subnet;
}

int netlink_list_routes6(
	struct netlink *netlink, struct subnet6 **ret, size_t *ret_count, struct error *err)
{
	struct rtmsg route = { .rtm_family = AF_INET6 };
	struct routes6 routes = { NULL, 0 };
	int r = netlink_dump(netlink,
		netlink_message(RTM_GETROUTE, NLM_F_DUMP, &route, sizeof(route)), read_route6,
		&routes, err);

	if (r < 0) {
		free(routes.items);
		return r;
	}
	*ret = routes.items;
	*ret_count = routes.count;
	return 0;
}
