/* SPDX-License-Identifier: GPL-2.0-or-later
 * child.c - the child's half of an attachment: addresses and routes inside the container's netns.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/net/room.h"

#define LOOPBACK_INDEX 1   /* the first link of every netns */
#define PATIENCE       500 /* hundredths of a second */

/* Prefixes of link_local addresses, as docker has them. */
#define LINK_LOCAL_PREFIX  16
#define LINK_LOCAL_PREFIX6 64

static int address4_add(
	struct netlink *netlink, const struct endpoint *endpoint, uint32_t index, struct error *err)
{
	uint32_t address;

	if (!endpoint->address)
		return 0;
	if (address_parse(endpoint->address, &address) < 0)
		return error_set(err, -EINVAL, "address '%s'", endpoint->address);
	netlink_add_address(netlink, index, address, endpoint->prefix_length);
	return 0;
}

static int address6_add(
	struct netlink *netlink, const struct endpoint *endpoint, uint32_t index, struct error *err)
{
	struct in6_addr address;

	if (!endpoint->address6)
		return 0;
	if (address6_parse(endpoint->address6, &address) < 0)
		return error_set(err, -EINVAL, "address '%s'", endpoint->address6);
	netlink_add_address6(netlink, index, &address, endpoint->prefix_length6);
	return 0;
}

static void link_local_add(struct netlink *netlink, const struct endpoint *endpoint, uint32_t index)
{
	for (size_t i = 0; endpoint->link_local && endpoint->link_local[i]; i++) {
		struct in6_addr address6;
		uint32_t address;

		if (address_parse(endpoint->link_local[i], &address) == 0)
			netlink_add_address(netlink, index, address, LINK_LOCAL_PREFIX);
		else if (endpoint->address6 &&
			 address6_parse(endpoint->link_local[i], &address6) == 0)
			netlink_add_address6(netlink, index, &address6, LINK_LOCAL_PREFIX6);
	}
}

/* "net.ipv4.conf.IFNAME.log_martians=1": the path has slashes for dots, and an interface name may
 * have dots of its own. */
static int sysctls_set(const struct endpoint *endpoint, struct error *err)
{
	for (size_t i = 0; endpoint->sysctls && endpoint->sysctls[i]; i++) {
		const char *text = endpoint->sysctls[i], *equals = strchr(text, '=');
		const char *variable = strstr(text, ".IFNAME.");
		cleanup_free char *head = NULL, *path = NULL;
		int r;

		if (!endpoint_sysctl_is_valid(text))
			return error_set(err, -EINVAL, "sysctl '%s'", text);
		head = xstrndup(text, (size_t)(variable - text));
		for (char *c = head; *c; c++)
			if (*c == '.')
				*c = '/';
		variable += strlen(".IFNAME.");
		path = xasprintf("/proc/sys/%s/%s/%.*s", head, endpoint->interface,
			(int)(equals - variable), variable);
		r = file_write_value(AT_FDCWD, path, equals + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int endpoint_add(struct netlink *netlink, const struct endpoint *endpoint, struct error *err)
{
	uint32_t index = if_nametoindex(endpoint->interface);
	int r;

	if (!index)
		return error_sys(err, -errno, "find interface %s", endpoint->interface);
	/* Without an IPv6 network a container neither has nor learns IPv6 addresses. */
	r = endpoint->address6 ? ipv6_on(endpoint->interface, err)
			       : ipv6_off(endpoint->interface, err);
	if (r == 0)
		r = address4_add(netlink, endpoint, index, err);
	if (r == 0)
		r = address6_add(netlink, endpoint, index, err);
	if (r == 0)
		r = sysctls_set(endpoint, err);
	if (r < 0)
		return r;
	link_local_add(netlink, endpoint, index);
	netlink_add_link_up(netlink, index);
	return 0;
}

/* "" is a way out without a gateway. */
static int routes_add(struct netlink *netlink, const struct endpoint *endpoint4,
	const struct endpoint *endpoint6, struct error *err)
{
	struct in6_addr gateway6;
	uint32_t gateway = 0;

	if (endpoint4) {
		if (*endpoint4->gateway && address_parse(endpoint4->gateway, &gateway) < 0)
			return error_set(err, -EINVAL, "gateway '%s'", endpoint4->gateway);
		netlink_add_default_route(netlink, if_nametoindex(endpoint4->interface), gateway);
	}
	if (endpoint6) {
		if (*endpoint6->gateway6 && address6_parse(endpoint6->gateway6, &gateway6) < 0)
			return error_set(err, -EINVAL, "gateway '%s'", endpoint6->gateway6);
		netlink_add_default_route6(netlink, if_nametoindex(endpoint6->interface),
			*endpoint6->gateway6 ? &gateway6 : NULL);
	}
	return 0;
}

static const struct endpoint *better(
	const struct endpoint *chosen, const struct endpoint *endpoint, const char *gateway)
{
	return gateway && (!chosen || endpoint->gateway_priority > chosen->gateway_priority)
		       ? endpoint
		       : chosen;
}

static int configure_once(
	struct netlink *netlink, const struct endpoint *endpoints, size_t count, struct error *err)
{
	const struct endpoint *exit4 = NULL, *exit6 = NULL;
	int r = 0;

	netlink_add_link_up(netlink, LOOPBACK_INDEX);
	for (size_t i = 0; i < count && r == 0; i++) {
		exit4 = better(exit4, &endpoints[i], endpoints[i].gateway);
		exit6 = better(exit6, &endpoints[i], endpoints[i].gateway6);
		r = endpoint_add(netlink, &endpoints[i], err);
	}
	if (r == 0)
		r = routes_add(netlink, exit4, exit6, err);
	return r < 0 ? r : netlink_commit(netlink, err);
}

/* Two macvlans of one parent with the same MAC cannot be up at once, and that of the container's
 * last run lives until the kernel has taken its netns apart, which it does in the background. All
 * requests may be repeated. */
int endpoint_configure(const struct endpoint *endpoints, size_t count, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	cleanup_netlink struct netlink *netlink = NULL;
	int r = netlink_open(&netlink, err);

	for (int tries = 0; r == 0; tries++) {
		r = configure_once(netlink, endpoints, count, err);
		if (r != -EADDRINUSE || tries == PATIENCE)
			return r;
		error_release(err);
		nanosleep(&pause, NULL);
		r = 0;
	}
	return r;
}
