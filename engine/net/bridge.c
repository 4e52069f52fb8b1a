/* SPDX-License-Identifier: GPL-2.0-or-later
 * bridge.c - the bridge of a network, and the host switches it needs. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/room.h"

static int bridge_find(struct netlink *netlink, const struct network *network,
	struct link_info *ret, struct error *err)
{
	int r = netlink_find_link(netlink, network->bridge, ret, err);

	if (r == 0 && strcmp(ret->kind, "bridge") != 0)
		return error_set(
			err, -EEXIST, "interface '%s' exists and is not a bridge", network->bridge);
	return r;
}

/* What the bridge's MAC is made of. */
static uint32_t gateway_number(const struct network *network)
{
	struct in6_addr gateway6 = network_gateway6(network);
	uint32_t low;

	memcpy(&low, gateway6.s6_addr + 12, sizeof(low));
	return network->gateway ? network_gateway(network) : ntohl(low);
}

static int bridge_make(struct netlink *netlink, const struct network *network,
	struct link_info *ret, struct error *err)
{
	char mac_text[MAC_TEXT];
	uint8_t mac[6];
	int r;

	mac_from_address(gateway_number(network), mac_text);
	mac_parse(mac_text, mac);
	netlink_add_bridge(netlink, network->bridge, network->mtu, mac);
	r = netlink_commit(netlink, err);
	if (r < 0)
		return r;
	r = bridge_find(netlink, network, ret, err);
	return r == -ENODEV ? error_set(err, r, "bridge '%s' vanished", network->bridge) : r;
}

/* Ports that lost their bridge (somebody deleted it under running containers) get it back, as they
 * had it. Looked for every time: who made the bridge again may have been killed before this. */
static int ports_join(const struct engine *engine, struct netlink *netlink,
	const struct network *network, uint32_t bridge_index, struct error *err)
{
	cleanup_free struct loose_link *links = NULL;
	struct network_traits traits;
	cleanup_fd int dir_fd = -1;
	size_t count = 0;
	int r = netlink_list_loose(netlink, network_group(network), &links, &count, err);

	if (r < 0 || !count)
		return r;
	r = network_traits_read(network->options, &traits, err);
	if (r < 0)
		return r;
	dir_fd = endpoints_open(engine, network->name, err);
	if (dir_fd == -ENOENT) /* no container is left, only a veth whose netns is dying */
		error_release(err);
	else if (dir_fd < 0)
		return dir_fd;
	for (size_t i = 0; i < count && dir_fd >= 0; i++) {
		struct endpoint endpoint = { 0 };
		struct bridge_port port;

		if (!name_is_safe(links[i].alias) ||
			endpoint_read(dir_fd, links[i].alias, &endpoint, NULL) < 0)
			continue;
		port = endpoint_port(&endpoint, &traits);
		port.bridge_index = bridge_index;
		netlink_add_port(netlink, links[i].index, &port);
		endpoint_release(&endpoint);
	}
	return 0;
}

int network_bridge_up(const struct engine *engine, struct netlink *netlink,
	const struct network *network, uint32_t *ret_index, struct error *err)
{
	struct link_info link;
	int r = bridge_find(netlink, network, &link, err);

	if (r == -ENODEV)
		r = bridge_make(netlink, network, &link, err);
	/* The host shall neither speak IPv6 on the bridge, unless the network has it, nor believe a
	 * container's router advertisement (CVE-2020-10749, CVE-2020-13401). */
	if (r == 0)
		r = network->subnet6 ? ipv6_on(network->bridge, err)
				     : ipv6_off(network->bridge, err);
	if (r == 0)
		r = ports_join(engine, netlink, network, link.index, err);
	if (r < 0)
		return r;
	if (network->subnet)
		netlink_add_address(netlink, link.index, network_gateway(network),
			network_subnet(network).prefix);
	if (network->subnet6) {
		struct in6_addr gateway6 = network_gateway6(network);

		netlink_add_address6(
			netlink, link.index, &gateway6, network_subnet6(network).prefix);
	}
	netlink_add_link_up(netlink, link.index);
	r = netlink_commit(netlink, err);
	if (r == 0)
		*ret_index = link.index;
	return r;
}

/* A host that forwards IPv6 stops believing router advertisements, by which it may have its own
 * address and route, unless an interface says 2. What believes now goes on believing. */
static int advertisements_keep(struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(AT_FDCWD, "/proc/sys/net/ipv6/conf", &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		cleanup_free char *path =
			xasprintf("/proc/sys/net/ipv6/conf/%s/accept_ra", names[i]);
		cleanup_free char *value = NULL;
		size_t length;

		if (strcmp(names[i], "all") != 0 &&
			file_read(AT_FDCWD, path, 16, &value, &length, NULL) == 0 &&
			strcmp(value, "1\n") == 0)
			r = switch_set(path, "2", err);
		r = r > 0 ? 0 : r;
	}
	return r;
}

static int forwarding6_on(struct error *err)
{
	static const char path[] = "/proc/sys/net/ipv6/conf/all/forwarding";
	cleanup_free char *value = NULL;
	size_t length;
	int r = file_read(AT_FDCWD, path, 16, &value, &length, err);

	if (r == 0 && strcmp(value, "1\n") == 0)
		return 0;
	if (r == 0)
		r = advertisements_keep(err);
	if (r == 0)
		r = switch_set(path, "1", err);
	if (r > 0)
		log_info("net.ipv6.conf.all.forwarding was 0 and is now 1");
	return r < 0 ? r : 0;
}

/* Forwarding is the host's: it is switched on once and left, as others may have come to need it. */
static int forwarding_on(const struct network *network, struct error *err)
{
	int r = 0;

	if (network->subnet)
		r = switch_set("/proc/sys/net/ipv4/ip_forward", "1", err);
	if (r > 0)
		log_info("net.ipv4.ip_forward was 0 and is now 1");
	return r < 0 || !network->subnet6 ? (r < 0 ? r : 0) : forwarding6_on(err);
}

int network_up(const struct engine *engine, const struct network *network, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	uint32_t index;
	int r;

	if (!network_is_bridge(network) && !network->parent)
		return 0;
	r = netlink_open(&netlink, err);
	if (r == 0 && network->parent)
		r = network_parent_up(netlink, network, &index, err);
	else if (r == 0)
		r = network_bridge_up(engine, netlink, network, &index, err);
	if (r == 0 && network_can_publish(network))
		r = forwarding_on(network, err);
	return r < 0 ? error_wrap(err, "network '%s'", network->name) : 0;
}
