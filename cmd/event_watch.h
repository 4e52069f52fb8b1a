/* SPDX-License-Identifier: GPL-2.0-or-later
 * event_watch.h - follow the host's log of events until something says enough.
 * May depend on: engine/container/event_log.h, engine/supervisor/loop.h. */
#ifndef MYCOMPOSE_CMD_EVENT_WATCH_H
#define MYCOMPOSE_CMD_EVENT_WATCH_H

#include "cmd/verb.h"
#include "engine/container/event_log.h"

#define EXIT_INTERRUPTED 130

struct event_watch {
	struct event_reader *reader; /* the caller's */
	/* Both return 1 for enough, 0 to go on, negative for an error. */
	int (*event)(const struct event_record *record, void *arg, struct error *err);
	int (*look)(
		void *arg, struct error *err); /* first, after events, twice a second; or NULL */
	int64_t until_ns;		       /* wall time at which it is enough, 0 = none */
	void *arg;
};
/* 0, or 130 after SIGINT or SIGTERM, or when nobody reads stdout any more. */
int event_watch_run(const struct event_watch *watch, struct error *err);

#endif
