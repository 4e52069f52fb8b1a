/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_lifecycle.h - what a service says of its health, its hooks, its stops and restarts.
 * May depend on: engine/container/. */
#ifndef MYCOMPOSE_COMPOSE_SERVICE_LIFECYCLE_H
#define MYCOMPOSE_COMPOSE_SERVICE_LIFECYCLE_H

#include "compose/model.h"
#include "engine/container/container.h"

/* Hooks belong to what the service runs, not to the command of a one-off. The health check is then
 * the user's words alone: container_apply_image adds the image's. */
void service_fill_lifecycle(
	const struct service *service, bool is_one_off, struct container *container);

#endif
