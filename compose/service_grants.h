/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_grants.h - what a service's configs and secrets hold: read from where the file says, for
 * the container and for the question whether a running one still has the same.
 * May depend on: engine/. */
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

/* Hex SHA-256 over content, place, owner and mode of each, in the file's order; "" when there are
 * none. */
int service_content_hash(const struct project *project, const struct service *service,
	char ret[static 65], struct error *err);
/* The same of a spec that has its contents. */
void spec_content_hash(const struct spec *spec, char ret[static 65]);

#endif
