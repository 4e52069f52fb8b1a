/* SPDX-License-Identifier: GPL-2.0-or-later
 * event.h - a queue of events. May depend on: supervisor.h. */
#ifndef MYCOMPOSE_SUPERVISOR_EVENT_H
#define MYCOMPOSE_SUPERVISOR_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/supervisor/supervisor.h"

/* Zeroed = empty. */
struct event_queue {
	struct event *items;
	size_t first;
	size_t count; /* index after the last */
};

/* Takes over what the event owns. */
void event_queue_push(struct event_queue *queue, const struct event *event);
bool event_queue_pop(struct event_queue *queue, struct event *ret);
void event_queue_release(struct event_queue *queue);

#endif
