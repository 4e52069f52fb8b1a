/* SPDX-License-Identifier: GPL-2.0-or-later
 * down.c - `down`: stop and remove in reverse order, then networks, then volumes and images if
 * asked. */
#include "cmd/down.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/image_removal.h"
#include "cmd/listed.h"
#include "cmd/project_run.h"
#include "cmd/verbs.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/network.h"

struct down_options {
	bool remove_orphans;
	bool volumes;
	int64_t timeout;
	char *rmi;
};

static const struct flag down_flags[] = {
	{ 0, "remove-orphans", FLAG_BOOL, offsetof(struct down_options, remove_orphans), NULL,
		"Remove containers of services that the file does not declare, and one-off ones",
		0 },
	{ 'v', "volumes", FLAG_BOOL, offsetof(struct down_options, volumes), NULL,
		"Remove the project's named volumes and anonymous ones", 0 },
	{ 0, "rmi", FLAG_STRING, offsetof(struct down_options, rmi), "WHICH",
		"Remove the services' images too: all, or local (those without a name of their "
		"own)",
		0 },
	{ 't', "timeout", FLAG_INT, offsetof(struct down_options, timeout), "SEC",
		"Grace period before SIGKILL (default: the service's, else 10)", 0 },
	FLAG_END,
};

static void down_defaults(void *options)
{
	((struct down_options *)options)->timeout = -1;
}

static int make_plan(struct project_run *run, const struct down_options *options, char **services,
	struct error *err)
{
	struct plan_down_options wanted = {
		.services = services,
		.remove_containers = true,
		.remove_networks = true,
		.remove_volumes = options->volumes,
	};
	int r = app_remove_orphans(run->app, options->remove_orphans, &wanted.remove_orphans, err);

	if (r < 0)
		return r;

	run->stop_timeout_ns = timeout_to_ns(options->timeout);
	run->remove_anonymous_volumes = options->volumes;
	r = plan_down(run->app->project, &run->observed, &wanted, &run->plan, err);
	if (r == 0 && run->app->project && !wanted.remove_orphans && !strv_length(services))
		project_run_warn_orphans(run);
	if (r == 0 && plan_is_empty(&run->plan) && !options->rmi)
		log_warning(
			"No resource found to remove for project \"%s\".", run->app->project_name);
	return r;
}

/* What a supervisor that was killed has left: whoever takes its place and has nothing to mind
 * clears that away. */
static int clear_after_supervisor(struct project_run *run, struct error *err)
{
	cleanup_free char *path = xasprintf("groups/%s", run->app->project_name);

	if (faccessat(run->app->engine.run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return project_run_control(run, CONTROL_FOREGROUND, err);
}

/* "PROJECT-SERVICE" is the name of what was built for a service that gives none. */
static bool is_own_name(const struct app *app, const char *service, const char *image)
{
	cleanup_free char *name = xasprintf("%s-%s", app->project_name, service);
	size_t length = strlen(name);

	return !strncmp(image, name, length) &&
	       (!image[length] || !strcmp(image + length, ":latest"));
}

static void add_image(const struct app *app, const struct down_options *options,
	const char *service, const char *image, char ***images)
{
	if (!image || !*image || strv_contains(*images, image))
		return;
	if (!strcmp(options->rmi, "all") || is_own_name(app, service, image))
		strv_add(images, image);
}

/* What the file says and what the containers were made of. */
static char **images_of(struct app *app, const struct down_options *options, char *const *services)
{
	cleanup_listed struct listed_set set = LISTED_INIT;
	char **images = NULL;

	for (size_t i = 0; app->project && i < app->project->service_count; i++) {
		const struct service *service = &app->project->services[i];

		if (!strv_length(services) || strv_contains(services, service->name))
			add_image(app, options, service->name, service->image, &images);
	}
	if (listed_load(&app->engine, app->project_name, &set, NULL) < 0)
		return images;
	for (size_t i = 0; i < set.count; i++) {
		const char *service = listed_service(&set.items[i]);

		if (!strv_length(services) || strv_contains(services, service))
			add_image(
				app, options, service, set.items[i].container->image_ref, &images);
	}
	return images;
}

/* One that is in use stays, one that is not there is as it should be. */
static int remove_image(
	struct app *app, const char *image, struct progress *progress, struct error *err)
{
	cleanup_free char *id = xasprintf("Image %s", image);
	struct progress_event event = { id, "Removing", PROGRESS_WORKING, NULL };
	struct image_removal removal = { 0 };
	int r = 0;

	progress_event(progress, &event);
	if (!app->global.dry_run)
		r = image_remove_unused(&app->engine, image, false, &removal, err);
	image_removal_release(&removal);
	event.text = r == 0 ? "Removed" : r == -EBUSY ? "Resource is still in use" : "Error";
	event.status = r == 0 ? PROGRESS_DONE : PROGRESS_WARNING;
	if (r == -ENOENT)
		event.text = "Warning: No resource found to remove";
	else if (r < 0 && r != -EBUSY)
		event.status = PROGRESS_ERROR;
	progress_event(progress, &event);
	return r == -EBUSY || r == -ENOENT ? 0 : r;
}

static int remove_images(struct app *app, char *const *images, struct error *err)
{
	struct progress *progress;
	enum progress_mode mode;
	int r = progress_mode_choose(app, &mode, err);

	if (r < 0 || !images)
		return r;
	progress = progress_new(mode, app->global.dry_run);
	for (; r == 0 && *images; images++)
		r = remove_image(app, *images, progress, err);
	progress_free(progress);
	return r;
}

static int down(
	struct app *app, const struct down_options *options, char **services, struct error *err)
{
	struct project_run run = { 0 };
	cleanup_strv char **images = NULL;
	int r;

	if (options->rmi && strcmp(options->rmi, "all") && strcmp(options->rmi, "local"))
		return error_set(err, -EINVAL, "invalid value for --rmi: \"%s\"", options->rmi);
	if (options->rmi)
		images = images_of(app, options, services);
	r = project_run_begin(&run, app, err);
	if (r == 0)
		r = make_plan(&run, options, services, err);
	if (r == 0)
		r = project_run_apply(&run, CONTROL_DETACHABLE, err);
	/* Whatever an earlier, interrupted run left in the kernel's tables goes now. */
	if (r == 0 && !app->global.dry_run)
		r = firewall_sync(&app->engine, err) < 0 ? err->code : 0;
	if (r == 0 && !app->global.dry_run)
		r = clear_after_supervisor(&run, err);
	if (r == 0 && images)
		r = remove_images(app, images, err);
	run.all_gone = r == 0 && !strv_length(services);
	return project_run_finish(&run, r, err);
}

int down_project(struct app *app, struct error *err)
{
	struct down_options options = { .timeout = -1 };

	return down(app, &options, (char *[]){ NULL }, err);
}

static int run_down(struct app *app, void *options, char **services, struct error *err)
{
	return down(app, options, services, err);
}

const struct verb verb_down = {
	.name = "down",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "Stop and remove the project's containers and networks",
	.flags = down_flags,
	.options_size = sizeof(struct down_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | NEEDS_NAME | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.defaults = down_defaults,
	.run = run_down,
};
