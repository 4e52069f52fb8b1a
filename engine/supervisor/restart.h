/* SPDX-License-Identifier: GPL-2.0-or-later
 * restart.h - whether and when a container that has ended is started again. Pure.
 * May depend on: container.h (names of the policies). */
#ifndef MYCOMPOSE_SUPERVISOR_RESTART_H
#define MYCOMPOSE_SUPERVISOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/container/container.h"

struct restart_question {
	enum restart_policy policy;
	uint32_t max_retries; /* 0 = no bound */
	uint32_t restarts;    /* automatic ones so far that count, see restart_attempts */
	int exit_code;	      /* -1 unknown, which is no known failure */
	bool stopped_by_user;
	bool unhealthy; /* it was ended for that: to be replaced whatever the policy */
};
bool restart_is_due(const struct restart_question *question);

/* How many of the restarts so far count for max_retries after a run of ran_ns: none when the run
 * was as long as the window (deploy.restart_policy.window; 0 = all of them always count). */
uint32_t restart_attempts(uint32_t restarts, int64_t window_ns, int64_t ran_ns);

/* A container found dead after a time without a supervisor (a crash, a reboot): what it ended with
 * is not known, so only the policies that do not ask for it apply. */
bool restart_is_due_after_absence(enum restart_policy policy, bool stopped_by_user);

/* The delay before the next start, given the last one (0 = none so far) and how long the run was:
 * 100 ms, doubling to 60 s, from the beginning again after a run of 10 s. */
int64_t restart_delay(int64_t last_delay_ns, int64_t ran_ns);

#endif
