/* SPDX-License-Identifier: GPL-2.0-or-later
 * event_log.h - what happened to containers, for whoever watches: `events`, `wait`.
 * May depend on: engine/base/, container.h.
 *
 * Whoever does something to a container, a command or a supervisor, appends one line of JSON to
 * <run>/events/log: so there is one stream for the whole host, in order, which goes on when
 * supervisors come and go, and which tells of what no supervisor sees (create, destroy, rename).
 * It is bounded: past EVENT_LOG_SIZE_MAX the file becomes log.1, and the log.1 before it is
 * forgotten. Losing an event (disk full, killed in between) is no failure of what it told about. */
#ifndef MYCOMPOSE_CONTAINER_EVENT_LOG_H
#define MYCOMPOSE_CONTAINER_EVENT_LOG_H

#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"
#include "engine/engine.h"

#define EVENT_LOG_SIZE_MAX (512 * 1024)

/* `action` as docker names it: create start kill die stop restart pause unpause destroy rename
 * oom attach, "exec_create: COMMAND", "health_status: healthy". `attribute` "exitCode=3" or NULL.
 */
void event_log_add(const struct engine *engine, const struct container *container,
	const char *action, const char *attribute);

struct event_record {
	int64_t time_ns;
	char *action;
	char *id;
	char *name;
	char *image;
	char **labels;	   /* the container's, "key=value" */
	char **attributes; /* "exitCode=3" */
};
void event_record_release(struct event_record *record);
#define cleanup_event_record __attribute__((cleanup(event_record_release)))

enum event_start {
	EVENTS_FROM_FIRST, /* all that is still known */
	EVENTS_FROM_NOW,
};
struct event_reader;
int event_reader_open(const struct engine *engine, enum event_start start,
	struct event_reader **ret, struct error *err);
/* 1 = the next one, 0 = none at the moment. Lines that are not whole are passed over. */
int event_reader_next(struct event_reader *reader, struct event_record *ret, struct error *err);
/* Becomes readable when event_reader_next may have more; -1 where inotify is not to be had: then
 * look now and then. */
int event_reader_fd(const struct event_reader *reader);
void event_reader_free(struct event_reader *reader); /* NULL is fine */
void event_reader_cleanup(struct event_reader **reader);
#define cleanup_event_reader __attribute__((cleanup(event_reader_cleanup)))

#endif
