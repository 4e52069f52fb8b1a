/* SPDX-License-Identifier: GPL-2.0-or-later
 * lifecycle.h - what stop, start, restart, kill, pause and unpause have in common: services by a
 * plan or by one request for each container, containers one by one. */
#ifndef MYCOMPOSE_CMD_LIFECYCLE_H
#define MYCOMPOSE_CMD_LIFECYCLE_H

#include "cmd/project_run.h"
#include "cmd/targets.h"

/* Fill run->plan from run->observed. */
typedef int (*lifecycle_planner)(
	struct project_run *run, char **services, void *arg, struct error *err);

/* The services half: begin, plan, apply, finish. Returns the exit code. */
int lifecycle_services(struct app *app, char **services, int64_t timeout_seconds,
	lifecycle_planner planner, void *arg, struct error *err);

/* Services without a plan: one request for each of the project's containers that `is_meant` says.
 */
struct lifecycle_wish {
	struct request request; /* but for the id */
	const char *working;	/* progress: "Killing"; NULL = only the end is told */
	const char *done;	/* "Killed" */
	bool (*is_meant)(const struct app *app, const struct observed_container *container,
		char *const *services, void *arg);
	void *arg;
};
/* One that fails does not keep the others from it; the first failure is returned. *ret_count: how
 * many were meant. */
int lifecycle_requests(struct app *app, char *const *services, const struct lifecycle_wish *wish,
	size_t *ret_count, struct error *err);

/* The containers half: the same request for each name. */
int lifecycle_containers(struct app *app, char **names, const struct request *request);

#endif
