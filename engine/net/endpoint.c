/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoint.c - attachments of containers to networks: address allocation and records. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/record.h"
#include "engine/net/room.h"

#define SUFFIX ".json"

int endpoints_open(const struct engine *engine, const char *network, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "networks/%s", network);
	return file_open(engine->run_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
}

char *endpoint_file_id(const char *file_name)
{
	size_t length = strlen(file_name);

	if (length <= strlen(SUFFIX) || *file_name == '.' ||
		strcmp(file_name + length - strlen(SUFFIX), SUFFIX) != 0)
		return NULL;
	return xstrndup(file_name, length - strlen(SUFFIX));
}

static void file_name_make(char name[static NAME_MAX + 1], const char *container_id)
{
	snprintf(name, NAME_MAX + 1, "%.*s" SUFFIX, NAME_MAX - (int)strlen(SUFFIX), container_id);
}

int endpoint_read(int dir_fd, const char *container_id, struct endpoint *ret, struct error *err)
{
	cleanup_json struct json *json = NULL;
	char name[NAME_MAX + 1];
	int r;

	file_name_make(name, container_id);
	r = json_read_file(dir_fd, name, RECORD_LIMIT, &json, err);
	if (r == 0)
		r = endpoint_from_json(json, ret, err);
	return r < 0 ? error_wrap(err, "endpoint of container %s", container_id) : 0;
}

/* One network's side of the run root, opened for a change. */
struct ledger {
	int dir_fd;
	int addresses_fd;
};

static void ledger_close(struct ledger *ledger)
{
	close_fd(&ledger->dir_fd);
	close_fd(&ledger->addresses_fd);
}

static int ledger_open(
	const struct engine *engine, const char *network, struct ledger *ret, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "networks/%s/addresses", network);
	ret->addresses_fd = dir_make_open(engine->run_fd, path, 0700, err);
	if (ret->addresses_fd < 0)
		return ret->addresses_fd;
	ret->dir_fd = endpoints_open(engine, network, err);
	return ret->dir_fd < 0 ? ret->dir_fd : 0;
}

/* A link whose container has no record is what a kill between the two left behind. */
static bool claim_is_stale(const struct ledger *ledger, const char *address, const char *claimant)
{
	char holder[NAME_MAX + 1], name[NAME_MAX + 1];
	ssize_t length = readlinkat(ledger->addresses_fd, address, holder, sizeof(holder) - 1);

	if (length < 0)
		return errno == ENOENT;
	holder[length] = '\0';
	if (strcmp(holder, claimant) == 0)
		return true;
	file_name_make(name, holder);
	return faccessat(ledger->dir_fd, name, F_OK, 0) < 0 && errno == ENOENT;
}

