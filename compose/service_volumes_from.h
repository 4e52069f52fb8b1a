/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_volumes_from.h - mounts that a service takes over from other containers.
 * May depend on: engine/. */
#ifndef MYCOMPOSE_COMPOSE_SERVICE_VOLUMES_FROM_H
#define MYCOMPOSE_COMPOSE_SERVICE_VOLUMES_FROM_H

#include "compose/model.h"
#include "engine/container/container.h"
#include "engine/engine.h"

/* Add the binds, volumes and images of the containers that `volumes_from` names to those of
 * `container`. As docker orders them: the service's own mounts win, and these win over the volumes
 * of the image. A service's first container stands for it, so it must have been created. -ENOENT,
 * -EINVAL, told with the place. */
int service_add_volumes_from(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err);
/* What can be known before anything is made: are the modes modes, and the containers that are not
 * of the project there? */
int service_check_volumes_from(
	const struct engine *engine, const struct service *service, struct error *err);

/* The service's container of the lowest number. -ENOENT. */
int service_first_container(const struct engine *engine, const char *group, const char *service,
	struct container **ret, struct error *err);

#endif
