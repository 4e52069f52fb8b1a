/* SPDX-License-Identifier: GPL-2.0-or-later
 * project_run.c - lock, observe, apply, finish; the same for every verb that changes a project. */
#include "cmd/project_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/targets.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/groups.h"

#define SUPERVISOR_END_MS 5000

int64_t timeout_to_ns(int64_t seconds)
{
	return seconds < 0 ? -1 : seconds * NS_PER_SEC;
}

static void tell_waiting(const char *name)
{
	(void)name;
	log_warning("another mycompose command is working on this project; waiting for it");
}

/* Creations and removals that a kill interrupted are finished before anything is compared. What
 * cannot be finished is some other container's: it must not stand in this project's way. */
static void sweep(const struct app *app)
{
	static int (*const sweeps[])(const struct engine *engine, struct error *err) = {
		groups_restore_records,
		container_sweep,
		groups_sweep,
	};

	for (size_t i = 0; i < ARRAY_LEN(sweeps) && !app->global.dry_run; i++) {
		cleanup_error struct error err = ERROR_INIT;

		if (sweeps[i](&app->engine, &err) < 0)
			log_warning("what an interrupted command left cannot be cleared away: %s",
				error_text(&err));
	}
}

static char *lock_name_of(const struct app *app)
{
	return xasprintf("project-%s.lock", app->project_name);
}

