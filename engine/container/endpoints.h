/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoints.h - a container's place in its networks, chosen before it starts.
 * May depend on: engine/base/, container.h, net. */
#ifndef MYCOMPOSE_CONTAINER_ENDPOINTS_H
#define MYCOMPOSE_CONTAINER_ENDPOINTS_H

#include "engine/container/container.h"

/* Bring up each network it is attached to and allocate an endpoint in it. Names it answers to: the
 * declared aliases, its name, its short id. Ports are published through the attachment that has the
 * default route (of the bridges that are not internal the one of highest gateway priority, else the
 * first); `ports` are those of container_ports_wanted, with ephemeral ones filled in (NULL = not
 * filled in yet). Repeating it keeps the addresses. Returns 1 when a record was written that the
 * firewall does not know yet, 0 when all was there; the caller then makes one firewall_sync for
 * all. A container with no network of its own has nothing to do. */
int container_allocate_endpoints(const struct engine *engine, const struct container *container,
	const struct published_port *ports, struct error *err);
/* The record's ports, with the host address that the network's options give those without. Heap,
 * container->port_count of them. */
struct published_port *container_ports_wanted(
	const struct engine *engine, const struct container *container);
void container_ports_free(struct published_port *ports, size_t count); /* NULL is fine */

#endif
