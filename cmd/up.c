/* SPDX-License-Identifier: GPL-2.0-or-later
 * up.c - `up` and `create`: make the project what the file says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/attached.h"
#include "cmd/project_run.h"
#include "cmd/service_manager.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

struct up_options {
	bool detach;
	bool force_recreate;
	bool no_recreate;
	bool always_recreate_deps;
	bool renew_anon_volumes;
	bool no_deps;
	bool no_start;
	bool remove_orphans;
	char **scale;
	int64_t timeout;
	bool abort_on_exit;
	bool abort_on_failure;
	char *exit_code_from;
	char **attach;
	char **no_attach;
	bool attach_dependencies;
	bool no_color;
	bool no_log_prefix;
	bool timestamps;
};

#define U(field) offsetof(struct up_options, field)
#define CREATE_FLAGS                                                                         \
	{ 0, "force-recreate", FLAG_BOOL, U(force_recreate), NULL,                           \
		"Recreate containers even if nothing changed", 0 },                          \
		{ 0, "no-recreate", FLAG_BOOL, U(no_recreate), NULL,                         \
			"Keep existing containers even if something changed", 0 },           \
		{ 0, "remove-orphans", FLAG_BOOL, U(remove_orphans), NULL,                   \
			"Remove containers of services that the file does not declare", 0 }, \
	{                                                                                    \
		0, "scale", FLAG_LIST, U(scale), "SERVICE=N",                                \
			"Run N containers of a service, whatever the file says", 0           \
	}

static const struct flag up_flags[] = {
	CREATE_FLAGS,
	{ 'd', "detach", FLAG_BOOL, U(detach), NULL, "Return when all is started", 0 },
	{ 0, "always-recreate-deps", FLAG_BOOL, U(always_recreate_deps), NULL,
		"Recreate dependencies as well", 0 },
	{ 'V', "renew-anon-volumes", FLAG_BOOL, U(renew_anon_volumes), NULL,
		"Begin with new anonymous volumes", 0 },
	{ 0, "no-deps", FLAG_BOOL, U(no_deps), NULL, "Leave dependencies alone", 0 },
	{ 0, "no-start", FLAG_BOOL, U(no_start), NULL, "Create the containers only", 0 },
	{ 't', "timeout", FLAG_INT, U(timeout), "SEC", "Grace period before SIGKILL", 0 },
	{ 0, "abort-on-container-exit", FLAG_BOOL, U(abort_on_exit), NULL,
		"Stop all when one container ends", 0 },
	{ 0, "abort-on-container-failure", FLAG_BOOL, U(abort_on_failure), NULL,
		"Stop all when one container fails", 0 },
	{ 0, "exit-code-from", FLAG_STRING, U(exit_code_from), "SERVICE",
		"Exit with this service's code; implies --abort-on-container-exit", 0 },
	{ 0, "attach", FLAG_LIST, U(attach), "SERVICE", "Show only these services' output", 0 },
	{ 0, "no-attach", FLAG_LIST, U(no_attach), "SERVICE", "Do not show these services' output",
		0 },
	{ 0, "attach-dependencies", FLAG_BOOL, U(attach_dependencies), NULL,
		"Show the output of the named services' dependencies as well", 0 },
	{ 0, "no-color", FLAG_BOOL, U(no_color), NULL, "No colours", 0 },
	{ 0, "no-log-prefix", FLAG_BOOL, U(no_log_prefix), NULL, "No names before the lines", 0 },
	{ 0, "timestamps", FLAG_BOOL, U(timestamps), NULL, "Times before the lines", 0 },
	FLAG_END,
};

static const struct flag create_flags[] = { CREATE_FLAGS, FLAG_END };

static void up_defaults(void *options)
{
	((struct up_options *)options)->timeout = -1;
}

static int check_conflicts(const struct up_options *options, struct error *err)
{
	const struct {
		bool conflict;
		const char *text;
	} rows[] = {
		{ options->force_recreate && options->no_recreate,
			"--force-recreate and --no-recreate are incompatible" },
		{ options->always_recreate_deps && options->no_recreate,
			"--always-recreate-deps and --no-recreate are incompatible" },
		{ options->renew_anon_volumes && options->no_recreate,
			"--renew-anon-volumes and --no-recreate are incompatible" },
		{ options->detach && (options->abort_on_exit || options->abort_on_failure),
			"--abort-on-container-exit and --detach are incompatible" },
		{ options->detach && (options->attach || options->attach_dependencies),
			"--detach cannot be combined with --attach or --attach-dependencies" },
		{ options->attach && options->attach_dependencies,
			"--attach and --attach-dependencies are incompatible" },
		{ options->abort_on_exit && options->abort_on_failure,
			"--abort-on-container-exit and --abort-on-container-failure are "
			"incompatible" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].conflict)
			return error_set(err, -EINVAL, "%s", rows[i].text);
	return 0;
}

/* --scale is an override of the model, as if the file had said so. */
static int apply_scale(struct project *project, char *const *scale, struct error *err)
{
	for (size_t i = 0; i < strv_length(scale); i++) {
		const char *equal = strchr(scale[i], '=');
		cleanup_free char *name =
			equal ? xstrndup(scale[i], (size_t)(equal - scale[i])) : NULL;
		struct service *service = NULL;
		uint64_t count;

		if (!equal || parse_u64(equal + 1, 0, 10000, &count) < 0)
			return error_set(err, -EINVAL,
				"invalid --scale option \"%s\": SERVICE=N is wanted", scale[i]);
		for (size_t s = 0; s < project->service_count; s++)
			if (!strcmp(project->services[s].name, name))
				service = &project->services[s];
		if (!service)
			return error_set(err, -EINVAL, "no such service: %s", name);
		if (count > 1 && service->container_name)
			return error_set(err, -EINVAL,
				"The \"%s\" service is using the custom container name \"%s\". "
				"mycompose requires each container to have a unique name. Remove "
				"the "
				"custom name to scale the service",
				name, service->container_name);
		service->replicas = (unsigned int)count;
	}
	return 0;
}

