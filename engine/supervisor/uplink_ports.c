/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_ports.c - host ports held by bound sockets for as long as a container is minded. */
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/container/endpoints.h"
#include "engine/supervisor/minded.h"

static bool same_port(const struct published_port *a, const struct published_port *b)
{
	return a->container_port == b->container_port && strcmp(a->protocol, b->protocol) == 0 &&
	       strcmp(a->host_ip ? a->host_ip : "", b->host_ip ? b->host_ip : "") == 0;
}

static void ports_free(struct minded *minded)
{
	container_ports_free(minded->ports, minded->container->port_count);
	minded->ports = NULL;
}

static void ports_copy(struct minded *minded)
{
	ports_free(minded);
	minded->ports = container_ports_wanted(minded->supervisor->engine, minded->container);
}

static bool may_be(const struct published_port *port, uint16_t number)
{
	return !port->range_first || (number >= port->range_first && number <= port->range_last);
}

/* Give a port whose number is to be chosen the one that is known for it; each is taken once. */
static bool port_recall(struct minded *minded, const struct published_port *known)
{
	for (size_t i = 0; known->host_port && i < minded->container->port_count; i++) {
		struct published_port *port = &minded->ports[i];

		if (port->host_port || !same_port(port, known) || !may_be(port, known->host_port))
			continue;
		port->host_port = known->host_port;
		return true;
	}
	return false;
}

/* What the endpoint records remember of an earlier run, or of the caller's own choice. */
static bool ports_recall(struct minded *minded)
{
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	bool recalled = false;

	if (endpoint_of_container(minded->supervisor->engine, minded->container->id, &endpoints,
		    &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < endpoints[i].port_count; j++)
			recalled |= port_recall(minded, &endpoints[i].ports[j]);
	}
	endpoint_list_free(endpoints, count);
	return recalled;
}

int ports_hold(struct minded *minded, struct error *err)
{
	const struct engine *engine = minded->supervisor->engine;
	size_t count = minded->container->port_count;
	bool recalled;
	int r;

	if (count == 0 || minded->port_sockets)
		return 0;
	ports_copy(minded);
	recalled = ports_recall(minded);
	r = port_reserve(engine, minded->ports, count, &minded->port_sockets,
		&minded->port_socket_count, err);
	if (r == -EADDRINUSE && recalled) {
		/* A chosen port may be chosen anew. */
		ports_copy(minded);
		r = port_reserve(engine, minded->ports, count, &minded->port_sockets,
			&minded->port_socket_count, err);
	}
	if (r < 0)
		ports_free(minded);
	return r;
}

void ports_let_go(struct minded *minded)
{
	port_sockets_free(minded->port_sockets, minded->port_socket_count);
	minded->port_sockets = NULL;
	minded->port_socket_count = 0;
	ports_free(minded);
}
