/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoint.c - attachments of containers to networks: address allocation and records. */
#include <arpa/inet.h>
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

void endpoint_file_name(char name[static 256], const char *container_id)
{
	snprintf(name, NAME_MAX + 1, "%.*s" SUFFIX, NAME_MAX - (int)strlen(SUFFIX), container_id);
}

int endpoint_read(int dir_fd, const char *container_id, struct endpoint *ret, struct error *err)
{
	cleanup_json struct json *json = NULL;
	char name[NAME_MAX + 1];
	int r;

	endpoint_file_name(name, container_id);
	r = json_read_file(dir_fd, name, RECORD_LIMIT, &json, err);
	if (r == 0)
		r = endpoint_from_json(json, ret, err);
	return r < 0 ? error_wrap(err, "endpoint of container %s", container_id) : 0;
}

bool published_port_has_ipv6(const struct published_port *port, const char *address6)
{
	return port->both && (address6 || strcmp(port->protocol, "sctp") != 0);
}

static struct published_port *ports_copy(
	const struct published_port *ports, size_t count, const char *address6)
{
	struct published_port *copy = NULL;
	size_t copied = 0;

	for (size_t i = 0; i < count; i++) {
		struct published_port *port = array_add(copy, copied);

		*port = ports[i];
		port->host_ip = xstrdup(ports[i].host_ip);
		port->both = published_port_has_ipv6(port, address6);
	}
	return copy;
}

/* Where the endpoint's default route leads; NULL = nowhere, "" = the link itself. */
static const char *way_out(const struct network *network, const char *gateway)
{
	if (network->internal || !gateway)
		return NULL;
	return network_is_routed(network) ? "" : gateway;
}

/* As docker; of an IPv6 address the last four bytes. An ipvlan has its parent's. */
static void mac_choose(struct endpoint *endpoint, const struct network *network, const char *asked)
{
	char text[MAC_TEXT] = "";
	struct in6_addr address6;
	uint32_t number = 0;

	if (endpoint->address) {
		address_parse(endpoint->address, &number);
	} else if (address6_parse(endpoint->address6, &address6) == 0) {
		memcpy(&number, address6.s6_addr + 12, sizeof(number));
		number = ntohl(number);
	}
	if (strcmp(network->driver, "ipvlan") != 0)
		mac_from_address(number, text);
	endpoint->mac = xstrdup(asked && *text ? asked : text);
}

/* The neighbours on the parent's network may still know the address by the MAC of another host,
 * where the container was before: it tells them. There is nobody to tell on a bridge, whose MACs
 * are made of the addresses. */
static void announce(struct endpoint *endpoint, const struct network *network)
{
	if (network_is_bridge(network) || network_is_routed(network))
		return;
	if (endpoint->address)
		strv_add(&endpoint->sysctls, "net.ipv4.conf.IFNAME.arp_notify=1");
	if (endpoint->address6)
		strv_add(&endpoint->sysctls, "net.ipv6.conf.IFNAME.ndisc_notify=1");
}

/* Takes over the addresses. */
static void endpoint_fill(struct endpoint *endpoint, const struct network *network,
	const struct endpoint_request *request, char *address, char *address6)
{
	*endpoint = (struct endpoint){
		.network = xstrdup(network->name),
		.container_id = xstrdup(request->container_id),
		.container_name = xstrdup(request->container_name),
		.aliases = strv_copy(request->aliases),
		.address = address,
		.prefix_length = address ? network_subnet(network).prefix : 0,
		.gateway = address ? xstrdup(way_out(network, network->gateway)) : NULL,
		.address6 = address6,
		.prefix_length6 = address6 ? network_subnet6(network).prefix : 0,
		.gateway6 = address6 ? xstrdup(way_out(network, network->gateway6)) : NULL,
		.interface = xstrdup(request->interface),
		.order = request->order,
		.gateway_priority = request->gateway_priority,
		.link_local = strv_copy(request->link_local),
		.links = strv_copy(request->links),
		.dns = strv_copy(request->dns),
		.ports = ports_copy(request->ports, request->port_count, address6),
		.port_count = request->port_count,
	};
	if (!strv_contains(endpoint->aliases, request->container_name))
		strv_add(&endpoint->aliases, request->container_name);
	mac_choose(endpoint, network, request->mac);
	announce(endpoint, network);
	strv_extend(&endpoint->sysctls, request->sysctls);
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
	if (symlinkat(endpoint->address ? endpoint->address : endpoint->address6, index_fd,
		    endpoint->network) < 0 &&
		errno != EEXIST)
		return error_sys(err, -errno, "write '%s/%s'", name, endpoint->network);
	endpoint_file_name(name, endpoint->container_id);
	return json_write_file(ledger->dir_fd, name, json, FILE_VOLATILE, err);
}

