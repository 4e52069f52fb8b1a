/* SPDX-License-Identifier: GPL-2.0-or-later
 * collisions.c - what no two containers can have at once: names, published ports, addresses.
 *
 * What one service asks for twice is an error. Two services that cannot run at the same time may
 * well stand in one file (a development and a production form of the same thing), so that is a
 * warning: `up` refuses to start both. */
#include "compose/loader.h"

#include <string.h>

#include "compose/ip_text.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* Who has asked for a thing first. */
struct claim {
	const char *service;
	const struct mark *mark;
};

/* What is claimed lies in wider things: an address among those of its family, these among all. */
struct claimed {
	const struct claim *here;  /* of the thing itself */
	const struct claim *below; /* of it or of anything in it */
};

#define DEPTH_MAX 3

static void tell(struct loader *l, const char *service, const char *place, const struct mark *mark,
	const struct claim *first, const char *what)
{
	const char *path = arena_printf(l->arena, "services.%s.%s", service, place);
	const char *text = arena_printf(l->arena, "%s already by service \"%s\" at %s:%u:%u", what,
		first->service, first->mark->file ? first->mark->file : "-", first->mark->line,
		first->mark->column);

	if (strcmp(first->service, service) == 0)
		problems_add(l->problems, mark, path, "%s", text);
	else if (!strv_length(l->options->services))
		loader_warn(l, "%s:%u:%u: %s: %s: the two cannot run at the same time",
			mark->file ? mark->file : "-", mark->line, mark->column, path, text);
}

static struct claimed *claimed_at(struct loader *l, struct strmap *claims, const char *key)
{
	struct claimed *claimed = strmap_get(claims, key);

	if (!claimed) {
		claimed = arena_alloc(l->arena, sizeof(*claimed));
		strmap_set(claims, key, claimed);
	}
	return claimed;
}

/* Claim the last of these things, each of which lies in the one before; or the earlier claim that
 * is in the way: of the same, of what lies in it, or of what it lies in. */
static const struct claim *claim(struct loader *l, struct strmap *claims, const char *const *keys,
	size_t depth, const struct claim *new)
{
	struct claimed *way[DEPTH_MAX];
	struct claim *kept;

	for (size_t i = 0; i < depth; i++) {
		const struct claim *other;

		way[i] = claimed_at(l, claims, keys[i]);
		other = i + 1 < depth ? way[i]->here : way[i]->below;
		if (other)
			return other;
	}
	kept = arena_alloc(l->arena, sizeof(*kept));
	*kept = *new;
	for (size_t i = 0; i < depth; i++)
		if (!way[i]->below)
			way[i]->below = kept;
	way[depth - 1]->here = kept;
	return NULL;
}

/* A port of every address, of every one of a family (0.0.0.0, ::), or of one. */
static size_t port_keys_of(struct arena *arena, const char *port, const char *host_ip,
	const char *keys[static DEPTH_MAX])
{
	char text[IP_TEXT_SIZE];
	struct ip_text address;

	keys[0] = port;
	if (!host_ip || !*host_ip)
		return 1;
	if (!ip_text_parse(host_ip, &address)) {
		keys[1] = arena_join(arena, port, " ", host_ip);
		return 2;
	}
	keys[1] = arena_join(arena, port, ip_text_is_ipv6(&address) ? " IPv6" : " IPv4");
	if (ip_text_is_any(&address))
		return 2;
	keys[2] = arena_join(arena, keys[1], " ", ip_text_print(&address, text));
	return 3;
}

static void claim_ports(
	struct loader *l, struct strmap *claims, const char *name, const struct node *service)
{
	const struct node *ports = node_get(service, "ports");
	const char *mode = node_get_text(service, "network_mode");

	/* Nothing is published for who has no network of its own. */
	if (mode && *mode && strcmp(mode, "bridge") != 0 && strcmp(mode, "default") != 0)
		return;
	for (size_t i = 0; ports && i < ports->count; i++) {
		const struct node *port = ports->entries[i].value;
		const char *published = node_get_text(port, "published");
		const char *protocol = node_get_text(port, "protocol");
		const char *key, *keys[DEPTH_MAX];
		const struct claim *other;
		size_t depth;

		/* Of a range one that is free is chosen; 0 is any. */
		if (!published || !*published || strchr(published, '-') ||
			strcmp(published, "0") == 0)
			continue;
		key = arena_join(l->arena, published, "/", protocol ? protocol : "tcp");
		depth = port_keys_of(l->arena, key, node_get_text(port, "host_ip"), keys);
		other = claim(l, claims, keys, depth, &(struct claim){ name, &port->mark });
		if (other)
			tell(l, name, arena_printf(l->arena, "ports[%zu]", i), &port->mark, other,
				arena_printf(l->arena, "port %s is published", key));
	}
}

static void claim_addresses(
	struct loader *l, struct strmap *claims, const char *name, const struct node *service)
{
	static const char *const keys[] = { "ipv4_address", "ipv6_address" };
	const struct node *networks = node_get(service, "networks");

	for (size_t i = 0; networks && i < networks->count; i++)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			const char *network = networks->entries[i].key;
			const struct node *address = node_get(networks->entries[i].value, keys[k]);
			const struct claim *other;
			const char *key;

			if (!address || address->kind != NODE_STRING || !*address->text)
				continue;
			key = arena_join(l->arena, address->text, " in ", network);
			other = claim(l, claims, &key, 1, &(struct claim){ name, &address->mark });
			if (other)
				tell(l, name,
					arena_printf(l->arena, "networks.%s.%s", network, keys[k]),
					&address->mark, other,
					arena_printf(
						l->arena, "address %s is taken", address->text));
		}
}

/* This one is refused: newer versions of Docker Compose do so as well. */
static void claim_name(struct loader *l, struct strmap *names, const char *service_name,
	const struct node *service)
{
	const struct node *name = node_get(service, "container_name");
	const char *other;

	if (!name || name->kind != NODE_STRING || !*name->text)
		return;
	other = strmap_get(names, name->text);
	if (other)
		problems_add(l->problems, &name->mark,
			arena_printf(l->arena, "services.%s.container_name", service_name),
			"container name \"%s\" is already in use by service \"%s\": invalid "
			"compose project",
			name->text, other);
	else
		strmap_set(names, name->text, (void *)service_name);
}

void loader_check_collisions(struct loader *l)
{
	const struct node *services = node_get(l->tree, "services");
	struct strmap names = STRMAP_INIT, ports = STRMAP_INIT, addresses = STRMAP_INIT;

	for (size_t i = 0; services && i < services->count; i++) {
		const char *name = services->entries[i].key;
		const struct node *service = services->entries[i].value;

		claim_name(l, &names, name, service);
		claim_ports(l, &ports, name, service);
		claim_addresses(l, &addresses, name, service);
	}
	strmap_release(&names);
	strmap_release(&ports);
	strmap_release(&addresses);
}
