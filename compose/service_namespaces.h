/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_namespaces.h - namespaces that a service shares with other containers.
 * May depend on: engine/. */
#ifndef MYCOMPOSE_COMPOSE_SERVICE_NAMESPACES_H
#define MYCOMPOSE_COMPOSE_SERVICE_NAMESPACES_H

#include "compose/model.h"
#include "engine/container/container.h"
#include "engine/engine.h"

/* "service:X" or "container:X" in network_mode, ipc and pid: the record names the container whose
 * namespace it is. A service's first container stands for it, so it must have been created.
 * -ENOENT, told with the place. */
int service_join_namespaces(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err);
/* What can be known before anything is made: are the containers that are not of the project there,
 * and is there no user namespace in the way? `spec` is the service's. */
int service_check_namespaces(const struct engine *engine, const struct project *project,
	const struct service *service, const struct spec *spec, struct error *err);

#endif