static void claim_drop(const struct ledger *ledger, const char *address, const char *kept)
{
	if (address && (!kept || strcmp(address, kept) != 0))
		unlinkat(ledger->addresses_fd, address, 0);
}

static int allocate_locked(const struct engine *engine, const struct network *network,
	const struct endpoint_request *request, struct endpoint *ret, struct error *err)
{
	struct endpoint present = { 0 }, wanted = { 0 };
	char *address = NULL, *address6 = NULL;
	struct ledger ledger = { -1, -1 };
	int r = ledger_open(engine, network->name, &ledger, err);

	if (r == 0 && endpoint_read(ledger.dir_fd, request->container_id, &present, NULL) < 0)
		present = (struct endpoint){ 0 };
	if (r == 0)
		r = endpoint_claim4(&ledger, network, request, &present, &address, err);
	if (r == 0)
		r = endpoint_claim6(&ledger, network, request, &present, &address6, err);
	endpoint_fill(&wanted, network, request, address, address6);
	if (r == 0)
		r = endpoint_write(engine, &ledger, &wanted, err);
	if (r < 0) {
		claim_drop(&ledger, wanted.address, present.address);
		claim_drop(&ledger, wanted.address6, present.address6);
		endpoint_release(&wanted);
	} else {
		claim_drop(&ledger, present.address, wanted.address);
		claim_drop(&ledger, present.address6, wanted.address6);
		*ret = wanted;
	}
	endpoint_release(&present);
	ledger_close(&ledger);
	return r;
}

/* "net.ipv6.conf.IFNAME.accept_ra=2": of the interface and of nothing else. */
bool endpoint_sysctl_is_valid(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *mark = strstr(text, ".IFNAME."), *equals = strchr(text, '=');
	const char *variable = mark ? mark + strlen(".IFNAME.") : NULL;

	if (!mark || !equals || equals <= variable || strchr(equals, '\n') ||
		(size_t)(equals - variable) != strspn(variable, letters))
		return false;
	for (const char *c = text; c < mark; c++)
		if (!strchr(letters, *c) && (*c != '.' || c[1] == '.' || c == text))
			return false;
	return strncmp(text, "net.ipv4.", 9) == 0 || strncmp(text, "net.ipv6.", 9) == 0 ||
	       strncmp(text, "net.mpls.", 9) == 0;
}

static int options_check(const struct endpoint_request *request, struct error *err)
{
	for (size_t i = 0; request->link_local && request->link_local[i]; i++) {
		struct in6_addr address6;
		uint32_t address;

		if (address_parse(request->link_local[i], &address) < 0 &&
			address6_parse(request->link_local[i], &address6) < 0)
			return error_set(err, -EINVAL, "link-local address '%s' is no IP address",
				request->link_local[i]);
	}
	for (size_t i = 0; request->sysctls && request->sysctls[i]; i++)
		if (!endpoint_sysctl_is_valid(request->sysctls[i]))
			return error_set(err, -EINVAL,
				"sysctl '%s' is not one of the interface, as "
				"net.ipv4.conf.IFNAME.log_martians=1",
				request->sysctls[i]);
	return 0;
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
	return options_check(request, err);
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
	if (!network_has_addresses(network))
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

static int by_order(const void *a, const void *b)
{
	const struct endpoint *left = a, *right = b;

	return left->order != right->order ? (left->order < right->order ? -1 : 1)
					   : strverscmp(left->interface, right->interface);
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
		qsort(endpoints, count, sizeof(*endpoints), by_order);
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
	endpoint_file_name(name, container_id);
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove '%s'", name);
	for (size_t i = 0; i < 2; i++) {
		const char *address = i ? endpoint.address6 : endpoint.address;

		snprintf(path, sizeof(path), "addresses/%s", address ? address : "");
		if (address)
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
