/* SPDX-License-Identifier: GPL-2.0-or-later
 * converge.c - bring a project to what the file says: plan, apply, and back when an update fails.
 */
#include "cmd/converge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/confirm.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

void converge_defaults(struct converge_options *options)
{
	options->timeout = -1;
}

static int check_conflicts(const struct converge_options *options, struct error *err)
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
		{ options->build && options->no_build, "--build and --no-build are incompatible" },
		{ options->wait_timeout < 0, "--wait-timeout must not be negative" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].conflict)
			return error_set(err, -EINVAL, "%s", rows[i].text);
	if (options->pull && strcmp(options->pull, "missing") != 0 &&
		strcmp(options->pull, "never") != 0)
		return error_set(err, -EINVAL,
			"--pull %s: images are local, so only missing and never can be honoured",
			options->pull);
	return 0;
}

int converge_check_build(const struct app *app, struct error *err)
{
	for (size_t i = 0; i < app->project->service_count; i++) {
		const struct service *service = &app->project->services[i];

		if (service->build)
			return error_set(err, -EOPNOTSUPP,
				"%s:%u:%u: services.%s.build: images cannot be built yet; load or "
				"import image %s",
				service->mark.file ? service->mark.file : "-", service->mark.line,
				service->mark.column, service->name, service->image);
	}
	return 0;
}

int converge_scale(struct project *project, char *const *scale, struct error *err)
{
	for (size_t i = 0; i < strv_length(scale); i++) {
		const char *equal = strchr(scale[i], '=');
		cleanup_free char *name =
			equal ? xstrndup(scale[i], (size_t)(equal - scale[i])) : NULL;
		struct service *service = NULL;
		uint64_t count;

		if (!equal || parse_u64(equal + 1, 0, 10000, &count) < 0)
			return error_set(err, -EINVAL,
				"invalid scale specifier \"%s\": SERVICE=N is wanted", scale[i]);
		for (size_t s = 0; s < project->service_count; s++)
			if (!strcmp(project->services[s].name, name))
				service = &project->services[s];
		if (!service)
			return error_set(err, -EINVAL, "no such service: %s", name);
		if (count > 1 && service->container_name)
			return error_set(err, -EINVAL,
				"The \"%s\" service is using the custom container name \"%s\". "
				"mycompose requires each container to have a unique name. Remove "
				"the custom name to scale the service",
				name, service->container_name);
		service->replicas = (unsigned int)count;
	}
	return 0;
}

int converge_check(struct app *app, const struct converge_options *options, struct error *err)
{
	int r = check_conflicts(options, err);

	if (r == 0)
		r = converge_scale(app->project, options->scale, err);
	if (r == 0 && app->project->service_count == 0)
		r = error_set(err, -EINVAL, "no service selected");
	if (r == 0 && options->build)
		r = converge_check_build(app, err);
	return r;
}

static bool replaces_something(const struct plan *plan, const struct service *service)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].service == service && plan->actions[i].replaces)
			return true;
	return false;
}

/* The file asks for two containers side by side where only one can be. */
static void warn_order(const struct project_run *run)
{
	const struct project *project = run->app->project;

	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];
		const struct mark *mark = &service->update.mark;

		if (service->update.start_first && !rollout_overlaps(service) &&
			replaces_something(&run->plan, service))
			log_warning("%s:%u:%u: services.%s.deploy.update_config: start-first is "
				    "not possible with a fixed host port, address or host "
				    "network, which only one container can have: the old one "
				    "stops first",
				mark->file ? mark->file : "-", mark->line, mark->column,
				service->name);
	}
}

