/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoints.c - allocate a container's endpoints, one for each attachment. */
#include "engine/container/endpoints.h"

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
		if (endpoint->ports[i].both != request->ports[i].both)
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

int container_allocate_endpoints(const struct engine *engine, const struct container *container,
	const struct published_port *ports, struct error *err)
{
	struct endpoint *there = NULL;
	size_t there_count = 0;
	bool changed = false, published = false;
	int r;

	if (container->spec.network.mode != NAMESPACE_PRIVATE || container->attachment_count == 0)
		return 0;
	r = endpoint_of_container(engine, container->id, &there, &there_count, err);
	for (size_t i = 0; r == 0 && i < container->attachment_count; i++) {
		const struct container_attachment *attachment = &container->attachments[i];
		cleanup_network struct network *network = NULL;
		cleanup_free char *interface = xasprintf("eth%zu", i);
		struct endpoint_request request = {
			.network = attachment->network,
			.container_id = container->id,
			.container_name = container->name,
			.address = attachment->address,
			.mac = attachment->mac,
			.dns = container->spec.dns,
			.interface = interface,
		};
		const struct endpoint *endpoint;
		bool same;

		r = network_find(engine, attachment->network, &network, err);
		if (r < 0)
			break;
		if (!published && !network->internal) {
			request.ports = ports ? ports : container->ports;
			request.port_count = container->port_count;
			published = true;
		}
		r = network_up(engine, network, err);
		endpoint = find_endpoint(there, there_count, network->name);
		same = endpoint && same_ports(endpoint, &request);
		if (r < 0 || (same && same_families(endpoint, &request)))
			continue;
		r = allocate(engine, container, attachment, &request, err);
		changed |= !same;
	}
	endpoint_list_free(there, there_count);
	return r < 0 ? r : changed;
}
