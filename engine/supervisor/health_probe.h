/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_probe.h - probe a running container by its health check, from the start of a run to its
 * end. May depend on: minded.h, health.h.
 *
 * One probe at a time: while the last one's process exists, however long the kernel holds it, no
 * other is begun. A container that is paused or being stopped is not probed. */
#ifndef MYCOMPOSE_SUPERVISOR_HEALTH_PROBE_H
#define MYCOMPOSE_SUPERVISOR_HEALTH_PROBE_H

struct minded;
struct health_monitor;

/* A run has begun (state.health says whether there is a check); the first probe comes later. */
void health_begin(struct minded *minded);
/* The same for a run of which an earlier supervisor has probed a part. */
void health_resume(struct minded *minded);
/* Before a pause, a stop, the end / after a pause. A probe under way is killed and counts for
 * nothing. */
void health_suspend(struct minded *minded);
void health_go_on(struct minded *minded);
/* The run is over, or the supervisor. */
void health_end(struct minded *minded);

#endif
