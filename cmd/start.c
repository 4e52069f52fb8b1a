/* SPDX-License-Identifier: GPL-2.0-or-later
 * start.c - `start`: existing containers, services in dependency order with their conditions. */
#include <errno.h>

#include "cmd/lifecycle.h"
#include "cmd/verbs.h"

struct start_options {
	bool wait;
	int64_t wait_timeout;
};

static const struct flag start_flags[] = {
	{ 0, "wait", FLAG_BOOL, offsetof(struct start_options, wait), NULL,
		"Return when all services are running or healthy", 0 },
	{ 0, "wait-timeout", FLAG_INT, offsetof(struct start_options, wait_timeout), "SEC",
		"Give up waiting after this time", 0 },
	FLAG_END,
};

static int plan_services(struct project_run *run, char **services, void *arg, struct error *err)
{
	const struct start_options *options = arg;
	const struct plan_start_options wanted = { .services = services, .wait = options->wait };

	run->wait_timeout_ns = options->wait_timeout > 0 ? timeout_to_ns(options->wait_timeout) : 0;
	return plan_start(run->app->project, &run->observed, &wanted, &run->plan, err);
}

static int run_start(struct app *app, void *options, char **args, struct error *err)
{
	const struct request request = { .operation = OPERATION_START };
	enum target_kind kind;
	int r = target_kind_of(app, args[0], &kind, err);

	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		return lifecycle_services(app, args, -1, plan_services, options, err);
	if (((const struct start_options *)options)->wait)
		return error_set(err, -EINVAL, "--wait is for services");
	return lifecycle_containers(app, args, &request);
}

const struct verb verb_start = {
	.name = "start",
	.usage = "[OPTIONS] [SERVICE...|CONTAINER...]",
	.summary = "Start existing containers",
	.flags = start_flags,
	.options_size = sizeof(struct start_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.run = run_start,
};
