/* SPDX-License-Identifier: GPL-2.0-or-later
 * restart.c - `restart`: stop and start what exists, without a look at the file's changes. */
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"

struct restart_options {
	int64_t timeout;
	bool no_deps;
};

static const struct flag restart_flags[] = {
	{ 't', "timeout", FLAG_INT, offsetof(struct restart_options, timeout), "SEC",
		"Grace period before SIGKILL (default: the service's, else 10)", 0 },
	{ 0, "no-deps", FLAG_BOOL, offsetof(struct restart_options, no_deps), NULL,
		"Do not restart services that follow their dependency's restart", 0 },
	FLAG_END,
};

static void restart_defaults(void *options)
{
	((struct restart_options *)options)->timeout = -1;
}

static int plan_services(struct project_run *run, char **services, void *arg, struct error *err)
{
	const struct restart_options *options = arg;
	const struct plan_start_options wanted = { .services = services,
		.no_deps = options->no_deps };

	return plan_restart(run->app->project, &run->observed, &wanted, &run->plan, err);
}

static int run_restart(struct app *app, void *opaque, char **args, struct error *err)
{
	struct restart_options *options = opaque;
	struct request request = { .operation = OPERATION_RESTART };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return lifecycle_services(app, args, options->timeout, plan_services, options, err);
	request.timeout_ns = timeout_to_ns(options->timeout);
	return lifecycle_containers(app, args, &request);
}

const struct verb verb_restart = {
	.name = "restart",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER...]",
	.summary = "Restart containers as they are",
	.flags = restart_flags,
	.options_size = sizeof(struct restart_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.defaults = restart_defaults,
	.run = run_restart,
};
