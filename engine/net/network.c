/* SPDX-License-Identifier: GPL-2.0-or-later
 * network.c - network records: create, find, list, remove. */
#include "engine/net/network.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/net/record.h"
#include "engine/net/room.h"

#define NETWORKS_PATH	"networks"
#define LOCK_TIMEOUT_MS 60000

/* Networks that are always there. Their ids are the same everywhere, so that they can be shown
 * before there is a record. */
static const struct builtin {
	const char *name;
	const char *driver;
	const char *id;
} builtins[] = {
	{ "bridge", "bridge", "8b923389846748bec074d47f63c26f82595b315d2121105cc5efdc5cfe03d2d4" },
	{ "host", "host", "6ea209ec6b411db354d6b1aa0cf4bdd3597e315ef027794600b800ad0523f9fd" },
	{ "none", "null", "e1a8652a734753e6b579ac2f73bdef3fa55e0f3d2e0a60edd720192faf749ef7" },
};

int room_lock(const struct engine *engine, struct error *err)
{
	return lock_take(engine->run_fd, ROOM_LOCK, LOCK_TIMEOUT_MS, NULL, err);
}

static const struct builtin *builtin_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

bool network_is_builtin(const char *name)
{
	return builtin_find(name) != NULL;
}

bool network_is_bridge(const struct network *network)
{
	return strcmp(network->driver, "bridge") == 0 && network->subnet;
}

struct subnet network_subnet(const struct network *network)
{
	struct subnet subnet = { 0, 0 };

	subnet_parse(network->subnet, &subnet);
	return subnet;
}

uint32_t network_gateway(const struct network *network)
{
	uint32_t gateway = 0;

	address_parse(network->gateway, &gateway);
	return gateway;
}

uint32_t network_group(const struct network *network)
{
	char head[9];
	unsigned long group;

	snprintf(head, sizeof(head), "%s", network->id);
	group = strtoul(head, NULL, 16);
	return group ? (uint32_t)group : 1; /* 0 is every ordinary interface's group */
}

static struct network *builtin_new(const struct builtin *builtin)
{
	struct network *network = xcalloc(1, sizeof(*network));

	network->name = xstrdup(builtin->name);
	network->driver = xstrdup(builtin->driver);
	network->id = xstrdup(builtin->id);
	return network;
}

int network_read(
	const struct engine *engine, const char *name, struct network **ret, struct error *err)
{
	cleanup_json struct json *json = NULL;
	char path[PATH_MAX];
	int r;

	if (!name_is_safe(name))
		return error_set(err, -ENOENT, "network %s not found", name);
	snprintf(path, sizeof(path), NETWORKS_PATH "/%s.json", name);
	r = json_read_file(engine->data_fd, path, RECORD_LIMIT, &json, err);
	if (r == -ENOENT)
		return error_set(err, r, "network %s not found", name);
	if (r < 0)
		return r;
	r = network_from_json(json, ret, err);
	return r < 0 ? error_wrap(err, "%s/%s", engine->data_path, path) : 0;
}

int network_read_all(
	const struct engine *engine, struct network ***ret, size_t *ret_count, struct error *err)
{
	cleanup_strv char **names = NULL;
	struct network **networks = NULL;
	size_t count = 0;
	int r = dir_list(engine->data_fd, NETWORKS_PATH, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		char *dot = strrchr(names[i], '.');
		struct network *network = NULL;

		if (!dot || strcmp(dot, ".json") != 0)
			continue;
		*dot = '\0';
		if (!name_is_safe(names[i]))
			continue;
		r = network_read(engine, names[i], &network, err);
		if (r == 0)
			*array_add(networks, count) = network;
		else if (r == -ENOENT) /* removed meanwhile */
			r = 0;
	}
	if (r < 0) {
		network_list_free(networks, count);
		return r;
	}
	*ret = networks;
	*ret_count = count;
	return 0;
}

void network_list_free(struct network **networks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		network_free(networks[i]);
	free(networks);
}

int network_list(
	const struct engine *engine, struct network ***ret, size_t *ret_count, struct error *err)
{
	struct network **networks;
	size_t count;
	int r = network_read_all(engine, &networks, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
		bool there = false;

		for (size_t k = 0; k < count; k++)
			there |= strcmp(networks[k]->name, builtins[i].name) == 0;
		if (!there)
			*array_add(networks, count) = builtin_new(&builtins[i]);
	}
	*ret = networks;
	*ret_count = count;
	return 0;
}

static int record_write(
	const struct engine *engine, const struct network *network, struct error *err)
{
	cleanup_json struct json *json = network_to_json(network);
	cleanup_free char *file_name = xasprintf("%s.json", network->name);
	cleanup_fd int dir_fd = -1;

	dir_fd = dir_make_open(engine->data_fd, NETWORKS_PATH, 0700, err);
	if (dir_fd < 0)
		return dir_fd;
	return json_write_file(dir_fd, file_name, json, FILE_DURABLE, err);
}

