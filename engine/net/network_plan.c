/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_plan.c - what a new network will be: its name, subnet, gateway and bridge, none of which
 * may be another's. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/net/room.h"

/* What a new network is checked against. */
struct surroundings {
	struct network **networks;
	size_t network_count;
	struct subnet *routes;
	size_t route_count;
	struct subnet6 *routes6;
	size_t route6_count;
};

static void surroundings_release(struct surroundings *around)
{
	network_list_free(around->networks, around->network_count);
	free(around->routes);
	free(around->routes6);
}

static int surroundings_read(
	const struct engine *engine, struct surroundings *ret, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	int r = network_read_all(engine, &ret->networks, &ret->network_count, err);

	if (r == 0)
		r = netlink_open(&netlink, err);
	if (r == 0)
		r = netlink_list_routes(netlink, &ret->routes, &ret->route_count, err);
	if (r == 0)
		r = netlink_list_routes6(netlink, &ret->routes6, &ret->route6_count, err);
	return r;
}

static const struct network *overlapping(
	const struct surroundings *around, const struct subnet *subnet)
{
	for (size_t i = 0; i < around->network_count; i++) {
		struct subnet other = network_subnet(around->networks[i]);

		if (other.prefix && subnet_overlaps(subnet, &other))
			return around->networks[i];
	}
	return NULL;
}

static const struct network *overlapping6(
	const struct surroundings *around, const struct subnet6 *subnet)
{
	for (size_t i = 0; i < around->network_count; i++) {
		struct subnet6 other = network_subnet6(around->networks[i]);

		if (other.prefix && subnet6_overlaps(subnet, &other))
			return around->networks[i];
	}
	return NULL;
}

static bool pool_is_free(const struct surroundings *around, const struct subnet *pool)
{
	for (size_t i = 0; i < around->route_count; i++)
		if (subnet_overlaps(pool, &around->routes[i]))
			return false;
	return !overlapping(around, pool);
}

static bool pool6_is_free(const struct surroundings *around, const struct subnet6 *pool)
{
	for (size_t i = 0; i < around->route6_count; i++)
		if (subnet6_overlaps(pool, &around->routes6[i]))
			return false;
	return !overlapping6(around, pool);
}

/* The first default pool is kept for the built-in network, which docker makes first. */
static int pool_choose(
	const struct surroundings *around, const char *name, struct subnet *ret, struct error *err)
{
	for (size_t i = network_is_builtin(name) ? 0 : 1; i < DEFAULT_POOLS; i++) {
		struct subnet pool = default_pool(i);

		if (pool_is_free(around, &pool)) {
			*ret = pool;
			return 0;
		}
	}
	return error_set(err, -ENOSPC,
		"all default address pools (172.18.0.0/16 to 192.168.240.0/20) are taken by other "
		"networks or by routes of the host; remove unused networks or give a subnet");
}

static int subnet_take(const struct surroundings *around, const struct network_request *request,
	struct subnet *ret, struct error *err)
{
	const struct network *other;

	if (!request->subnet)
		return pool_choose(around, request->name, ret, err);
	if (subnet_parse(request->subnet, ret) < 0)
		return error_set(err, -EINVAL, "subnet '%s' is not an IPv4 subnet as 172.28.0.0/16",
			request->subnet);
	other = overlapping(around, ret);
	return other ? error_set(err, -EINVAL, "subnet %s overlaps network %s (%s)",
			       request->subnet, other->name, other->subnet)
		     : 0;
}

/* Of 2^40 unique local prefixes one that is taken is not to be expected twice. */
static int subnet6_take(const struct surroundings *around, const struct network_request *request,
	struct subnet6 *ret, struct error *err)
{
	const struct network *other;

	while (!request->subnet6) {
		uint8_t random[5];

		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return error_sys(err, -errno, "draw a unique local prefix");
		*ret = subnet6_unique_local(random);
		if (pool6_is_free(around, ret))
			return 0;
	}
	if (subnet6_parse(request->subnet6, ret) < 0)
		return error_set(err, -EINVAL, "subnet '%s' is not an IPv6 subnet as fd00:1::/64",
			request->subnet6);
	other = overlapping6(around, ret);
	return other ? error_set(err, -EINVAL, "subnet %s overlaps network %s (%s)",
			       request->subnet6, other->name, other->subnet6)
		     : 0;
}