/* 0 = the address is the claimant's now, -EADDRINUSE = another container's. */
static int address_claim(const struct ledger *ledger, uint32_t address, const char *claimant)
{
	char text[ADDRESS_TEXT];

	address_format(address, text);
	if (symlinkat(claimant, ledger->addresses_fd, text) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (!claim_is_stale(ledger, text, claimant))
		return -EADDRINUSE;
	if ((unlinkat(ledger->addresses_fd, text, 0) < 0 && errno != ENOENT) ||
		symlinkat(claimant, ledger->addresses_fd, text) < 0)
		return -errno;
	return 0;
}

struct claim {
	const struct ledger *ledger;
	const struct network *network;
	const char *claimant;
	int failure;
};

static bool claim_try(uint32_t address, void *data)
{
	struct claim *claim = data;
	char text[ADDRESS_TEXT];
	int r;

	address_format(address, text);
	if (address == network_gateway(claim->network) ||
		strv_contains(claim->network->reserved, text))
		return false;
	r = address_claim(claim->ledger, address, claim->claimant);
	if (r < 0 && r != -EADDRINUSE)
		claim->failure = r;
	return r == 0 || claim->failure;
}

static uint32_t cursor_read(const struct ledger *ledger)
{
	cleanup_free char *text = NULL;
	uint32_t cursor = 0;
	size_t length;

	if (file_read(ledger->addresses_fd, "cursor", ADDRESS_TEXT, &text, &length, NULL) == 0)
		address_parse(text, &cursor); /* unreadable: from the start again */
	return cursor;
}

static int pool_claim(const struct ledger *ledger, const struct network *network,
	const char *claimant, uint32_t *ret, struct error *err)
{
	struct claim claim = { ledger, network, claimant, 0 };
	struct address_pool pool = { .cursor = cursor_read(ledger) };
	char text[ADDRESS_TEXT];

	pool.subnet = network_subnet(network);
	pool.range = pool.subnet;
	if (network->ip_range)
		subnet_parse(network->ip_range, &pool.range);
	if (!address_next(&pool, claim_try, &claim, ret))
		return error_set(err, -ENOSPC, "no free address is left in %s",
			network->ip_range ? network->ip_range : network->subnet);
	if (claim.failure)
		return error_sys(err, claim.failure, "record an address");
	address_format(*ret, text);
	return file_replace(
		ledger->addresses_fd, "cursor", text, strlen(text), 0600, FILE_VOLATILE, err);
}

static int static_claim(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, uint32_t *ret, struct error *err)
{
	struct subnet subnet = network_subnet(network);
	int r;

	if (address_parse(request->address, ret) < 0)
		return error_set(err, -EINVAL, "'%s' is not an IPv4 address", request->address);
	if (*ret < subnet_first_host(&subnet) || *ret > subnet_last_host(&subnet))
		return error_set(err, -EINVAL, "address %s is no host address of subnet %s",
			request->address, network->subnet);
	if (*ret == network_gateway(network))
		return error_set(err, -EADDRINUSE, "address %s is the gateway's", request->address);
	r = address_claim(ledger, *ret, request->container_id);
	if (r == -EADDRINUSE)
		return error_set(
			err, r, "address %s is in use by another container", request->address);
	return r < 0 ? error_sys(err, r, "record address %s", request->address) : 0;
}

/* What stays true of an endpoint that is asked for again. */
static int address_choose(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, const struct endpoint *present, uint32_t *ret,
	struct error *err)
{
	if (request->address)
		return static_claim(ledger, network, request, ret, err);
	if (present->address && address_parse(present->address, ret) == 0) {
		int r = address_claim(ledger, *ret, request->container_id);

		if (r != -EADDRINUSE)
			return r < 0 ? error_sys(err, r, "record an address") : 0;
	}
	return pool_claim(ledger, network, request->container_id, ret, err);
}

static struct published_port *ports_copy(const struct published_port *ports, size_t count)
{
	struct published_port *copy = NULL;
	size_t copied = 0;

	for (size_t i = 0; i < count; i++) {
		struct published_port *port = array_add(copy, copied);

		*port = ports[i];
		port->host_ip = xstrdup(ports[i].host_ip);
	}
	return copy;
}

static void endpoint_fill(struct endpoint *endpoint, const struct network *network,
	const struct endpoint_request *request, uint32_t address)
{
	char text[MAC_TEXT];

	*endpoint = (struct endpoint){
		.network = xstrdup(network->name),
		.container_id = xstrdup(request->container_id),
		.container_name = xstrdup(request->container_name),
		.aliases = strv_copy(request->aliases),
		.prefix_length = network_subnet(network).prefix,
		.gateway = network->internal ? NULL : xstrdup(network->gateway),
		.interface = xstrdup(request->interface),
		.dns = strv_copy(request->dns),
		.ports = ports_copy(request->ports, request->port_count),
		.port_count = request->port_count,
	};
	if (!strv_contains(endpoint->aliases, request->container_name))
		strv_add(&endpoint->aliases, request->container_name);
	address_format(address, text);
	endpoint->address = xstrdup(text);
	mac_from_address(address, text);
	endpoint->mac = xstrdup(request->mac ? request->mac : text);
}

/* Intent first: both indexes, then the record. */
static int endpoint_write(const struct engine *engine, const struct ledger *ledger,
	const struct endpoint *endpoint, struct error *err)
{
	cleanup_json struct json *json = endpoint_to_json(endpoint);
	cleanup_fd int index_fd = -1;
	char name[NAME_MAX + 1];

	snprintf(name, sizeof(name), CONTAINERS_PATH "/%s", endpoint->container_id);
	index_fd = dir_make_open(engine->run_fd, name, 0700, err);
	if (index_fd < 0)
		return index_fd;
	if (symlinkat(endpoint->address, index_fd, endpoint->network) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "write '%s/%s'", name, endpoint->network);
	file_name_make(name, endpoint->container_id);
	return json_write_file(ledger->dir_fd, name, json, FILE_VOLATILE, err);
}

static int allocate_locked(const struct engine *engine, const struct network *network,
	const struct endpoint_request *request, struct endpoint *ret, struct error *err)
{
	struct endpoint present = { 0 }, wanted = { 0 };
	struct ledger ledger = { -1, -1 };
	uint32_t address = 0;
	int r = ledger_open(engine, network->name, &ledger, err);

	if (r == 0 && endpoint_read(ledger.dir_fd, request->container_id, &present, NULL) < 0)
		present = (struct endpoint){ 0 };
	if (r == 0)
		r = address_choose(&ledger, network, request, &present, &address, err);
	if (r == 0) {
		endpoint_fill(&wanted, network, request, address);
		r = endpoint_write(engine, &ledger, &wanted, err);
		if (r < 0)
			unlinkat(ledger.addresses_fd, wanted.address, 0);
	}
	if (r == 0 && present.address && strcmp(present.address, wanted.address) != 0)
		unlinkat(ledger.addresses_fd, present.address, 0);
	endpoint_release(&present);
	ledger_close(&ledger);
	if (r < 0)
		endpoint_release(&wanted);
	else
		*ret = wanted;
	return r;
}

static int request_check(const struct endpoint_request *request, struct error *err)
{
	uint8_t mac[6];

	if (!name_is_safe(request->container_id))
		return error_set(err, -EINVAL, "'%s' is no container ID", request->container_id);
	if (!interface_name_is_valid(request->interface))
		return error_set(err, -EINVAL, "'%s' is no interface name", request->interface);
	if (request->mac && mac_parse(request->mac, mac) < 0)
		return error_set(
			err, -EINVAL, "'%s' is no MAC address of a single interface", request->mac);
	return 0;
}

int endpoint_allocate(const struct engine *engine, const struct endpoint_request *request,
	struct endpoint *ret, struct error *err)
{
	cleanup_network struct network *network = NULL;
	cleanup_fd int lock_fd = -1;
	int r = request_check(request, err);

	if (r == 0)
		r = network_find(engine, request->network, &network, err);
	if (r < 0)
		return r;
	if (!network_is_bridge(network))
		return error_set(
			err, -EINVAL, "network '%s': has no addresses to give", network->name);
	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	r = allocate_locked(engine, network, request, ret, err);
	return r < 0 ? error_wrap(err, "network '%s'", network->name) : 0;
}

int endpoint_list(const struct engine *engine, const char *network, struct endpoint **ret,
	size_t *ret_count, struct error *err)
{
	cleanup_strv char **names = NULL;
	cleanup_fd int dir_fd = -1;
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	int r = 0;

	dir_fd = endpoints_open(engine, network, err);
	if (dir_fd >= 0)
		r = dir_list(dir_fd, ".", &names, err);
	else if (dir_fd != -ENOENT)
		r = dir_fd;
	else
		error_release(err);
	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		cleanup_free char *id = endpoint_file_id(names[i]);
		struct endpoint endpoint = { 0 };

		if (!id)
			continue;
		r = endpoint_read(dir_fd, id, &endpoint, err);
		if (r == 0)
			*array_add(endpoints, count) = endpoint;
		else if (r == -ENOENT) /* released meanwhile */
			r = 0;
	}
	if (r < 0) {
		endpoint_list_free(endpoints, count);
		return r;
	}
	*ret = endpoints;
	*ret_count = count;
	return 0;
}

