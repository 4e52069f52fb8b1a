/* SPDX-License-Identifier: GPL-2.0-or-later
 * pause.c - `pause` and `unpause`: freeze all of a container's processes, let them go on. */
#include "cmd/app.h"
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"
#include "engine/base/strv.h"

/* Whether it can be frozen, or is frozen already, the supervisor says. */
static bool is_meant(const struct app *app, const struct observed_container *container,
	char *const *services, void *arg)
{
	(void)app;
	(void)arg;
	if (container->status != OBSERVED_RUNNING && container->status != OBSERVED_PAUSED)
		return false;
	if (container->one_off)
		return false;
	return !strv_length(services) || strv_contains(services, container->service);
}

static int run(
	struct app *app, char **args, enum operation operation, const char *done, struct error *err)
{
	const struct lifecycle_wish wish = { { .operation = operation }, NULL, done, is_meant,
		NULL };
	enum target_kind kind;
	size_t count;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return lifecycle_requests(app, args, &wish, &count, err);
	return lifecycle_containers(app, args, &wish.request);
}

static int run_pause(struct app *app, void *options, char **args, struct error *err)
{
	(void)options;
	return run(app, args, OPERATION_PAUSE, "Paused", err);
}

static int run_unpause(struct app *app, void *options, char **args, struct error *err)
{
	(void)options;
	return run(app, args, OPERATION_UNPAUSE, "Unpaused", err);
}

#define PAUSE_NEEDS NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES

const struct verb verb_pause = {
	.name = "pause",
	.usage = "[SERVICE...|CONTAINER...]",
	.summary = "Freeze the processes of containers",
	.needs = PAUSE_NEEDS,
	.flags_anywhere = true,
	.run = run_pause,
};

const struct verb verb_unpause = {
	.name = "unpause",
	.usage = "[SERVICE...|CONTAINER...]",
	.summary = "Let the processes of paused containers go on",
	.needs = PAUSE_NEEDS,
	.flags_anywhere = true,
	.run = run_unpause,
};
