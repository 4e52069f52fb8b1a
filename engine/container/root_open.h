/* SPDX-License-Identifier: GPL-2.0-or-later
 * root_open.h - a container's root from outside, whether it runs or not, for `cp` and `export`.
 * May depend on: container.h, image, launch's rooms.
 *
 * Of a running one: what its first process has as "/", volumes and all. When that has a user
 * namespace, the caller becomes root of it, so that owners are those that the container knows. Else
 * its layers are put together, and its volumes and binds attached, in a mount namespace that this
 * process enters for the rest of its life: call it in a process of its own. Nobody else ever sees
 * the mounts, and they go with the process, however it ends. */
#ifndef MYCOMPOSE_CONTAINER_ROOT_OPEN_H
#define MYCOMPOSE_CONTAINER_ROOT_OPEN_H

#include "engine/base/errors.h"
#include "engine/container/container.h"
#include "engine/engine.h"

/* The O_PATH fd of the root; whatever lies below it is opened with RESOLVE_IN_ROOT. */
int container_root_open(
	const struct engine *engine, const struct container *container, struct error *err);

#endif
