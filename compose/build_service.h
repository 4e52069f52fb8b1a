/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_service.h - one service of the checked canonical tree becomes a plain struct of model.h.
 * Internal to the loader's own files. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_BUILD_SERVICE_H
#define MYCOMPOSE_COMPOSE_BUILD_SERVICE_H

#include "compose/loader.h"

/* Fill a zeroed service, but for its hash. What cannot be said in the model is a problem of the
 * loader. */
void build_service(struct loader *l, struct service *service, const struct node_entry *entry);

/* build_limits.c */
void build_limits(struct loader *l, struct service *service);

#endif
