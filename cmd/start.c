/* SPDX-License-Identifier: GPL-2.0-or-later
 * start.c - `start`: existing containers, services in dependency order. */
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"

static int plan_services(struct project_run *run, char **services, void *arg, struct error *err)
{
	(void)arg;
	return plan_start(run->app->project, &run->observed, services, &run->plan, err);
}

static int run_start(struct app *app, void *options, char **args, struct error *err)
{
	const struct request request = { .operation = OPERATION_START };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	(void)options;
	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return lifecycle_services(app, args, -1, plan_services, NULL, err);
	return lifecycle_containers(app, args, &request);
}

const struct verb verb_start = {
	.name = "start",
	.usage = "[SERVICE...|CONTAINER...]",
	.summary = "Start existing containers",
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_start,
};
