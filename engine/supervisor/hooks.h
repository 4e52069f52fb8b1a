/* SPDX-License-Identifier: GPL-2.0-or-later
 * hooks.h - the commands of a container's life: after each start, and before a stop that somebody
 * or its health check asked for. May depend on: minded.h.
 *
 * They run one after the other, inside the container; what they write is part of its output. */
#ifndef MYCOMPOSE_SUPERVISOR_HOOKS_H
#define MYCOMPOSE_SUPERVISOR_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

struct minded;
struct inside;

/* In struct minded. */
struct hook_run {
	struct inside *command;
	size_t next; /* the one after that */
	bool under_way;
	bool stopping; /* pre_stop, else post_start */
};

/* It runs. Those who wait for the start are answered when the last post_start hook has ended; the
 * first that fails is their error, and nothing after it is run. The container goes on. */
void hooks_after_start(struct minded *minded);
/* The same for a container that an earlier supervisor has started: hooks that it was not through
 * with are run from the first on. */
void hooks_resume(struct minded *minded);
/* The post_start hooks are not through yet. */
bool hooks_hold_start(const struct minded *minded);
/* Its end has come, or has been asked for: a post_start hook under way is killed, and those who
 * wait for the start are told `why`. */
void hooks_give_up_start(struct minded *minded, const char *why);
/* It is to be stopped: after the last pre_stop hook, or the first that fails (which is said in the
 * container's log), minded_send_pending. */
void hooks_before_stop(struct minded *minded);
/* Give up what is under way: the run is over, or the supervisor. */
void hooks_end(struct minded *minded);

#endif
