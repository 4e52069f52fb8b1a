/* SPDX-License-Identifier: GPL-2.0-or-later
 * consistency_addresses.c - address pools of networks, and the addresses services ask for in them.
 */
#include "compose/loader.h"

#include <sys/socket.h>

#include "compose/ip_text.h"
#include "engine/base/memory.h"

/* A text of the pool or endpoint that there is something to say about; NULL when not given, empty
 * or not known yet. */
static const struct node *given_text(struct loader *l, const struct node *holder, const char *key)
{
	const struct node *node = node_get(holder, key);
	struct canon c = { .is_raw = l->options->no_interpolate };

	return node && node->kind == NODE_STRING && *node->text && !canon_is_open(&c, node) ? node
											    : NULL;
}

static void complain(
	struct loader *l, const struct node *node, const struct path *path, const char *problem)
{
	problems_add(
		l->problems, &node->mark, path_text(path, l->arena), "%s %s", node->text, problem);
}

static void check_in_pool(struct loader *l, const struct ip_text *subnet, const struct node *node,
	bool is_range, const struct path *path)
{
	struct ip_text inner = { 0 };
	bool is_valid = is_range ? ip_text_parse_subnet(node->text, &inner)
				 : ip_text_parse(node->text, &inner);

	if (!is_valid)
		complain(l, node, path,
			is_range ? "is no range of addresses (like 10.1.2.0/24)"
				 : "is no IP address");
	else if (subnet && !ip_text_contains(subnet, &inner))
		complain(l, node, path, "is not inside the subnet");
}

static void check_pool(struct loader *l, const struct node *pool, const struct path *path)
{
	const struct node *text = given_text(l, pool, "subnet"), *inner;
	const struct node *aux = node_get(pool, "aux_addresses");
	struct ip_text subnet;
	bool is_known = text && ip_text_parse_subnet(text->text, &subnet);

	if (text && !is_known)
		complain(l, text, &(struct path){ path, "subnet", 0 },
			"is no subnet (like 10.1.0.0/16)");
	inner = given_text(l, pool, "gateway");
	if (inner)
		check_in_pool(l, is_known ? &subnet : NULL, inner, false,
			&(struct path){ path, "gateway", 0 });
	inner = given_text(l, pool, "ip_range");
	if (inner)
		check_in_pool(l, is_known ? &subnet : NULL, inner, true,
			&(struct path){ path, "ip_range", 0 });
	for (size_t i = 0; aux && i < aux->count; i++) {
		struct path up = { path, "aux_addresses", 0 };

		inner = given_text(l, aux, aux->entries[i].key);
		if (inner)
			check_in_pool(l, is_known ? &subnet : NULL, inner, false,
				&(struct path){ &up, aux->entries[i].key, 0 });
	}
}

static void check_pools(struct loader *l)
{
	const struct node *networks = node_get(l->tree, "networks");
	struct path root = { NULL, "networks", 0 };

	for (size_t i = 0; networks && i < networks->count; i++) {
		const struct node *ipam = node_get(networks->entries[i].value, "ipam");
		const struct node *pools = node_get(ipam, "config");
		struct path network = { &root, networks->entries[i].key, 0 };
		struct path up = { &network, "ipam", 0 };
		struct path list = { &up, "config", 0 };

		for (size_t j = 0; pools && j < pools->count; j++)
			check_pool(l, pools->entries[j].value, &(struct path){ &list, NULL, j });
	}
}

/* Is the address in one of the network's subnets? A network without any of its family is the
 * engine's to choose for. */
static bool fits_network(
	struct loader *l, const struct node *network, const struct ip_text *address)
{
	const struct node *pools = node_get(node_get(network, "ipam"), "config");
	bool has_subnet = false;

	for (size_t i = 0; pools && i < pools->count; i++) {
		const struct node *text = given_text(l, pools->entries[i].value, "subnet");
		struct ip_text subnet;

		if (!text || !ip_text_parse_subnet(text->text, &subnet) ||
			subnet.family != address->family)
			continue;
		if (ip_text_contains(&subnet, address))
			return true;
		has_subnet = true;
	}
	return !has_subnet;
}

static void check_endpoint(struct loader *l, const struct node *network,
	const struct node *endpoint, const char *key, int family, const struct path *up)
{
	const struct node *text = given_text(l, endpoint, key);
	struct path path = { up, key, 0 };
	struct ip_text address;

	if (!text)
		return;
	if (!ip_text_parse(text->text, &address) || address.family != family)
		complain(l, text, &path,
			family == AF_INET ? "is no IPv4 address" : "is no IPv6 address");
	else if (!fits_network(l, network, &address))
		complain(l, text, &path, "is in no subnet of the network");
}

void loader_check_addresses(struct loader *l)
{
	const struct node *services = node_get(l->tree, "services");
	struct node *networks = node_get(l->tree, "networks");
	struct path root = { NULL, "services", 0 };

	check_pools(l);
	for (size_t i = 0; services && i < services->count; i++) {
		const struct node *used = node_get(services->entries[i].value, "networks");
		struct path service = { &root, services->entries[i].key, 0 };
		struct path list = { &service, "networks", 0 };

		for (size_t j = 0; used && j < used->count; j++) {
			const struct node_entry *entry = &used->entries[j];
			const struct node_entry *network =
				node_find(l->arena, networks, entry->key);
			struct path path = { &list, entry->key, 0 };

			check_endpoint(l, network ? network->value : NULL, entry->value,
				"ipv4_address", AF_INET, &path);
			check_endpoint(l, network ? network->value : NULL, entry->value,
				"ipv6_address", AF_INET6, &path);
		}
	}
}
