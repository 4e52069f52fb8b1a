/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_grants.h - what a service's configs and secrets hold: read from where the file says, for
 * the container. Whether a running one still has the same is told by the service's hash
 * (confighash.c). May depend on: engine/. */
#ifndef MYCOMPOSE_COMPOSE_SERVICE_GRANTS_H
#define MYCOMPOSE_COMPOSE_SERVICE_GRANTS_H

#include "compose/model.h"
#include "engine/container/container.h"
#include "engine/engine.h"

/* Append the service's configs and secrets to the spec, contents and all. A file that cannot be
 * read, is no regular file or is too large, and a variable that is not set, are told with the place
 * that declares them. */
int service_fill_grants(const struct project *project, const struct service *service,
	struct spec *spec, struct error *err);

/* What the container's configs and secrets hold is in memory only; when that has been lost (by a
 * reboot) it is read anew, as the project says it now. Without a project, or when the project no
 * longer has the service, nothing is done: the start then says what is missing. */
int service_restore_grants(const struct engine *engine, const struct project *project,
	struct container *container, struct error *err);

#endif