/* Compose's question. Who cannot answer has not agreed: what is in the volume would be lost. */
static bool remake_is_agreed(const struct project_run *run, const struct project_volume *volume,
	const struct converge_options *options)
{
	cleanup_free char *question = xasprintf(
		"? Volume \"%s\" exists but doesn't match configuration in compose file. Recreate "
		"(data will be lost)? (y/N) ",
		volume->name);

	if (options->yes)
		return true;
	if (!run->app->global.dry_run && confirm(question))
		return true;
	log_warning(
		"%s:%u:%u: volumes.%s: volume \"%s\" stays as it was made, which is not what the "
		"file says now; `up --yes` makes it anew, without its data",
		volume->mark.file ? volume->mark.file : "-", volume->mark.line, volume->mark.column,
		volume->key, volume->name);
	return false;
}

/* Volumes that selected services use, made from other words than the file has now. */
static int volumes_to_remake(const struct project_run *run, const struct converge_options *options,
	char **services, char ***ret, struct error *err)
{
	const struct project *project = run->app->project;
	cleanup_free bool *selected = NULL;
	int r = plan_select(project, services, options->no_deps, &selected, err);

	for (size_t i = 0; r == 0 && i < project->volume_count; i++) {
		const struct project_volume *volume = &project->volumes[i];
		bool is_used = false;

		for (size_t s = 0; s < project->service_count; s++)
			is_used |= selected[s] &&
				   service_uses_volume(&project->services[s], volume->key);
		if (is_used && plan_volume_differs(&run->observed, volume) &&
			remake_is_agreed(run, volume, options))
			strv_add(ret, volume->name);
	}
	return r;
}

int converge_plan(struct project_run *run, struct app *app, const struct converge_options *options,
	char **services, struct error *err)
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
		.wait = options->wait,
		.remove_orphans =
			options->remove_orphans || app_env_true(app, "COMPOSE_REMOVE_ORPHANS"),
	};
	cleanup_strv char **remade = NULL;
	int r = project_run_begin(run, app, err);

	run->stop_timeout_ns = timeout_to_ns(options->timeout);
	run->wait_timeout_ns = options->wait_timeout > 0 ? timeout_to_ns(options->wait_timeout) : 0;
	run->renew_anonymous_volumes = options->renew_anon_volumes;
	if (r == 0)
		r = project_run_format(run, options->format, err);
	if (r == 0)
		r = volumes_to_remake(run, options, services, &remade, err);
	wanted.remake_volumes = remade;
	if (r == 0)
		r = project_run_plan_up(run, &wanted, err);
	if (r < 0)
		return r;
	if (!wanted.remove_orphans)
		project_run_warn_orphans(run);
	warn_order(run);
	return 0;
}

/* `cause` stays the error; what the rollback has come to is added. */
static int roll_back(struct project_run *run, const struct service *service, enum control_mode mode,
	struct error *cause)
{
	cleanup_error struct error err = ERROR_INIT;
	int code = cause->code;
	int r;

	plan_release(&run->plan);
	observed_release(&run->observed);
	r = observe_project(&run->app->engine, run->app->project_name, &run->observed, &err);
	if (r == 0)
		r = plan_rollback(run->app->project, &run->observed, service, &run->plan, &err);
	if (r == 0)
		r = project_run_apply(run, mode, &err);
	if (r < 0)
		return error_set(cause, code,
			"service \"%s\": the update failed: %s\nand could not be rolled back: %s",
			service->name, error_text(cause), error_text(&err));
	return error_set(cause, code, "service \"%s\": the update failed and was rolled back: %s",
		service->name, error_text(cause));
}

int converge_apply(struct project_run *run, enum control_mode mode, struct error *err)
{
	int r = project_run_apply(run, mode, err);

	if (r < 0 && run->failed_update)
		r = roll_back(run, run->failed_update, mode, err);
	return r;
}

int converge_detached(
	struct project_run *run, const struct converge_options *options, int r, struct error *err)
{
	if (r == 0)
		r = converge_apply(run, CONTROL_DETACHABLE, err);
	if (r == 0 && options->detailed_exitcode && run->has_changed)
		r = CONVERGE_EXIT_CHANGES;
	return project_run_finish(run, r, err);
}