void endpoint_list_free(struct endpoint *endpoints, size_t count)
{
	for (size_t i = 0; i < count; i++)
		endpoint_release(&endpoints[i]);
	free(endpoints);
}

/* Names of the networks a container has endpoints in. */
static int networks_of_container(
	const struct engine *engine, const char *container_id, char ***ret, struct error *err)
{
	char path[PATH_MAX];

	if (!name_is_safe(container_id))
		return error_set(err, -EINVAL, "'%s' is no container ID", container_id);
	snprintf(path, sizeof(path), CONTAINERS_PATH "/%s", container_id);
	return dir_list(engine->run_fd, path, ret, err);
}

static int by_interface(const void *a, const void *b)
{
	return strverscmp(
		((const struct endpoint *)a)->interface, ((const struct endpoint *)b)->interface);
}

int endpoint_of_container(const struct engine *engine, const char *container_id,
	struct endpoint **ret, size_t *ret_count, struct error *err)
{
	cleanup_strv char **networks = NULL;
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	int r = networks_of_container(engine, container_id, &networks, err);

	for (size_t i = 0; r == 0 && networks && networks[i]; i++) {
		cleanup_fd int dir_fd = endpoints_open(engine, networks[i], err);
		struct endpoint endpoint = { 0 };

		r = dir_fd < 0 ? dir_fd : endpoint_read(dir_fd, container_id, &endpoint, err);
		if (r == 0) {
			*array_add(endpoints, count) = endpoint;
		} else if (r == -ENOENT) {
			error_release(err);
			r = 0;
		}
	}
	if (r < 0) {
		endpoint_list_free(endpoints, count);
		return r;
	}
	if (count)
		qsort(endpoints, count, sizeof(*endpoints), by_interface);
	*ret = endpoints;
	*ret_count = count;
	return 0;
}

