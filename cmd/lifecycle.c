/* SPDX-License-Identifier: GPL-2.0-or-later
 * lifecycle.c - run a plan for services, or send one request for each container. */
#include "cmd/lifecycle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "engine/base/memory.h"

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

static int tell(
	struct progress *progress, const char *id, const char *text, int r, const struct error *err)
{
	struct progress_event event = { id, text, PROGRESS_DONE, NULL };

	if (r < 0) {
		event.text = "Error";
		event.status = PROGRESS_ERROR;
		event.details = error_text(err);
	}
	progress_event(progress, &event);
	return r;
}

static int wish_for(struct app *app, const struct observed_container *observed,
	const struct lifecycle_wish *wish, struct progress *progress, struct error *err)
{
	cleanup_free char *id = xasprintf("Container %s", observed->name);
	cleanup_container struct container *container = NULL;
	struct progress_event event = { id, wish->working, PROGRESS_WORKING, NULL };
	struct request request = wish->request;
	int r = container_load(&app->engine, observed->id, &container, err);

	if (r == 0 && wish->working)
		progress_event(progress, &event);
	snprintf(request.id, sizeof(request.id), "%s", observed->id);
	if (r == 0 && !app->global.dry_run)
		r = target_request(app, container, &request, err);
	/* It ran when it was chosen, and has ended since. */
	if (r == -ESRCH && request.operation == OPERATION_KILL) {
		error_release(err);
		r = 0;
	}
	return tell(progress, id, wish->done, r, err);
}

int lifecycle_requests(struct app *app, char *const *services, const struct lifecycle_wish *wish,
	size_t *ret_count, struct error *err)
{
	cleanup_observed struct observed observed = { 0 };
	struct progress *progress = NULL;
	enum progress_mode mode;
	int r, first = 0;

	for (char *const *service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = progress_mode_choose(app, &mode, err);
	if (r == 0)
		r = observe_project(&app->engine, app->project_name, &observed, err);
	if (r < 0)
		return r;
	progress = progress_new(mode, app->global.dry_run);
	*ret_count = 0;
	for (size_t i = 0; i < observed.container_count; i++) {
		cleanup_error struct error own = ERROR_INIT;

		if (!wish->is_meant(app, &observed.containers[i], services, wish->arg))
			continue;
		++*ret_count;
		r = wish_for(app, &observed.containers[i], wish, progress, &own);
		if (r < 0 && first == 0)
			first = error_move(err, &own);
	}
	progress_free(progress);
	return first;
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
