/* SPDX-License-Identifier: GPL-2.0-or-later
 * stop.c - `stop`: services in reverse dependency order, or containers by name. */
#include "cmd/lifecycle.h"
#include "cmd/verbs.h"
#include "engine/container/spec.h"

struct stop_options {
	int64_t timeout;
	char *signal;
};

static const struct flag stop_flags[] = {
	{ 't', "timeout", FLAG_INT, offsetof(struct stop_options, timeout), "SEC",
		"Grace period before SIGKILL (default: the service's, else 10)", 0 },
	{ 's', "signal", FLAG_STRING, offsetof(struct stop_options, signal), "SIGNAL",
		"Signal to send first (containers by name only)", 0 },
	FLAG_END,
};

static void stop_defaults(void *options)
{
	((struct stop_options *)options)->timeout = -1;
}

static int plan_stop(struct project_run *run, char **services, void *arg, struct error *err)
{
	struct plan_down_options options = { .services = services };

	(void)arg;
	return plan_down(run->app->project, &run->observed, &options, &run->plan, err);
}

static int run_stop(struct app *app, void *opaque, char **args, struct error *err)
{
	struct stop_options *options = opaque;
	struct request request = { .operation = OPERATION_STOP };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return lifecycle_services(app, args, options->timeout, plan_stop, NULL, err);
	request.timeout_ns = timeout_to_ns(options->timeout);
	if (options->signal) {
		r = signal_parse(options->signal, &request.signal, err);
		if (r < 0)
			return r;
	}
	return lifecycle_containers(app, args, &request);
}

const struct verb verb_stop = {
	.name = "stop",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER...]",
	.summary = "Stop services or containers: signal, grace period, SIGKILL",
	.flags = stop_flags,
	.options_size = sizeof(struct stop_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.defaults = stop_defaults,
	.run = run_stop,
};
