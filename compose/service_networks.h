/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_networks.h - networks and ports of the model as the engine is asked for them.
 * May depend on: engine/base/, engine/net, engine/container, model.h. */
#ifndef MYCOMPOSE_SERVICE_NETWORKS_H
#define MYCOMPOSE_SERVICE_NETWORKS_H

#include "compose/model.h"
#include "engine/container/container.h"

void service_fill_ports(const struct service *service, struct container *container);
/* `number` 0: a one-off, which does not answer to the service's name. */
void service_fill_attachments(const struct project *project, const struct service *service,
	unsigned int number, struct container *container);

/* What the network asks for. Pointers go into the model, but for *ret_reserved (heap, strv). */
int project_network_request(const struct project_network *network, struct network_request *ret,
	char ***ret_reserved, struct error *err);

#endif
