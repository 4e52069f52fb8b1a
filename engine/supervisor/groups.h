/* SPDX-License-Identifier: GPL-2.0-or-later
 * groups.h - all groups at once: run directories that nobody supervises any more, records that only
 * a supervisor remembers.
 * May depend on: container.h, server.h, supervisor.h (names of the files). */
#ifndef MYCOMPOSE_SUPERVISOR_GROUPS_H
#define MYCOMPOSE_SUPERVISOR_GROUPS_H

#include "engine/base/errors.h"
#include "engine/engine.h"

/* Remove <run>/groups/GROUP where the supervisor was killed and no container is left for which
 * another one would come. */
int groups_sweep(const struct engine *engine, struct error *err);

/* Where a container's record was removed by somebody's hand, its supervisor writes it again. One
 * that nobody remembers is told by a warning. */
int groups_restore_records(const struct engine *engine, struct error *err);

#endif
