/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_ports.c - host ports held by bound sockets for as long as a container is minded. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/endpoints.h"
#include "engine/supervisor/minded.h"

#define HELD_PATIENCE (300 * NS_PER_MS)

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

static bool any_launching(const struct supervisor *supervisor)
{
	strmap_for_each (entry, &supervisor->minded) {
		const struct minded *minded = entry->value;

		if (minded->phase == MINDED_LAUNCHING)
			return true;
	}
	return false;
}

static int reserve(struct minded *minded, struct error *err)
{
	error_release(err);
	return port_reserve(minded->supervisor->engine, minded->ports,
		minded->container->port_count, &minded->port_sockets, &minded->port_socket_count,
		err);
}

/* A child on its way to its execve has copies of our sockets until it closes what is not its own,
 * and with them the port of a container that has just been stopped. */
static bool may_soon_be_free(struct minded *minded)
{
	int64_t now = time_monotonic();

	if (!any_launching(minded->supervisor))
		return false;
	if (!minded->ports_refused_ns)
		minded->ports_refused_ns = now;
	return now - minded->ports_refused_ns < HELD_PATIENCE;
}

int ports_hold(struct minded *minded, struct error *err)
{
	bool recalled;
	int r;

	if (minded->container->port_count == 0 || minded->port_sockets)
		return 0;
	ports_copy(minded);
	recalled = ports_recall(minded);
	r = reserve(minded, err);
	if (r == -EADDRINUSE && may_soon_be_free(minded)) {
		ports_free(minded);
		return -EAGAIN;
	}
	minded->ports_refused_ns = 0;
	if (r == -EADDRINUSE && recalled) {
		/* A chosen port may be chosen anew. */
		ports_copy(minded);
		r = reserve(minded, err);
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
