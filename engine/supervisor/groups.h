/* SPDX-License-Identifier: GPL-2.0-or-later
 * groups.h - the run directories of groups that nobody supervises any more.
 * May depend on: container.h, server.h, supervisor.h (names of the files). */
#ifndef MYCOMPOSE_SUPERVISOR_GROUPS_H
#define MYCOMPOSE_SUPERVISOR_GROUPS_H

#include "engine/base/errors.h"
#include "engine/engine.h"

/* Remove <run>/groups/GROUP where the supervisor was killed and no container is left for which
 * another one would come. */
int groups_sweep(const struct engine *engine, struct error *err);

#endif
