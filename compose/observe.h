/* SPDX-License-Identifier: GPL-2.0-or-later
 * observe.h - fill struct observed from the engine's records and the kernel.
 * May depend on: engine/. */
#ifndef MYCOMPOSE_COMPOSE_OBSERVE_H
#define MYCOMPOSE_COMPOSE_OBSERVE_H

#include "compose/observed.h"
#include "engine/engine.h"

int observe_project(
	const struct engine *engine, const char *project, struct observed *ret, struct error *err);

/* Ask the kernel about each running container. */
void observe_damage(struct observed *observed);

#endif
