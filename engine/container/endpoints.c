/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoints.c - allocate a container's endpoints, one for each attachment. */
#include "engine/container/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

static const struct endpoint *find_endpoint(
	const struct endpoint *endpoints, size_t count, const char *network)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(endpoints[i].network, network))
			return &endpoints[i];
	return NULL;
}

static bool same_ports(const struct endpoint *endpoint, const struct endpoint_request *request)
{
	if (endpoint->port_count != request->port_count)
		return false;
	for (size_t i = 0; i < request->port_count; i++)
		if (request->ports[i].host_port &&
			endpoint->ports[i].host_port != request->ports[i].host_port)
			return false;
	return true;
}

/* Of no interest to the firewall. */
static bool same_families(const struct endpoint *endpoint, const struct endpoint_request *request)
{
	for (size_t i = 0; i < request->port_count; i++)
		if (endpoint->ports[i].both !=
			published_port_has_ipv6(&request->ports[i], endpoint->address6))
			return false;
	return true;
}

static int allocate(const struct engine *engine, const struct container *container,
	const struct container_attachment *attachment, struct endpoint_request *request,
	struct error *err)
{
	struct endpoint endpoint = { 0 };
	cleanup_strv char **aliases = strv_copy(attachment->aliases);
	cleanup_free char *short_id = xstrndup(container->id, ID_SHORT_LENGTH);
	int r;

	strv_add(&aliases, container->name);
	strv_add(&aliases, short_id);
	request->aliases = aliases;
	r = endpoint_allocate(engine, request, &endpoint, err);
	if (r == 0)
		endpoint_release(&endpoint);
	return r;
}

/* "eth" or what the network's option says, and the lowest number that no attachment before has. */
static char *interface_name(const struct network *network, char *const *taken)
{
	cleanup_free char *prefix = network_interface_prefix(network);

	for (unsigned int i = 0;; i++) {
		cleanup_free char *name = xasprintf("%s%u", prefix ? prefix : "eth", i);

		if (!strv_contains(taken, name))
			return steal_ptr(name);
	}
}

/* The built-in networks are not looked up: that would make the record of one that may never be
 * needed. */
static bool publishes_ports(const struct engine *engine, const char *name)
{
	cleanup_network struct network *network = NULL;

	if (network_is_builtin(name))
		return strcmp(name, "bridge") == 0;
	return network_find(engine, name, &network, NULL) == 0 && network_can_publish(network);
}

/* Where ports are published: the network of the default route, that answers go back the way they
 * came. NULL = through none. */
static const struct container_attachment *publishing_attachment(
	const struct engine *engine, const struct container *container)
{
	const struct container_attachment *chosen = NULL;

	for (size_t i = 0; i < container->attachment_count; i++) {
		const struct container_attachment *attachment = &container->attachments[i];

		if (publishes_ports(engine, attachment->network) &&
			(!chosen || attachment->gateway_priority > chosen->gateway_priority))
			chosen = attachment;
	}
	return chosen;
}

struct published_port *container_ports_wanted(
	const struct engine *engine, const struct container *container)
{
	struct published_port *ports = xcalloc(container->port_count + 1, sizeof(*ports));
	const struct container_attachment *attachment = publishing_attachment(engine, container);
	cleanup_network struct network *network = NULL;
	cleanup_free char *binding = NULL;

	if (attachment && !network_is_builtin(attachment->network) &&
		network_find(engine, attachment->network, &network, NULL) == 0)
		binding = network_host_binding(network);
	for (size_t i = 0; i < container->port_count; i++) {
		ports[i] = container->ports[i];
		ports[i].host_ip =
			xstrdup(ports[i].host_ip ? container->ports[i].host_ip : binding);
	}
	return ports;
}

void container_ports_free(struct published_port *ports, size_t count)
{
	for (size_t i = 0; ports && i < count; i++)
		free(ports[i].host_ip);
	free(ports);
}

/* One attachment's part; *taken gets its interface's name. 1 = written anew. */
static int allocate_one(const struct engine *engine, const struct container *container,
	size_t index, struct endpoint_request *request, const struct endpoint *there,
	size_t there_count, char ***taken, struct error *err)
{
	const struct container_attachment *attachment = &container->attachments[index];
	cleanup_network struct network *network = NULL;
	cleanup_free char *interface = NULL;
	const struct endpoint *endpoint;
	bool same;
	int r = network_find(engine, attachment->network, &network, err);

	if (r < 0)
		return r;
	interface = attachment->interface ? xstrdup(attachment->interface)
					  : interface_name(network, *taken);
	strv_add(taken, interface);
	request->interface = interface;
	r = network_up(engine, network, err);
	endpoint = find_endpoint(there, there_count, network->name);
	same = endpoint && same_ports(endpoint, request);
	if (r < 0 || (same && same_families(endpoint, request)))
		return r;
	r = allocate(engine, container, attachment, request, err);
	/* The family of ports matters to the firewall only where there is an IPv6 address. */
	return r < 0 ? r : !same || endpoint->address6;
}

int container_allocate_endpoints(const struct engine *engine, const struct container *container,
	const struct published_port *ports, struct error *err)
{
	struct published_port *wanted = NULL;
	const struct container_attachment *publishing;
	cleanup_strv char **taken = NULL;
	struct endpoint *there = NULL;
	size_t there_count = 0;
	int changed = 0, r;

	if (container->spec.network.mode != NAMESPACE_PRIVATE || container->attachment_count == 0)
		return 0;
	for (size_t i = 0; i < container->attachment_count; i++)
		if (container->attachments[i].interface)
			strv_add(&taken, container->attachments[i].interface);
	publishing = publishing_attachment(engine, container);
	if (!ports)
		ports = wanted = container_ports_wanted(engine, container);
	r = endpoint_of_container(engine, container->id, &there, &there_count, err);
	for (size_t i = 0; r >= 0 && i < container->attachment_count; i++) {
		const struct container_attachment *attachment = &container->attachments[i];
		bool publishes = attachment == publishing;
		struct endpoint_request request = {
			.network = attachment->network,
			.container_id = container->id,
			.container_name = container->name,
			.address = attachment->address,
			.address6 = attachment->address6,
			.mac = attachment->mac,
			.order = (uint16_t)i,
			.gateway_priority = attachment->gateway_priority,
			.link_local = attachment->link_local,
			.sysctls = attachment->sysctls,
			.links = attachment->links,
			.dns = container->spec.dns,
			.ports = publishes ? ports : NULL,
			.port_count = publishes ? container->port_count : 0,
		};

		r = allocate_one(engine, container, i, &request, there, there_count, &taken, err);
		changed |= r > 0;
	}
	endpoint_list_free(there, there_count);
	container_ports_free(wanted, container->port_count);
	return r < 0 ? r : changed;
}
