/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_plan.c - what a new network will be: its name, subnet, gateway and bridge, none of which
 * may be another's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
};

static void surroundings_release(struct surroundings *around)
{
	network_list_free(around->networks, around->network_count);
	free(around->routes);
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
	return r;
}

static const struct network *overlapping(
	const struct surroundings *around, const struct subnet *subnet)
{
	for (size_t i = 0; i < around->network_count; i++) {
		struct subnet other;

		if (!network_is_bridge(around->networks[i]))
			continue;
		other = network_subnet(around->networks[i]);
		if (subnet_overlaps(subnet, &other))
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
	for (size_t i = 0; request->reserved && request->reserved[i]; i++) {
		r = host_address_parse(
			"reserved address", request->reserved[i], subnet, &address, err);
		if (r < 0)
			return r;
	}
	network->reserved = strv_copy(request->reserved);
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

static int request_check(
	const struct network_request *request, struct network_traits *ret_traits, struct error *err)
{
	const char *driver = request->driver ? request->driver : "bridge";

	if (!name_is_safe(request->name))
		return error_set(err, -EINVAL,
			"network name '%s' is invalid: only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			request->name);
	if (strcmp(driver, "host") == 0 || strcmp(driver, "null") == 0 ||
		strcmp(driver, "none") == 0)
		return error_set(
			err, -EPERM, "only one instance of \"%s\" network is allowed", driver);
	if (strcmp(driver, "bridge") != 0 && strcmp(driver, "default") != 0 && *driver)
		return error_set(err, -EOPNOTSUPP,
			"network driver '%s' is not supported (only bridge is)", driver);
	return network_traits_read(request->options, ret_traits, err);
}

static int plan_make(const struct surroundings *around, const struct network_request *request,
	const char *fixed_id, struct network **ret, struct error *err)
{
	cleanup_network struct network *network = xcalloc(1, sizeof(*network));
	struct network_traits traits;
	struct subnet subnet;
	int r = request_check(request, &traits, err);

	if (r == 0)
		r = subnet_take(around, request, &subnet, err);
	if (r < 0)
		return r;
	network->name = xstrdup(request->name);
	network->driver = xstrdup("bridge");
	network->internal = request->internal;
	network->mtu = traits.mtu;
	network->labels = strv_copy(request->labels);
	network->options = strv_copy(request->options);
	network->created_ns = time_now();
	identity_choose(around, network, traits.bridge, fixed_id);
	r = addresses_fill(network, request, &subnet, err);
	if (r == 0)
		r = bridge_check(around, network, err);
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
