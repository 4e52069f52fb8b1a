/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_holder.h - who has a host port that we could not get.
 * May depend on: engine/base/, network.h. */
#ifndef MYCOMPOSE_NET_PORT_HOLDER_H
#define MYCOMPOSE_NET_PORT_HOLDER_H

#include "engine/net/network.h"

/* Writes the -EADDRINUSE error and returns it: names the container whose endpoint publishes the
 * port, else the process whose socket it is, else only the port. */
int port_holder_tell(
	const struct engine *engine, const struct published_port *port, struct error *err);

#endif
