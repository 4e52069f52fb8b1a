/* SPDX-License-Identifier: GPL-2.0-or-later
 * up.c - `up` and `create`: make the project what the file says. */
#include <errno.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/attached.h"
#include "cmd/converge.h"
#include "cmd/service_manager.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct up_options {
	struct converge_options common;
	bool detach;
	bool abort_on_exit;
	bool abort_on_failure;
	char *exit_code_from;
	char **attach;
	char **no_attach;
	bool attach_dependencies;
	bool no_color;
	bool no_log_prefix;
	bool timestamps;
	bool quiet_build;
	bool menu;
	bool watch;
};

#define U(field) offsetof(struct up_options, field)
#define C(field) CONVERGE_FLAG(struct up_options, field)

static const struct flag up_flags[] = {
	CONVERGE_CREATE_FLAGS(struct up_options),
	{ 'd', "detach", FLAG_BOOL, U(detach), NULL, "Return when all is started", 0 },
	{ 0, "wait", FLAG_BOOL, C(wait), NULL,
		"Return when all services are running or healthy; implies --detach", 0 },
	{ 0, "wait-timeout", FLAG_INT, C(wait_timeout), "SEC", "Give up waiting after this time",
		0 },
	{ 0, "always-recreate-deps", FLAG_BOOL, C(always_recreate_deps), NULL,
		"Recreate dependencies as well", 0 },
	{ 'V', "renew-anon-volumes", FLAG_BOOL, C(renew_anon_volumes), NULL,
		"Begin with new anonymous volumes", 0 },
	{ 0, "no-deps", FLAG_BOOL, C(no_deps), NULL, "Leave dependencies alone", 0 },
	{ 0, "no-start", FLAG_BOOL, C(no_start), NULL, "Create the containers only", 0 },
	{ 't', "timeout", FLAG_INT, C(timeout), "SEC", "Grace period before SIGKILL", 0 },
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
	{ 0, "quiet-build", FLAG_BOOL, U(quiet_build), NULL, "Show no progress of builds", 0 },
	{ 0, "menu", FLAG_BOOL, U(menu), NULL, "There is none; --menu=false is accepted", 0 },
	{ 'w', "watch", FLAG_BOOL, U(watch), NULL, "Not possible: files are not watched", 0 },
	FLAG_END,
};

static const struct flag create_flags[] = { CONVERGE_CREATE_FLAGS(struct up_options), FLAG_END };

static void up_defaults(void *options)
{
	converge_defaults(&((struct up_options *)options)->common);
}

static int check_conflicts(
	const struct app *app, const struct up_options *options, struct error *err)
{
	const bool leaves = options->detach || options->common.wait;
	const bool aborts =
		options->abort_on_exit || options->abort_on_failure || options->exit_code_from;
	const struct {
		bool conflict;
		const char *text;
	} rows[] = {
		{ leaves && aborts, "--abort-on-container-exit and --detach are incompatible" },
		{ leaves && (options->attach || options->attach_dependencies),
			"--detach cannot be combined with --attach or --attach-dependencies" },
		{ options->attach && options->attach_dependencies,
			"--attach and --attach-dependencies are incompatible" },
		{ options->menu, "--menu: there is no menu; Ctrl-C stops what is shown" },
		{ options->watch,
			"--watch: files are not watched, nor images built from them; a bind mount "
			"shows a container what has changed" },
		{ options->abort_on_exit && options->abort_on_failure,
			"--abort-on-container-exit and --abort-on-container-failure are "
			"incompatible" },
		{ options->common.detailed_exitcode && !leaves && !options->common.no_start &&
				!app->global.dry_run,
			"--detailed-exitcode is for --dry-run, --detach, --wait and --no-start: "
			"else the exit code tells of the containers" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].conflict)
			return error_set(err, -EINVAL, "%s", rows[i].text);
	return 0;
}

/* Those named with --attach; else what was asked for on the command line, without what comes along
 * as a dependency. Of these, `attach: false` and --no-attach only hide the output. */
static int services_to_show(const struct project *project, const struct up_options *options,
	char **services, char ***ret_shown, char ***ret_awaited, struct error *err)
{
	cleanup_free bool *selected = NULL;
	int r = plan_select(project, services, !options->attach_dependencies, &selected, err);

	for (size_t i = 0; r == 0 && i < strv_length(options->attach); i++)
		if (!project_find_service(project, options->attach[i]))
			r = error_set(err, -EINVAL, "no such service: %s", options->attach[i]);
	for (size_t i = 0; r == 0 && i < project->service_count; i++) {
		const struct service *service = &project->services[i];
		bool wanted = options->attach ? strv_contains(options->attach, service->name)
					      : selected[i];

		if (!wanted)
			continue;
		strv_add(ret_awaited, service->name);
		if ((options->attach || service->attach) &&
			!strv_contains(options->no_attach, service->name))
			strv_add(ret_shown, service->name);
	}
	return r;
}

static int up_attached(struct project_run *run, const struct up_options *options, char **services,
	struct error *err)
{
	cleanup_strv char **shown = NULL, **awaited = NULL;
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
	r = services_to_show(run->app->project, options, services, &shown, &awaited, err);
	show.services = shown;
	show.awaited = awaited;
	if (r == 0)
		r = attached_begin(run, &show, &attached, err);
	if (r == 0)
		r = project_run_control(run, CONTROL_FOREGROUND, err);
	if (r == 0)
		r = attached_connect(attached, err);
	if (r == 0) {
		r = converge_apply(run, CONTROL_FOREGROUND, err);
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

	r = check_conflicts(app, options, err);
	if (r == 0)
		r = converge_check(app, &options->common, err);
	if (r == 0 && options->exit_code_from &&
		!project_find_service(app->project, options->exit_code_from))
		r = error_set(err, -EINVAL, "no such service: %s", options->exit_code_from);
	if (r < 0)
		return r;
	r = converge_plan(&run, app, &options->common, services, err);
	if (r < 0)
		return project_run_finish(&run, r, err);
	if (options->detach || options->common.wait || options->common.no_start ||
		app->global.dry_run)
		return converge_detached(&run, &options->common, r, err);
	return up_attached(&run, options, services, err);
}

static int run_create(struct app *app, void *options, char **services, struct error *err)
{
	((struct up_options *)options)->common.no_start = true;
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