/* An unreadable record is removed all the same; its address is then found to be stale. */
static int release_one(const struct engine *engine, const char *network, const char *container_id,
	struct error *err)
{
	struct endpoint endpoint = { 0 };
	cleanup_fd int dir_fd = -1;
	char name[NAME_MAX + 1];
	char path[PATH_MAX];

	dir_fd = endpoints_open(engine, network, err);
	if (dir_fd == -ENOENT) {
		error_release(err);
		return 0;
	}
	if (dir_fd < 0)
		return dir_fd;
	if (endpoint_read(dir_fd, container_id, &endpoint, NULL) < 0)
		endpoint = (struct endpoint){ 0 };
	file_name_make(name, container_id);
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove '%s'", name);
	if (endpoint.address) {
		snprintf(path, sizeof(path), "addresses/%s", endpoint.address);
		unlinkat(dir_fd, path, 0);
	}
	endpoint_release(&endpoint);
	return 0;
}

/* The default network of single containers comes and goes with them: nobody else removes it. */
static int builtin_tidy(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_network struct network *network = NULL;
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	int r;

	if (!network_is_builtin(name))
		return 0;
	r = endpoint_list(engine, name, &endpoints, &count, err);
	if (r < 0)
		return r;
	endpoint_list_free(endpoints, count);
	if (count)
		return 0;
	r = network_read(engine, name, &network, err);
	return r < 0 ? r : network_links_delete(network, err);
}

int endpoint_release_all(const struct engine *engine, const char *container_id, struct error *err)
{
	cleanup_strv char **networks = NULL;
	cleanup_fd int lock_fd = -1;
	char path[PATH_MAX];
	int r;

	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	r = networks_of_container(engine, container_id, &networks, err);
	for (size_t i = 0; r == 0 && networks && networks[i]; i++) {
		r = release_one(engine, networks[i], container_id, err);
		if (r == 0)
			r = builtin_tidy(engine, networks[i], err);
	}
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), CONTAINERS_PATH "/%s", container_id);
	return tree_remove(engine->run_fd, path, err);
}
