/* SPDX-License-Identifier: GPL-2.0-or-later
 * inside.h - a command that the supervisor itself runs inside a container: a probe, a hook.
 * May depend on: minded.h.
 *
 * It is an exec like any other (same namespaces, cgroup, capabilities, filter), driven by the loop.
 * While it lives it is noted in <run>/containers/ID/inside-NAME, so that the next supervisor can
 * end what this one has left. It is reaped even when nobody waits for it any more: a zombie in a
 * container's pid namespace would keep the container's first process from ending. */
#ifndef MYCOMPOSE_SUPERVISOR_INSIDE_H
#define MYCOMPOSE_SUPERVISOR_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/container/launch.h"

struct minded;
struct supervisor;
struct inside;

struct inside_result {
	int exit_code; /* 0..255; -1: it could not be run, took too long, or nobody knows */
	bool timed_out;
	const char *output; /* the first output_max bytes, in a string */
	bool truncated;
	const struct error *failure; /* NULL, or why it could not be run */
};
/* Called once, unless it is abandoned before. */
typedef void (*inside_handler)(const struct inside_result *result, void *arg);

struct inside_request {
	const char *name; /* "probe", "hook": a constant */
	struct exec_request exec;
	struct launch_stdio stdio; /* stays the caller's; out and err unused with output_max */
	size_t output_max;	   /* > 0: collect so much of stdout and stderr */
	int64_t timeout_ns;	   /* 0 = none; then it is killed with all that came from it */
	bool end_group; /* what its process group leaves when it ends by itself is killed */
	inside_handler done;
	void *arg;
};

/* *slot is set while the process exists, and NULL again before `done` of one that has ended; after
 * a time-out it is set until the kernel lets it go. The container must be running. */
int inside_begin(struct minded *minded, const struct inside_request *request, struct inside **slot,
	struct error *err);
/* Kill it and all that came from it; `done` is not called, *slot is NULL at once. NULL is fine. */
void inside_abandon(struct inside *inside);
/* Again, where a time-out's kill has not ended it yet. */
void inside_kill(struct inside *inside);
/* An earlier supervisor's: kill what it had noted under this name. */
void inside_end_leftover(struct minded *minded, const char *name);
/* The supervisor ends: kill all that are left, free everything. */
void inside_free_all(struct supervisor *supervisor);

#endif