static int host_address_parse(const char *what, const char *text, const struct subnet *subnet,
	uint32_t *ret, struct error *err)
{
	char subnet_text[SUBNET_TEXT];

	if (address_parse(text, ret) < 0)
		return error_set(err, -EINVAL, "%s '%s' is not an IPv4 address", what, text);
	subnet_format(subnet, subnet_text);
	if (*ret < subnet_first_host(subnet) || *ret > subnet_last_host(subnet))
		return error_set(err, -EINVAL, "%s %s is no host address of subnet %s", what, text,
			subnet_text);
	return 0;
}

static int host_address6_parse(const char *what, const char *text, const struct subnet6 *subnet,
	struct in6_addr *ret, struct error *err)
{
	char subnet_text[SUBNET6_TEXT];

	if (address6_parse(text, ret) < 0)
		return error_set(err, -EINVAL, "%s '%s' is not an IPv6 address", what, text);
	subnet6_format(subnet, subnet_text);
	if (!subnet6_is_host(subnet, ret))
		return error_set(err, -EINVAL, "%s %s is no host address of subnet %s", what, text,
			subnet_text);
	return 0;
}

static int addresses_fill(struct network *network, const struct network_request *request,
	const struct subnet *subnet, struct error *err)
{
	char text[SUBNET_TEXT];
	struct subnet range;
	uint32_t address;
	int r = 0;

	subnet_format(subnet, text);
	network->subnet = xstrdup(text);
	address = subnet_first_host(subnet);
	if (request->gateway)
		r = host_address_parse("gateway", request->gateway, subnet, &address, err);
	if (r < 0)
		return r;
	address_format(address, text);
	network->gateway = xstrdup(text);
	if (!request->ip_range)
		return 0;
	/* A range may be one address, which is no subnet: "/31" and "/32" are given as "/30". */
	if (subnet_parse(request->ip_range, &range) < 0)
		return error_set(err, -EINVAL,
			"ip_range '%s' is not an IPv4 subnet of at least 4 addresses",
			request->ip_range);
	if (range.prefix < subnet->prefix || !subnet_contains(subnet, range.base))
		return error_set(err, -EINVAL, "ip_range %s is not inside subnet %s",
			request->ip_range, network->subnet);
	subnet_format(&range, text);
	network->ip_range = xstrdup(text);
	return 0;
}

static int addresses6_fill(struct network *network, const struct network_request *request,
	const struct subnet6 *subnet, struct error *err)
{
	struct in6_addr address = subnet6_at(subnet, 1);
	char text[SUBNET6_TEXT];
	struct subnet6 range;
	int r = 0;

	subnet6_format(subnet, text);
	network->subnet6 = xstrdup(text);
	if (request->gateway6)
		r = host_address6_parse("gateway", request->gateway6, subnet, &address, err);
	if (r < 0)
		return r;
	address6_format(&address, text);
	network->gateway6 = xstrdup(text);
	if (!request->ip_range6)
		return 0;
	if (subnet6_parse(request->ip_range6, &range) < 0)
		return error_set(err, -EINVAL,
			"ip_range '%s' is not an IPv6 subnet of at least 4 addresses",
			request->ip_range6);
	if (range.prefix < subnet->prefix || !subnet6_contains(subnet, &range.base))
		return error_set(err, -EINVAL, "ip_range %s is not inside subnet %s",
			request->ip_range6, network->subnet6);
	subnet6_format(&range, text);
	network->ip_range6 = xstrdup(text);
	return 0;
}

/* In the form the pool compares with. */
static int reserved_fill(
	struct network *network, const struct network_request *request, struct error *err)
{
	struct subnet subnet = network_subnet(network);
	struct subnet6 subnet6 = network_subnet6(network);
	int r = 0;

