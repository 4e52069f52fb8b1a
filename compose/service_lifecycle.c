/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_lifecycle.c - what a service says of its health, its hooks, its stops and restarts. */
#include "compose/service_lifecycle.h"

#include "engine/base/memory.h"
#include "engine/base/strv.h"

static const enum restart_policy restart_of[] = {
	[SERVICE_RESTART_NO] = RESTART_NO,
	[SERVICE_RESTART_ALWAYS] = RESTART_ALWAYS,
	[SERVICE_RESTART_ON_FAILURE] = RESTART_ON_FAILURE,
	[SERVICE_RESTART_UNLESS_STOPPED] = RESTART_UNLESS_STOPPED,
};

static void fill_healthcheck(const struct service *service, struct container *container)
{
	const struct healthcheck *from = &service->healthcheck;
	struct container_healthcheck *to = &container->healthcheck;

	if (from->disable)
		strv_add(&to->test, "NONE");
	else
		to->test = strv_copy(from->test);
	to->interval_ns = from->interval_ns;
	to->timeout_ns = from->timeout_ns;
	to->start_period_ns = from->start_period_ns;
	to->start_interval_ns = from->start_interval_ns;
	to->retries = from->retries < UINT32_MAX ? (uint32_t)from->retries : UINT32_MAX;
	to->restart = from->restart;
}

static void fill_hooks(const struct lifecycle_hook *hooks, size_t count, struct container_hook **to,
	size_t *to_count)
{
	for (size_t i = 0; i < count; i++) {
		struct container_hook *hook = array_add(*to, *to_count);

		hook->command = strv_copy(hooks[i].command);
		hook->env = strv_copy(hooks[i].environment);
		hook->user = xstrdup(hooks[i].user);
		hook->cwd = xstrdup(hooks[i].working_dir);
		hook->privileged = hooks[i].privileged;
	}
}

static void fill_restart(const struct service_restart *from, struct container *to)
{
	to->restart = restart_of[from->kind];
	to->restart_max_retries =
		from->max_retries < UINT32_MAX ? (uint32_t)from->max_retries : UINT32_MAX;
	to->restart_delay_ns = from->delay_ns;
	to->restart_window_ns = from->window_ns;
}

void service_fill_lifecycle(
	const struct service *service, bool is_one_off, struct container *container)
{
	fill_healthcheck(service, container);
	if (!is_one_off) {
		fill_hooks(service->post_start, service->post_start_count, &container->post_start,
			&container->post_start_count);
		fill_hooks(service->pre_stop, service->pre_stop_count, &container->pre_stop,
			&container->pre_stop_count);
	}
	fill_restart(&service->restart, container);
	container->stop_timeout_ns = service->stop_grace_ns;
}
