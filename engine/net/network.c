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
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
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
	return strcmp(network->driver, "bridge") == 0 && network->bridge;
}

bool network_has_addresses(const struct network *network)
{
	return network->subnet || network->subnet6;
}

const char *network_resolver_address(const struct network *network)
{
	if (!network_is_bridge(network))
		return NULL;
	return network->gateway ? network->gateway : network->gateway6;
}

bool network_takes_containers(const struct network *network)
{
	return strcmp(network->driver, "host") != 0 && strcmp(network->driver, "null") != 0;
}

bool network_can_publish(const struct network *network)
{
	return network_is_bridge(network) && !network->internal;
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

struct subnet6 network_subnet6(const struct network *network)
{
	struct subnet6 subnet = { .prefix = 0 };

	subnet6_parse(network->subnet6, &subnet);
	return subnet;
}

struct in6_addr network_gateway6(const struct network *network)
{
	struct in6_addr gateway = IN6ADDR_ANY_INIT;

	address6_parse(network->gateway6, &gateway);
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

/* Plan and write the record, under the lock: whoever comes next sees the subnet taken. */
static int network_register(const struct engine *engine, const struct network_request *request,
	struct network **ret, struct error *err)
{
	const struct builtin *builtin = builtin_find(request->name);
	cleanup_network struct network *network = NULL;
	cleanup_fd int lock_fd = -1;
	int r;

	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	if (network_read(engine, request->name, &network, NULL) == 0)
		return error_set(
			err, -EEXIST, "network with name %s already exists", request->name);
	r = network_plan(engine, request, builtin ? builtin->id : NULL, &network, err);
	if (r == 0)
		r = record_write(engine, network, err);
	if (r == 0)
		*ret = steal_ptr(network);
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
		r = network->parent ? network_parent_down(engine, network, err)
				    : network_links_delete(network, err);
	if (r < 0)
		return r;
	r = firewall_sync_locked(engine, err);
	if (r < 0)
		return r;
	run_path = xasprintf(NETWORKS_PATH "/%s", name);
	r = tree_remove(engine->run_fd, run_path, err);
	return r < 0 ? r : record_remove(engine, name, err);
}

static int remove_step(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_fd int lock_fd = room_lock(engine, err);

	return lock_fd < 0 ? lock_fd : remove_locked(engine, name, err);
}

int network_remove(const struct engine *engine, const char *name, struct error *err)
{
	int r;

	if (network_is_builtin(name))
		return error_set(
			err, -EPERM, "%s is a pre-defined network and cannot be removed", name);
	r = firewall_patiently(engine, remove_step, name, err);
	return r == 0 || r == -EBUSY || r == -ENOENT ? r : error_wrap(err, "network '%s'", name);
}
