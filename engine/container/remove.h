/* SPDX-License-Identifier: GPL-2.0-or-later
 * remove.h - the half of a removal that the sweep repeats. */
#ifndef MYCOMPOSE_CONTAINER_REMOVE_H
#define MYCOMPOSE_CONTAINER_REMOVE_H

#include "engine/container/records.h"

/* Endpoints, cgroup with all that runs in it, run directory, and then the leftover directory
 * itself. Without the lock; safe to repeat, also by two at once. */
int remove_finish(
	const struct engine *engine, const char *leftover, const char *id, struct error *err);

#endif
