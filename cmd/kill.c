/* SPDX-License-Identifier: GPL-2.0-or-later
 * kill.c - `kill`: one signal, at once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/lifecycle.h"
#include "cmd/verbs.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct kill_options {
	char *signal;
	bool remove_orphans;
};

static const struct flag kill_flags[] = {
	{ 's', "signal", FLAG_STRING, offsetof(struct kill_options, signal), "SIGNAL",
		"Signal to send (default: SIGKILL)", 0 },
	{ 0, "remove-orphans", FLAG_BOOL, offsetof(struct kill_options, remove_orphans), NULL,
		"Also kill containers of services that the file does not declare", 0 },
	FLAG_END,
};

/* One-off containers of a service are its own here. */
static bool is_meant(const struct app *app, const struct observed_container *container,
	char *const *services, bool orphans)
{
	if (container->status != OBSERVED_RUNNING && container->status != OBSERVED_PAUSED)
		return false;
	if (strv_length(services))
		return strv_contains(services, container->service);
	return orphans || !app->project || project_find_service(app->project, container->service);
}

static int kill_services(struct app *app, const struct kill_options *options,
	const struct request *wanted, char **services, struct error *err)
{
	cleanup_observed struct observed observed = { 0 };
	struct progress *progress = NULL;
	enum progress_mode mode;
	size_t killed = 0;
	int r;

	for (char **service = services; *service; service++)
		if (!app_is_service(app, *service))
			return error_set(err, -EINVAL, "no such service: %s", *service);
	r = progress_mode_choose(app, &mode, err);
	if (r == 0)
		r = observe_project(&app->engine, app->project_name, &observed, err);
	if (r < 0)
		return r;
	progress = progress_new(mode, app->global.dry_run);
	for (size_t i = 0; r == 0 && i < observed.container_count; i++) {
		cleanup_free char *id = xasprintf("Container %s", observed.containers[i].name);
		cleanup_container struct container *container = NULL;
		struct progress_event event = { id, "Killing", PROGRESS_WORKING, NULL };
		struct request request = *wanted;

		if (!is_meant(app, &observed.containers[i], services, options->remove_orphans))
			continue;
		killed++;
		r = container_load(&app->engine, observed.containers[i].id, &container, err);
		if (r < 0)
			break;
		progress_event(progress, &event);
		snprintf(request.id, sizeof(request.id), "%s", container->id);
		r = app->global.dry_run ? 0 : target_request(app, container, &request, err);
		event.text = r < 0 ? "Error" : "Killed";
		event.status = r < 0 ? PROGRESS_ERROR : PROGRESS_DONE;
		progress_event(progress, &event);
	}
	progress_free(progress);
	if (r == 0 && killed == 0)
		fprintf(stderr, "No container to kill\n");
	return r;
}

static int run_kill(struct app *app, void *opaque, char **args, struct error *err)
{
	struct kill_options *options = opaque;
	struct request request = { .operation = OPERATION_KILL, .signal = SIGKILL };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r == 0 && options->signal)
		r = signal_parse(options->signal, &request.signal, err);
	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return kill_services(app, options, &request, args, err);
	return lifecycle_containers(app, args, &request);
}

const struct verb verb_kill = {
	.name = "kill",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER...]",
	.summary = "Send a signal to running containers",
	.flags = kill_flags,
	.options_size = sizeof(struct kill_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_kill,
};
