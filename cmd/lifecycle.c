/* SPDX-License-Identifier: GPL-2.0-or-later
 * lifecycle.c - run a plan for services, or one request for each container. */
#include "cmd/lifecycle.h"

#include <errno.h>
#include <stdio.h>

int lifecycle_services(struct app *app, char **services, int64_t timeout_seconds,
	lifecycle_planner planner, void *arg, struct error *err)
{
	struct project_run run = { 0 };
	int r = project_run_begin(&run, app, err);

	run.stop_timeout_ns = timeout_to_ns(timeout_seconds);
	if (r == 0)
		r = planner(&run, services, arg, err);
	if (r == 0)
		r = project_run_apply(&run, CONTROL_DETACHABLE, err);
	return project_run_finish(&run, r, err);
}

static int request_one(
	struct app *app, const struct container *container, void *arg, struct error *err)
{
	struct request request = *(const struct request *)arg;
	bool is_up;
	int r = container_load_is_up(&app->engine, container->id, &is_up, err);

	if (r < 0)
		return r;
	/* What is so already needs no supervisor. */
	if ((request.operation == OPERATION_STOP && !is_up) ||
		(request.operation == OPERATION_START && is_up))
		return 0;
	if (request.operation == OPERATION_KILL && !is_up)
		return error_set(err, -ESRCH, "Container %s is not running", container->name);
	snprintf(request.id, sizeof(request.id), "%s", container->id);
	return target_request(app, container, &request, err);
}

int lifecycle_containers(struct app *app, char **names, const struct request *request)
{
	struct request copy = *request;

	return targets_each(app, names, request_one, &copy);
}