	for (size_t i = 0; request->reserved && request->reserved[i] && r == 0; i++) {
		const char *word = request->reserved[i];
		char text[ADDRESS6_TEXT];
		struct in6_addr address6;
		uint32_t address;

		if (strchr(word, ':') && subnet6.prefix) {
			r = host_address6_parse("reserved address", word, &subnet6, &address6, err);
			if (r == 0)
				address6_format(&address6, text);
		} else if (subnet.prefix) {
			r = host_address_parse("reserved address", word, &subnet, &address, err);
			if (r == 0)
				address_format(address, text);
		} else {
			r = error_set(err, -EINVAL,
				"reserved address %s: the network has no subnet of its family",
				word);
		}
		if (r == 0)
			strv_add(&network->reserved, text);
	}
	return r;
}

static bool bridge_is_known(const struct surroundings *around, const char *name)
{
	for (size_t i = 0; i < around->network_count; i++)
		if (around->networks[i]->bridge && strcmp(around->networks[i]->bridge, name) == 0)
			return true;
	return false;
}

/* 12 of 64 digits make the interface name, so two ids may want the same one: take another id then.
 * A built-in network's id is no secret and the same in every data root, so its bridge is named by a
 * random one. */
static void identity_choose(const struct surroundings *around, struct network *network,
	const char *bridge, const char *fixed_id)
{
	char id[ID_LENGTH + 1];

	do {
		free(network->bridge);
		id_random(id);
		network->bridge =
			bridge ? xstrdup(bridge) : xasprintf("mc-%.*s", ID_SHORT_LENGTH, id);
	} while (!bridge && bridge_is_known(around, network->bridge));
	network->id = xstrdup(fixed_id ? fixed_id : id);
}

/* A bridge that somebody else made is not taken over: it would be deleted with the network. */
static int bridge_check(
	const struct surroundings *around, const struct network *network, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	struct link_info link;
	int r;

	if (bridge_is_known(around, network->bridge))
		return error_set(
			err, -EEXIST, "bridge '%s' belongs to another network", network->bridge);
	r = netlink_open(&netlink, err);
	if (r < 0)
		return r;
	r = netlink_find_link(netlink, network->bridge, &link, err);
	if (r == 0)
		return error_set(err, -EEXIST, "an interface '%s' exists already", network->bridge);
	return r == -ENODEV ? 0 : r;
}

/* "eth0.10" is the VLAN 10 of eth0, which network_parent_up makes when it is missing; a network
 * without a parent gets a dummy of its own, as docker's. */
static void parent_choose(struct network *network, const char *parent)
{
	network->parent =
		parent ? xstrdup(parent) : xasprintf("dm-%.*s", ID_SHORT_LENGTH, network->id);
}

/* The kernel has one mode for all ipvlans of a parent, and changes it for those that are there; a
 * macvlan in passthru mode has its parent for itself. */
static int parent_check(const struct surroundings *around, const struct network *network,
	const struct network_traits *traits, struct error *err)
{
	for (size_t i = 0; i < around->network_count; i++) {
		const struct network *other = around->networks[i];
		struct network_traits others;
		int r;

		if (!other->parent || strcmp(other->parent, network->parent) != 0 ||
			strcmp(other->driver, network->driver) != 0)
			continue;
		r = network_options_read(other->driver, other->options, &others, err);
		if (r < 0)
			return error_wrap(err, "network %s", other->name);
		if (strcmp(network->driver, "macvlan") == 0
				? traits->mode == MACVLAN_MODE_PASSTHRU ||
					  others.mode == MACVLAN_MODE_PASSTHRU
				: traits->mode != others.mode || traits->flags != others.flags)
			return error_set(err, -EBUSY,
				"parent interface '%s' is in use by network %s, in a mode that "
				"does "
				"not go with this one's",
				network->parent, other->name);
	}
	return 0;
}

