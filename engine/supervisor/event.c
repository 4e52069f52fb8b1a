/* SPDX-License-Identifier: GPL-2.0-or-later
 * event.c - a queue of events. */
#include "engine/supervisor/event.h"

#include <stdlib.h>

#include "engine/base/memory.h"

void event_release(struct event *event)
{
	error_release(&event->error);
}

void event_queue_push(struct event_queue *queue, const struct event *event)
{
	struct event *slot = array_add(queue->items, queue->count);

	*slot = *event;
}

static void forget_when_empty(struct event_queue *queue)
{
	if (queue->first < queue->count)
		return;
	free(queue->items);
	*queue = (struct event_queue){ 0 };
}

bool event_queue_pop(struct event_queue *queue, struct event *ret)
{
	if (queue->first == queue->count)
		return false;
	*ret = queue->items[queue->first++];
	forget_when_empty(queue);
	return true;
}

void event_queue_release(struct event_queue *queue)
{
	struct event event;

	while (event_queue_pop(queue, &event))
		event_release(&event);
}
