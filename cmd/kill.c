/* SPDX-License-Identifier: GPL-2.0-or-later
 * kill.c - `kill`: one signal, at once. */
#include <signal.h>

#include "cmd/app.h"
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"
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
	char *const *services, void *arg)
{
	const struct kill_options *options = arg;

	if (container->status != OBSERVED_RUNNING && container->status != OBSERVED_PAUSED)
		return false;
	if (strv_length(services))
		return strv_contains(services, container->service);
	return options->remove_orphans || !app->project ||
	       project_find_service(app->project, container->service);
}

static int kill_services(struct app *app, struct kill_options *options,
	const struct request *request, char **services, struct error *err)
{
	const struct lifecycle_wish wish = { *request, "Killing", "Killed", is_meant, options };
	size_t count = 0;
	int r = app_remove_orphans(app, options->remove_orphans, &options->remove_orphans, err);

	if (r < 0)
		return r;
	r = lifecycle_requests(app, services, &wish, &count, err);
	if (r == 0 && count == 0)
		app_tell_status(app, "No container to kill");
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
