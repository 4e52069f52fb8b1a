/* SPDX-License-Identifier: GPL-2.0-or-later
 * rm.c - `rm`: stopped containers of services (after a question), or containers by name. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/confirm.h"
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/lost.h"

struct rm_options {
	bool force;
	bool stop;
	bool volumes;
};

static const struct flag rm_flags[] = {
	{ 'f', "force", FLAG_BOOL, offsetof(struct rm_options, force), NULL,
		"Do not ask; by container name: kill a running one first", 0 },
	{ 's', "stop", FLAG_BOOL, offsetof(struct rm_options, stop), NULL,
		"Stop the services' containers first", 0 },
	{ 'v', "volumes", FLAG_BOOL, offsetof(struct rm_options, volumes), NULL,
		"Remove their anonymous volumes too", 0 },
	FLAG_END,
};

/* Stops stay in the plan only with --stop; running containers are passed over silently without it.
 */
static void drop_running(struct project_run *run, bool stop_first)
{
	struct plan kept = { .arena = run->plan.arena };

	if (stop_first)
		return;
	for (size_t i = 0; i < run->plan.count; i++) {
		struct plan_action action = run->plan.actions[i];
		bool running = false;

		for (size_t c = 0; c < run->observed.container_count; c++)
			running |= action.id &&
				   !strcmp(run->observed.containers[c].id, action.id) &&
				   run->observed.containers[c].status != OBSERVED_CREATED &&
				   run->observed.containers[c].status != OBSERVED_EXITED;
		if (action.kind != PLAN_REMOVE || running)
			continue;
		action.after_count = 0;
		*arena_array_add(kept.arena, kept.actions, kept.count) = action;
	}
	run->plan = kept;
}

static bool confirmed(const struct project_run *run, bool force)
{
	cleanup_strv char **names = NULL;
	cleanup_free char *text = NULL;
	cleanup_free char *question = NULL;

	for (size_t i = 0; i < run->plan.count; i++)
		if (run->plan.actions[i].kind == PLAN_REMOVE)
			strv_add(&names, run->plan.actions[i].name);
	text = strv_join(names, ", ");
	if (force) {
		printf("Going to remove %s\n", text);
		return true;
	}
	question = xasprintf("? Going to remove %s (y/N) ", text);
	return confirm(question);
}

static int rm_services(
	struct app *app, const struct rm_options *options, char **services, struct error *err)
{
	struct plan_down_options wanted = { .services = services, .remove_containers = true };
	struct project_run run = { 0 };
	int r;

	r = project_run_begin(&run, app, err);
	if (r == 0)
		r = plan_down(app->project, &run.observed, &wanted, &run.plan, err);
	if (r < 0)
		return project_run_finish(&run, r, err);
	run.remove_anonymous_volumes = options->volumes;
	drop_running(&run, options->stop);
	if (plan_is_empty(&run.plan)) {
		app_tell_status(app, "No stopped containers");
		return project_run_finish(&run, 0, err);
	}
	if (confirmed(&run, options->force))
		r = project_run_apply(&run, CONTROL_DETACHABLE, err);
	return project_run_finish(&run, r, err);
}

struct removal {
	const struct rm_options *options;
	struct volume_users *users;
};

static int rm_container(
	struct app *app, const struct container *container, void *arg, struct error *err)
{
	const struct removal *removal = arg;
	struct request request = {
		.operation = OPERATION_STOP, .signal = SIGKILL, .timeout_ns = 0
	};
	bool is_up;
	int r = container_load_is_up(&app->engine, container->id, &is_up, err);

	if (r < 0)
		return r;
	if (is_up && !removal->options->force)
		return error_set(err, -EBUSY,
			"You cannot remove a running container %s. Stop the container before "
			"attempting removal or force remove",
			container->id);
	if (is_up) {
		snprintf(request.id, sizeof(request.id), "%s", container->id);
		r = target_request(app, container, &request, err);
		if (r < 0)
			return r;
	}
	return container_remove(
		&app->engine, container, removal->options->volumes, removal->users, err);
}

static bool remove_lost(struct app *app, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = app->global.dry_run ? -ENOENT : container_remove_lost(&app->engine, name, &err);

	if (r < 0 && r != -ENOENT)
		app_print_error(app, &err);
	return r == 0;
}

/* With --force a container that is not there is told about, and is no failure; one that has lost
 * its record goes with all that is left of it. */
static void drop_missing(struct app *app, char **names)
{
	char **kept = names;

	for (char **name = names; *name; name++) {
		cleanup_container struct container *container = NULL;
		cleanup_error struct error err = ERROR_INIT;

		if (container_find(&app->engine, *name, &container, &err) == -ENOENT) {
			if (remove_lost(app, *name))
				printf("%s\n", *name);
			else
				app_print_error(app, &err);
			free(*name);
			continue;
		}
		*kept++ = *name;
	}
	*kept = NULL;
}

static int run_rm(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct rm_options *options = opaque;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	struct removal removal = { options, users };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return rm_services(app, options, args, err);
	if (options->force)
		drop_missing(app, args);
	return targets_each(app, args, rm_container, &removal);
}

const struct verb verb_rm = {
	.name = "rm",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER...]",
	.summary = "Remove stopped containers",
	.flags = rm_flags,
	.options_size = sizeof(struct rm_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_rm,
};
