/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_sync.c - from the records on disk to the kernel's tables. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/net/firewall.h"
#include "engine/net/iptc.h"
#include "engine/net/room.h"

#define DEFAULT_RUN_PATH "/run/mycompose"

/* Everything the rules follow from. */
struct inventory {
	struct network **networks;
	size_t network_count;
	struct firewall_network *entries;
	size_t entry_count;
};

static void inventory_release(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->entry_count; i++)
		endpoint_list_free((struct endpoint *)inventory->entries[i].endpoints,
			inventory->entries[i].endpoint_count);
	free(inventory->entries);
	network_list_free(inventory->networks, inventory->network_count);
}

/* A network that is only a record (after a reboot, say) has nothing to protect yet. */
static int entry_read(const struct engine *engine, struct inventory *inventory,
	const struct network *network, struct error *err)
{
	struct firewall_network entry = { .network = network };
	cleanup_fd int dir_fd = -1;
	struct endpoint *endpoints;
	int r = network_traits_read(network->options, &entry.traits, err);

	if (r == 0)
		r = endpoint_list(engine, network->name, &endpoints, &entry.endpoint_count, err);
	if (r < 0)
		return error_wrap(err, "network '%s'", network->name);
	entry.endpoints = endpoints;
	if (!entry.endpoint_count && !if_nametoindex(network->bridge)) {
		endpoint_list_free(endpoints, 0);
		return 0;
	}
	dir_fd = endpoints_open(engine, network->name, NULL);
	if (dir_fd >= 0)
		entry.resolver_port = resolver_port_read(dir_fd);
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

		if (!firewall_publishes(&inventory->entries[i]))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/route_localnet",
			inventory->entries[i].network->bridge);
		r = switch_set(path, "1", err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int tables_sync(
	const struct firewall *firewall, struct udp_changes *changes, struct error *err)
{
	/* Isolation first, then what leads packets in. */
	static const char *const tables[] = { "filter", "nat" };
	cleanup_fd int lock_fd = -1;
	int changed = 0;

	lock_fd = xtables_lock(err);
	if (lock_fd < 0)
		return lock_fd;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		int r = iptc_sync(tables[i], firewall, changes, err);

		if (r < 0)
			return r;
		changed |= r;
	}
	return changed;
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
	changed = tables_sync(&firewall, &changes, err);
	r = changed < 0 ? changed : localnet_allow(&inventory, err);
	flows_forget(&changes);
	free(changes.ports);
	firewall_release(&firewall);
	inventory_release(&inventory);
	return r < 0 ? r : changed;
}

int firewall_sync(const struct engine *engine, struct error *err)
{
	cleanup_fd int lock_fd = -1;
	int r;

	lock_fd = room_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	/* Under the lock of all who write there: what is half written now, a kill has left. */
	r = file_sweep_temporaries(engine->data_fd, "networks", err);
	if (r == 0)
		r = firewall_sync_locked(engine, err);
	return r < 0 ? error_wrap(err, "firewall") : r;
}