static int record_remove(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_free char *file_name = xasprintf("%s.json", name);
	cleanup_fd int dir_fd = -1;

	dir_fd = file_open(engine->data_fd, NETWORKS_PATH, O_RDONLY | O_DIRECTORY, 0, err);
	if (dir_fd < 0)
		return dir_fd;
	if ((unlinkat(dir_fd, file_name, 0) < 0 && errno != ENOENT) || fsync(dir_fd) < 0)
		return error_sys(err, -errno, "remove '%s/" NETWORKS_PATH "/%s'", engine->data_path,
			file_name);
	return 0;
}

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
static void identity_choose(
	const struct surroundings *around, struct network *network, const char *bridge)
{
	const struct builtin *builtin = builtin_find(network->name);
	char id[ID_LENGTH + 1];

	do {
		free(network->bridge);
		id_random(id);
		network->bridge =
			bridge ? xstrdup(bridge) : xasprintf("mc-%.*s", ID_SHORT_LENGTH, id);
	} while (!bridge && bridge_is_known(around, network->bridge));
	network->id = xstrdup(builtin ? builtin->id : id);
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

static int network_plan(const struct surroundings *around, const struct network_request *request,
	struct network **ret, struct error *err)
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
	identity_choose(around, network, traits.bridge);
	r = addresses_fill(network, request, &subnet, err);
	if (r == 0)
		r = bridge_check(around, network, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(network);
	return 0;
}

/* Plan and write the record, under the lock: whoever comes next sees the subnet taken. */
static int network_register(const struct engine *engine, const struct network_request *request,
	struct network **ret, struct error *err)
{
	struct surroundings around = { 0 };
	cleanup_fd int lock_fd = -1;
	int r;

	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	r = network_read(engine, request->name, ret, NULL);
	if (r == 0) {
		network_cleanup(ret);
		return error_set(
			err, -EEXIST, "network with name %s already exists", request->name);
	}
	r = surroundings_read(engine, &around, err);
	if (r == 0)
		r = network_plan(&around, request, ret, err);
	if (r == 0) {
		r = record_write(engine, *ret, err);
		if (r < 0)
			network_cleanup(ret);
	}
	surroundings_release(&around);
	return r;
}

int network_create(const struct engine *engine, const struct network_request *request,
	struct network **ret, struct error *err)
{
	cleanup_network struct network *network = NULL;
	int r;

	if (network_is_builtin(request->name))
		return error_set(
			err, -EEXIST, "network with name %s already exists", request->name);
	r = network_register(engine, request, &network, err);
	if (r < 0)
		return r == -EEXIST ? r : error_wrap(err, "network '%s'", request->name);
	r = network_up(engine, network, err);
	if (r < 0) {
		cleanup_error struct error aside = ERROR_INIT;

		if (network_remove(engine, network->name, &aside) < 0)
			log_warning("network '%s': %s", network->name, error_text(&aside));
		return r;
	}
	*ret = steal_ptr(network);
	return 0;
}

static int builtin_take(const struct engine *engine, const struct builtin *builtin,
	struct network **ret, struct error *err)
{
	const struct network_request request = { .name = builtin->name };
	int r;

	if (strcmp(builtin->driver, "bridge") != 0) {
		*ret = builtin_new(builtin);
		return 0;
	}
	r = network_register(engine, &request, ret, err);
	/* Another process was first. */
	return r == -EEXIST ? network_read(engine, builtin->name, ret, err) : r;
}

static int find_by_id(
	const struct engine *engine, const char *text, struct network **ret, struct error *err)
{
	struct network **networks;
	size_t count, matches = 0, match = 0;
	int r = network_list(engine, &networks, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (*text && strncmp(networks[i]->id, text, strlen(text)) == 0) {
			matches++;
			match = i;
		}
	if (matches == 1) {
		*ret = networks[match];
		networks[match] = NULL;
	} else if (matches > 1) {
		r = error_set(
			err, -EINVAL, "%zu networks have an ID that begins with %s", matches, text);
	} else {
		r = error_set(err, -ENOENT, "network %s not found", text);
	}
	network_list_free(networks, count);
	return r;
}

int network_find(
	const struct engine *engine, const char *text, struct network **ret, struct error *err)
{
	const struct builtin *builtin = builtin_find(text);
	int r = network_read(engine, text, ret, err);

	if (r != -ENOENT)
		return r;
	return builtin ? builtin_take(engine, builtin, ret, err)
		       : find_by_id(engine, text, ret, err);
}

static int endpoints_refuse(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_strv char **containers = NULL;
	cleanup_free char *text = NULL;
	struct endpoint *endpoints;
	size_t count;
	int r = endpoint_list(engine, name, &endpoints, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		strv_add(&containers, endpoints[i].container_name);
	endpoint_list_free(endpoints, count);
	if (!count)
		return 0;
	text = strv_join(containers, ", ");
	return error_set(err, -EBUSY, "network %s has active endpoints (%s)", name, text);
}

int network_links_delete(const struct network *network, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	struct link_info link;
	int r;

	if (!network_is_bridge(network))
		return 0;
	r = netlink_open(&netlink, err);
	if (r < 0)
		return r;
	r = netlink_find_link(netlink, network->bridge, &link, err);
	if (r < 0 && r != -ENODEV)
		return r;
	netlink_add_group_delete(netlink, network_group(network));
	if (r == 0 && strcmp(link.kind, "bridge") == 0)
		netlink_add_link_delete(netlink, network->bridge);
	return netlink_commit(netlink, err);
}

/* The record goes last: until then a repeated call finds everything that is left. */
static int remove_locked(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_network struct network *network = NULL;
	cleanup_free char *run_path = NULL;
	int r = network_read(engine, name, &network, err);

	if (r == 0)
		r = endpoints_refuse(engine, name, err);
	if (r == 0)
		r = network_links_delete(network, err);
	if (r < 0)
		return r;
	r = firewall_sync_locked(engine, err);
	if (r < 0)
		return r;
	run_path = xasprintf(NETWORKS_PATH "/%s", name);
	r = tree_remove(engine->run_fd, run_path, err);
	return r < 0 ? r : record_remove(engine, name, err);
}

int network_remove(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_fd int lock_fd = -1;
	int r;

	if (network_is_builtin(name))
		return error_set(
			err, -EPERM, "%s is a pre-defined network and cannot be removed", name);
	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	r = remove_locked(engine, name, err);
	return r == 0 || r == -EBUSY || r == -ENOENT ? r : error_wrap(err, "network '%s'", name);
}