bool project_run_is_busy(const struct app *app)
{
	cleanup_free char *lock_name = lock_name_of(app);
	cleanup_fd int fd =
		openat(app->engine.run_fd, lock_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int project_run_begin(struct project_run *run, struct app *app, struct error *err)
{
	cleanup_free char *lock_name = lock_name_of(app);
	int r;

	run->app = app;
	run->images.engine = &app->engine;
	run->lock_fd = -1;
	run->stop_timeout_ns = -1;
	if (!name_is_safe(app->project_name))
		return error_set(err, -EINVAL, "invalid project name \"%s\"", app->project_name);
	run->lock_fd = lock_take(app->engine.run_fd, lock_name, -1, tell_waiting, err);
	if (run->lock_fd < 0)
		return run->lock_fd;
	sweep(app);
	r = observe_project(&app->engine, app->project_name, &run->observed, err);
	return r < 0 ? error_wrap(err, "project %s", app->project_name) : 0;
}

static void on_progress(const struct progress_event *event, void *arg)
{
	struct project_run *run = arg;

	if (run->hide_starts &&
		(!strcmp(event->text, "Starting") || !strcmp(event->text, "Started")))
		return;
	progress_event(run->progress, event);
}

static void on_event(const struct event *event, void *arg)
{
	struct project_run *run = arg;

	if (run->event)
		run->event(event, run->arg);
}

static int on_tick(void *arg)
{
	struct project_run *run = arg;

	progress_tick(run->progress);
	return run->tick ? run->tick(run->arg) : 0;
}

int project_run_control(struct project_run *run, enum control_mode mode, struct error *err)
{
	if (run->control)
		return 0;
	return control_open(
		&run->app->engine, run->app->project_name, mode, &run->hooks, &run->control, err);
}

static bool any_up(const struct observed *observed)
{
	for (size_t i = 0; i < observed->container_count; i++)
		if (!observed->containers[i].one_off &&
			(observed->containers[i].status == OBSERVED_RUNNING ||
				observed->containers[i].status == OBSERVED_RESTARTING))
			return true;
	return false;
}

/* Without a supervisor nobody collects the logs of what runs; finding that out costs one connect.
 */
static bool needs_control(const struct project_run *run, enum control_mode mode)
{
	return !plan_is_empty(&run->plan) || mode == CONTROL_FOREGROUND || any_up(&run->observed);
}

static int parallel_limit(const struct app *app, int *ret, struct error *err)
{
	const char *text = app_getenv(app, "COMPOSE_PARALLEL_LIMIT");
	int64_t value = app->global.parallel;

	if (value == -1 && text && parse_i64(text, -1, INT32_MAX, &value) < 0)
		return error_set(err, -EINVAL,
			"COMPOSE_PARALLEL_LIMIT must be a whole number, not \"%s\"", text);
	*ret = (int)value;
	return 0;
}

int project_run_plan_up(
	struct project_run *run, const struct plan_up_options *options, struct error *err)
{
	const struct project *project = run->app->project;
	struct plan_up_options wanted = *options;
	cleanup_free bool *selected = NULL;
	cleanup_free struct plan_image *images = NULL;
	int r = plan_select(project, wanted.services, wanted.no_deps, &selected, err);

	if (r == 0)
		r = service_images_list(
			&run->images, project, selected, &images, &wanted.image_count, err);
	if (r < 0)
		return r;
	observe_damage(&run->observed);
	wanted.images = images;
	return plan_up(project, &run->observed, &wanted, &run->plan, err);
}

int project_run_format(struct project_run *run, const char *format, struct error *err)
{
	if (!format)
		return 0;
	if (!run->app->global.dry_run)
		return error_set(err, -EINVAL, "--format is for --dry-run");
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return error_set(
			err, -EINVAL, "invalid --format \"%s\": text and json are there", format);
	run->json_plan = !strcmp(format, "json");
	return 0;
}

static void print_plan(const struct project_run *run)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (run->json_plan)
		plan_print_json(&run->plan, &text);
	else
		plan_print(&run->plan, &text);
	fputs(strbuf_text(&text), stdout);
}

static int carry_out(struct project_run *run, enum progress_mode mode,
	struct apply_options *options, struct error *err)
{
	int r;

	options->control = run->control;
	run->failed_update = NULL;
	options->failed_update = &run->failed_update;
	progress_free(run->progress);
	run->progress = progress_new(mode, false);
	r = apply_plan(&run->plan, options, err);
	progress_free(run->progress);
	run->progress = NULL;
	return r;
}

int project_run_apply(struct project_run *run, enum control_mode mode, struct error *err)
{
	struct apply_records records = { 0 };
	struct apply_options options = {
		.engine = &run->app->engine,
		.project = run->app->project,
		.project_name = run->app->project_name,
		.stop_timeout_ns = run->stop_timeout_ns,
		.wait_timeout_ns = run->wait_timeout_ns,
		.images = &run->images,
		.records = &records,
		.renew_anonymous_volumes = run->renew_anonymous_volumes,
		.remove_anonymous_volumes = run->remove_anonymous_volumes,
		.progress = on_progress,
		.event = on_event,
		.tick = on_tick,
		.arg = run,
	};
	enum progress_mode progress_mode;
	int r;

	r = progress_mode_choose(run->app, &progress_mode, err);
	if (r == 0)
		r = parallel_limit(run->app, &options.parallel, err);
	if (r < 0)
		return r;
	run->has_changed = plan_changes_something(&run->plan);
	if (run->app->global.dry_run) {
		print_plan(run);
		return 0;
	}
	if (run->app->project)
		r = apply_check(&run->plan, &options, &records, err);
	if (r == 0 && needs_control(run, mode))
		r = project_run_control(run, mode, err);
	if (r == 0)
		r = carry_out(run, progress_mode, &options, err);
	apply_records_release(&records);
	return r;
}

void project_run_unlock(struct project_run *run)
{
	cleanup_free char *lock_name = NULL;

	if (run->lock_fd < 0)
		return;
	lock_name = lock_name_of(run->app);
	/* Whoever waits for it looks again whether the name is still the file it holds (lock_take).
	 */
	unlinkat(run->app->engine.run_fd, lock_name, 0);
	close_fd(&run->lock_fd);
}

static void before_detach(void *arg)
{
	struct project_run *run = arg;

	project_run_unlock(run);
	plan_release(&run->plan);
	observed_release(&run->observed);
	service_images_release(&run->images);
	project_free(run->app->project);
	run->app->project = NULL;
}

/* A foreground command fails, or gives up, while containers run: nobody would read their output or
 * restart them. */
static bool leaves_containers_alone(const struct project_run *run)
{
	const struct supervisor *supervisor = control_supervisor(run->control);

	return supervisor && supervisor_active(supervisor) > 0;
}

int project_run_finish(struct project_run *run, int r, struct error *err)
{
	progress_free(run->progress);
	run->progress = NULL;
	bool is_alone = false;

	if (run->control) {
		if (r < 0) {
			/* The waiting parent only passes the code on, so the message is ours to
			 * print, now. */
			app_print_error(run->app, err);
			r = err->exit_code ? err->exit_code : 1;
			error_release(err);
		}
		r = control_finish(run->control, r, before_detach, run);
		if (run->all_gone)
			control_await_end(run->control, SUPERVISOR_END_MS);
		is_alone = leaves_containers_alone(run);
		control_free(run->control);
		run->control = NULL;
	}
	project_run_unlock(run);
	plan_release(&run->plan);
	observed_release(&run->observed);
	service_images_release(&run->images);
	if (is_alone) {
		cleanup_error struct error problem = ERROR_INIT;

		(void)target_mind(run->app, run->app->project_name, &problem);
	}
	return r;
}

void project_run_warn_orphans(const struct project_run *run)
{
	cleanup_strv char **orphans = NULL;
	cleanup_free char *names = NULL;

	if (app_env_true(run->app, "COMPOSE_IGNORE_ORPHANS"))
		return;
	orphans = plan_orphans(run->app->project, &run->observed);
	if (!orphans)
		return;
	names = strv_join(orphans, " ");
	log_warning(
		"Found orphan containers ([%s]) for this project. If you removed or renamed this "
		"service in your compose file, you can run this command with the "
		"--remove-orphans flag to clean it up.",
		names);
}