static int request_check(
	const struct network_request *request, const char **ret_driver, struct error *err)
{
	static const char *const drivers[] = { "bridge", "macvlan", "ipvlan" };
	const char *driver = request->driver && *request->driver ? request->driver : "bridge";

	if (!name_is_safe(request->name))
		return error_set(err, -EINVAL,
			"network name '%s' is invalid: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			request->name);
	if (strcmp(driver, "host") == 0 || strcmp(driver, "null") == 0 ||
		strcmp(driver, "none") == 0)
		return error_set(
			err, -EPERM, "only one instance of \"%s\" network is allowed", driver);
	if (request->no_ipv4 && !request->ipv6)
		return error_set(err, -EINVAL, "a network needs IPv4 or IPv6 addresses");
	if (request->no_ipv4 && request->subnet)
		return error_set(
			err, -EINVAL, "subnet %s: IPv4 is off for this network", request->subnet);
	if (strcmp(driver, "default") == 0)
		driver = "bridge";
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(driver, drivers[i]) == 0) {
			*ret_driver = drivers[i];
			return 0;
		}
	return error_set(err, -EOPNOTSUPP,
		"network driver '%s' is not supported (bridge, macvlan and ipvlan are)", driver);
}

static int families_fill(const struct surroundings *around, const struct network_request *request,
	struct network *network, struct error *err)
{
	struct subnet6 subnet6;
	struct subnet subnet;
	int r = 0;

	if (!request->no_ipv4)
		r = subnet_take(around, request, &subnet, err);
	if (r == 0 && !request->no_ipv4)
		r = addresses_fill(network, request, &subnet, err);
	if (r == 0 && request->ipv6)
		r = subnet6_take(around, request, &subnet6, err);
	if (r == 0 && request->ipv6)
		r = addresses6_fill(network, request, &subnet6, err);
	return r < 0 ? r : reserved_fill(network, request, err);
}

static int plan_make(const struct surroundings *around, const struct network_request *request,
	const char *fixed_id, struct network **ret, struct error *err)
{
	cleanup_network struct network *network = xcalloc(1, sizeof(*network));
	struct network_traits traits;
	const char *driver = NULL;
	int r = request_check(request, &driver, err);

	if (r == 0)
		r = network_options_read(driver, request->options, &traits, err);
	if (r < 0)
		return r;
	network->name = xstrdup(request->name);
	network->driver = xstrdup(driver);
	network->internal = request->internal;
	network->mtu = traits.mtu;
	network->labels = strv_copy(request->labels);
	network->options = strv_copy(request->options);
	network->created_ns = time_now();
	identity_choose(around, network, traits.bridge, fixed_id);
	r = families_fill(around, request, network, err);
	if (r == 0 && strcmp(driver, "bridge") == 0) {
		r = bridge_check(around, network, err);
	} else if (r == 0) {
		free(steal_ptr(network->bridge));
		parent_choose(network, traits.parent);
		r = parent_check(around, network, &traits, err);
	}
	if (r < 0)
		return r;
	*ret = steal_ptr(network);
	return 0;
}

int network_plan(const struct engine *engine, const struct network_request *request,
	const char *fixed_id, struct network **ret, struct error *err)
{
	struct surroundings around = { 0 };
	int r = surroundings_read(engine, &around, err);

	if (r == 0)
		r = plan_make(&around, request, fixed_id, ret, err);
	surroundings_release(&around);
	return r;
}

static const char *given(const char *text)
{
	return text && *text ? text : NULL;
}

int network_request_add_pool(struct network_request *request, const char *subnet,
	const char *gateway, const char *ip_range, struct error *err)
{
	const char *decisive = given(subnet) ? subnet : given(gateway) ? gateway : given(ip_range);
	bool is_ipv6 = decisive && strchr(decisive, ':');
	const char **to_subnet = is_ipv6 ? &request->subnet6 : &request->subnet;
	const char **to_gateway = is_ipv6 ? &request->gateway6 : &request->gateway;
	const char **to_range = is_ipv6 ? &request->ip_range6 : &request->ip_range;

	if (*to_subnet || *to_gateway || *to_range)
		return error_set(err, -EINVAL, "%s: a second %s subnet is not supported",
			decisive ? decisive : "ipam", is_ipv6 ? "IPv6" : "IPv4");
	*to_subnet = given(subnet);
	*to_gateway = given(gateway);
	*to_range = given(ip_range);
	return 0;
}
