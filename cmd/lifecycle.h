/* SPDX-License-Identifier: GPL-2.0-or-later
 * lifecycle.h - what stop, start, restart and kill have in common: services by a plan, containers
 * one by one. */
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

/* The containers half: the same request for each name. */
int lifecycle_containers(struct app *app, char **names, const struct request *request);

#endif