static int make_plan(struct project_run *run, const struct up_options *options, char **services,
	struct error *err)
{
	struct plan_up_options wanted = {
		.services = services,
		.recreate = options->force_recreate ? PLAN_RECREATE_FORCE
			    : options->no_recreate  ? PLAN_RECREATE_NEVER
						    : PLAN_RECREATE_DIVERGED,
		.recreate_dependencies = options->always_recreate_deps ? PLAN_RECREATE_FORCE
					 : options->no_recreate	       ? PLAN_RECREATE_NEVER
								       : PLAN_RECREATE_DIVERGED,
		.no_deps = options->no_deps,
		.no_start = options->no_start,
		.remove_orphans =
			options->remove_orphans || app_env_true(run->app, "COMPOSE_REMOVE_ORPHANS"),
	};
	int r = project_run_plan_up(run, &wanted, err);

	if (r == 0 && !wanted.remove_orphans)
		project_run_warn_orphans(run);
	return r;
}

static int up_detached(struct project_run *run, struct error *err)
{
	return project_run_finish(run, project_run_apply(run, CONTROL_DETACHABLE, err), err);
}

/* Those named with --attach; else what was asked for on the command line, without what comes along
 * as a dependency and without `attach: false`. */
static int services_to_show(const struct project *project, const struct up_options *options,
	char **services, char ***ret, struct error *err)
{
	cleanup_free bool *selected = NULL;
	int r = plan_select(project, services, !options->attach_dependencies, &selected, err);

	for (size_t i = 0; r == 0 && i < project->service_count; i++) {
		const struct service *service = &project->services[i];
		bool wanted = options->attach ? strv_contains(options->attach, service->name)
					      : selected[i] && service->attach;

		if (wanted && !strv_contains(options->no_attach, service->name))
			strv_add(ret, service->name);
	}
	return r;
}

static int up_attached(struct project_run *run, const struct up_options *options, char **services,
	struct error *err)
{
	cleanup_strv char **shown = NULL;
	struct attached_options show = {
		.printer = { options->no_log_prefix, options->timestamps, options->no_color },
		.abort_on_exit = options->abort_on_exit ||
				 (options->exit_code_from && !options->abort_on_failure),
		.abort_on_failure = options->abort_on_failure,
		.exit_code_from = options->exit_code_from,
	};
	struct attached *attached = NULL;
	int r;

	run->hide_starts = true;
	r = services_to_show(run->app->project, options, services, &shown, err);
	show.services = shown;
	if (r == 0)
		r = attached_begin(run, &show, &attached, err);
	if (r == 0)
		r = project_run_control(run, CONTROL_FOREGROUND, err);
	if (r == 0)
		r = attached_connect(attached, err);
	if (r == 0) {
		r = project_run_apply(run, CONTROL_FOREGROUND, err);
		project_run_unlock(run);
		if (r == 0)
			service_manager_tell("READY=1");
		r = attached_run(attached, r, err);
	}
	r = project_run_finish(run, r, err);
	attached_free(attached);
	return r;
}

static int run_up(struct app *app, void *opaque, char **services, struct error *err)
{
	struct up_options *options = opaque;
	struct project_run run = { 0 };
	int r;

	r = check_conflicts(options, err);
	if (r == 0)
		r = apply_scale(app->project, options->scale, err);
	if (r == 0 && app->project->service_count == 0)
		r = error_set(err, -EINVAL, "no service selected");
	if (r == 0 && options->exit_code_from &&
		!project_find_service(app->project, options->exit_code_from))
		r = error_set(err, -EINVAL, "no such service: %s", options->exit_code_from);
	if (r < 0)
		return r;
	r = project_run_begin(&run, app, err);
	if (r == 0) {
		run.stop_timeout_ns = timeout_to_ns(options->timeout);
		run.renew_anonymous_volumes = options->renew_anon_volumes;
		r = make_plan(&run, options, services, err);
	}
	if (r < 0)
		return project_run_finish(&run, r, err);
	if (options->detach || options->no_start || app->global.dry_run)
		return up_detached(&run, err);
	return up_attached(&run, options, services, err);
}

static int run_create(struct app *app, void *options, char **services, struct error *err)
{
	((struct up_options *)options)->no_start = true;
	return run_up(app, options, services, err);
}

#define UP_NEEDS \
	(NEEDS_ENGINE | STARTS_PROCESSES | NEEDS_PROJECT | NEEDS_HONOURED | OPERANDS_ARE_SERVICES)

const struct verb verb_up = {
	.name = "up",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "Create and start what the file declares, changing only what differs",
	.flags = up_flags,
	.options_size = sizeof(struct up_options),
	.needs = UP_NEEDS,
	.flags_anywhere = true,
	.defaults = up_defaults,
	.run = run_up,
};

const struct verb verb_create = {
	.name = "create",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "Create containers without starting them",
	.flags = create_flags,
	.options_size = sizeof(struct up_options),
	.needs = UP_NEEDS,
	.flags_anywhere = true,
	.defaults = up_defaults,
	.run = run_create,
};
