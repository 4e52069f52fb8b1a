/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_sync.c - from the records on disk to the kernel's tables. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/net/firewall_backend.h"
#include "engine/net/room.h"

#define DEFAULT_RUN_PATH "/run/mycompose"
#define PATIENCE_NS	 (60 * NS_PER_SEC)
#define RETRY_PAUSE_NS	 10000000

/* Everything the rules follow from. The ports of an entry are its own. */
struct inventory {
	struct network **networks;
	size_t network_count;
	struct firewall_network *entries;
	size_t entry_count;
};

static void inventory_release(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->entry_count; i++)
		free((struct firewall_port *)inventory->entries[i].ports);
	free(inventory->entries);
	network_list_free(inventory->networks, inventory->network_count);
}

/* Records are written from what was checked: a text that is no address stands for none. */
static struct ip_range ip_or_none(const char *text)
{
	struct ip_range ip = { 0 };

	if (text)
		(void)ip_parse(text, &ip);
	return ip;
}

/* 0.0.0.0 and :: stand for every address of their family. */
static bool ip_is_every(const struct ip_range *ip)
{
	static const uint8_t zeros[sizeof(ip->bytes)];

	return memcmp(ip->bytes, zeros, sizeof(zeros)) == 0;
}

static void port_add(struct firewall_port **ports, size_t *count,
	const struct published_port *published, const char *address)
{
	struct firewall_port port = {
		.host = ip_or_none(published->host_ip),
		.host_port = published->host_port,
		.to = ip_or_none(address),
		.to_port = published->container_port,
		.protocol = protocol_number(published->protocol),
	};

	if (!port.to.family || (port.host.family && port.host.family != port.to.family))
		return;
	if (ip_is_every(&port.host))
		port.host = (struct ip_range){ 0 };
	*array_add(*ports, *count) = port;
}

static void endpoint_ports_add(
	struct firewall_port **ports, size_t *count, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->port_count; i++) {
		const struct published_port *published = &endpoint->ports[i];

		port_add(ports, count, published, endpoint->address);
		if (published->host_ip || published->both)
			port_add(ports, count, published, endpoint->address6);
	}
}

/* A network that is only a record (after a reboot, say) has nothing to protect yet. */
static int entry_read(const struct engine *engine, struct inventory *inventory,
	const struct network *network, struct error *err)
{
	struct firewall_network entry = { .bridge = network->bridge,
		.internal = network->internal,
		.subnets = { ip_or_none(network->subnet), ip_or_none(network->subnet6) },
		.gateways = { ip_or_none(network->gateway), ip_or_none(network->gateway6) } };
	struct firewall_port *ports = NULL;
	struct network_traits traits;
	cleanup_fd int dir_fd = -1;
	struct endpoint *endpoints;
	size_t endpoint_count;
	int r = network_traits_read(network->options, &traits, err);

	if (r == 0)
		r = endpoint_list(engine, network->name, &endpoints, &endpoint_count, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", network->name);
	for (size_t i = 0; i < endpoint_count; i++)
		endpoint_ports_add(&ports, &entry.port_count, &endpoints[i]);
	endpoint_list_free(endpoints, endpoint_count);
	if (!endpoint_count && !if_nametoindex(network->bridge))
		return 0;
	entry.ports = ports;
	entry.no_icc = traits.no_icc;
	entry.no_masquerade = traits.no_masquerade;
	dir_fd = endpoints_open(engine, network->name, NULL);
	if (dir_fd >= 0)
		entry.resolver_ports[network->subnet ? FIREWALL_V4 : FIREWALL_V6] =
			resolver_port_read(dir_fd);
	*array_add(inventory->entries, inventory->entry_count) = entry;
	return 0;
}

static int inventory_read(const struct engine *engine, struct inventory *ret, struct error *err)
{
	int r = network_read_all(engine, &ret->networks, &ret->network_count, err);

	for (size_t i = 0; i < ret->network_count && r == 0; i++)
		if (network_is_bridge(ret->networks[i]))
			r = entry_read(engine, ret, ret->networks[i], err);
	return r;
}

/* Chains of a second run root on the same host have names of their own: six digits of a hash
 * (FNV-1a) of its path. */
static void world_name(const struct engine *engine, char world[static 7])
{
	uint32_t hash = 2166136261u;

	world[0] = '\0';
	if (strcmp(engine->run_path, DEFAULT_RUN_PATH) == 0)
		return;
	for (const char *c = engine->run_path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	snprintf(world, 7, "%06x", hash & 0xffffff);
}

/* 127.0.0.1 can only be translated if the bridge may carry it; safe now that the rules stand. */
static int localnet_allow(const struct inventory *inventory, struct error *err)
{
	for (size_t i = 0; i < inventory->entry_count; i++) {
		char path[128];
		int r;

		if (!firewall_publishes(&inventory->entries[i], FIREWALL_V4))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet",
			inventory->entries[i].bridge);
		r = switch_set(path, "1", err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A flow that outlives a rule is a nuisance, not a failure of the reconcile. */
static void flows_forget(const struct udp_changes *changes)
{
	cleanup_error struct error err = ERROR_INIT;

	if (changes->count && netlink_forget_udp(changes->ports, changes->count, &err) < 0)
		log_warning("UDP flows to changed ports may go astray: %s", error_text(&err));
}

int firewall_sync_locked(const struct engine *engine, struct error *err)
{
	struct inventory inventory = { 0 };
	struct udp_changes changes = { 0 };
	struct firewall firewall = { 0 };
	char world[7];
	int changed, r;

	r = inventory_read(engine, &inventory, err);
	if (r < 0) {
		inventory_release(&inventory);
		return r;
	}
	world_name(engine, world);
	firewall_build(inventory.entries, inventory.entry_count, world, &firewall);
	changed = firewall_commit(engine, &firewall, &changes, err);
	r = changed < 0 ? changed : localnet_allow(&inventory, err);
	flows_forget(&changes);
	free(changes.ports);
	firewall_release(&firewall);
	inventory_release(&inventory);
	return r < 0 ? r : changed;
}

static int sync_step(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_fd int lock_fd = -1;
	int r;

	(void)name;
	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	/* Under the lock of all who write there: what is half written now, a kill has left. */
	r = file_sweep_temporaries(engine->data_fd, "networks", err);
	return r < 0 ? r : firewall_sync_locked(engine, err);
}

int firewall_patiently(const struct engine *engine,
	int (*step)(const struct engine *engine, const char *name, struct error *err),
	const char *name, struct error *err)
{
	const struct timespec pause = { 0, RETRY_PAUSE_NS };
	int64_t end = time_monotonic() + PATIENCE_NS;
	int r;

	while ((r = step(engine, name, err)) == -EWOULDBLOCK && time_monotonic() < end)
		nanosleep(&pause, NULL);
	return r;
}

int firewall_try_sync(const struct engine *engine, struct error *err)
{
	int r = sync_step(engine, NULL, err);

	if (r < 0)
		error_wrap(err, "firewall");
	return r;
}

int firewall_sync(const struct engine *engine, struct error *err)
{
	int r = firewall_patiently(engine, sync_step, NULL, err);

	if (r < 0)
		error_wrap(err, "firewall");
	return r;
}
