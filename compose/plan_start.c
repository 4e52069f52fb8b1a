/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_start.c - what `start` and `restart` have to do: existing containers in dependency order,
 * with the gates of depends_on. */
#include "compose/plan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compose/plan_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct start {
	const struct project *project;
	const struct observed *observed;
	const struct plan_start_options *options;
	enum plan_kind kind;
	char **services; /* named ones and what follows them; NULL = all */
	struct plan *plan;
	size_t *actions;		     /* per container; SIZE_MAX = none */
	size_t (*gates)[PLAN_KIND_COUNT][2]; /* per container: index + 1 */
};

static bool is_meant(const struct start *start, const struct observed_container *container)
{
	if (container->one_off)
		return false;
	if (start->services)
		return strv_contains(start->services, container->service);
	return !start->project || project_find_service(start->project, container->service);
}

/* Services with `restart: true` on one that is restarted come along, and so on. */
static void add_followers(struct start *start)
{
	bool grown = start->services != NULL && !start->options->no_deps;

	while (grown) {
		grown = false;
		for (size_t i = 0; i < start->observed->container_count; i++) {
			const struct observed_container *container =
				&start->observed->containers[i];
			struct dependencies on =
				plan_dependencies(start->plan, start->project, container);

			if (container->one_off ||
				strv_contains(start->services, container->service))
				continue;
			for (size_t d = 0; d < on.count; d++) {
				if (!on.items[d].restart ||
					!strv_contains(start->services, on.items[d].service))
					continue;
				strv_add(&start->services, container->service);
				grown = true;
				break;
			}
		}
	}
}

static bool is_fulfilled(const struct start *start, size_t index, enum plan_kind kind)
{
	const struct observed_container *there = &start->observed->containers[index];

	if (start->actions[index] != SIZE_MAX)
		return false;
	if (kind == PLAN_WAIT_COMPLETED)
		return there->status == OBSERVED_EXITED && there->exit_code == 0;
	return observed_is_up(there) &&
	       (there->health == OBSERVED_HEALTHY ||
		       (kind == PLAN_WAIT_READY && there->health == OBSERVED_NO_HEALTHCHECK));
}

static size_t gate_of(struct start *start, size_t index, enum plan_kind kind, bool optional)
{
	const struct observed_container *there = &start->observed->containers[index];
	size_t *known = &start->gates[index][kind][optional];
	struct plan_action *action;

	if (is_fulfilled(start, index, kind))
		return SIZE_MAX;
	if (*known)
		return *known - 1;
	*known = plan_add_container(start->plan, kind, there, NULL) + 1;
	action = &start->plan->actions[*known - 1];
	action->optional = optional;
	action->service =
		start->project ? project_find_service(start->project, there->service) : NULL;
	if (start->actions[index] != SIZE_MAX)
		plan_after(start->plan, *known - 1, start->actions[index]);
	return *known - 1;
}

static int add_gates_for(
	struct start *start, size_t index, const struct dependency *dependency, struct error *err)
{
	const struct observed *observed = start->observed;
	const struct service *declared =
		start->project ? project_find_service(start->project, dependency->service) : NULL;
	enum plan_kind kind =
		dependency->condition == DEPENDS_HEALTHY ? PLAN_WAIT_HEALTHY : PLAN_WAIT_COMPLETED;
	bool found = declared && declared->replicas == 0;

	if (dependency->condition == DEPENDS_STARTED)
		return 0;
	for (size_t j = observed_first_of(observed, dependency->service);
		j < observed->container_count &&
		!strcmp(observed->containers[j].service, dependency->service);
		j++) {
		size_t gate;

		if (observed->containers[j].one_off)
			continue;
		found = true;
		gate = gate_of(start, j, kind, !dependency->required);
		if (gate != SIZE_MAX)
			plan_after(start->plan, start->actions[index], gate);
	}
	if (!found && dependency->required)
		return error_set(err, -ENOENT, "%s is missing dependency %s",
			observed->containers[index].service, dependency->service);
	return 0;
}

static int add_gates(struct start *start, struct error *err)
{
	const struct observed *observed = start->observed;
	int r = 0;

	for (size_t i = 0; r == 0 && i < observed->container_count; i++) {
		struct dependencies on;

		if (start->actions[i] == SIZE_MAX)
			continue;
		on = plan_dependencies(start->plan, start->project, &observed->containers[i]);
		for (size_t d = 0; r == 0 && d < on.count; d++)
			r = add_gates_for(start, i, &on.items[d], err);
	}
	return r;
}

/* Does a container's service wait for the end of `service`? */
static bool is_awaited_job(struct start *start, const char *service)
{
	for (size_t i = 0; i < start->observed->container_count; i++) {
		struct dependencies on = plan_dependencies(
			start->plan, start->project, &start->observed->containers[i]);

		for (size_t d = 0; d < on.count; d++)
			if (on.items[d].condition == DEPENDS_COMPLETED &&
				!strcmp(on.items[d].service, service))
				return true;
	}
	return false;
}

static void add_final_gates(struct start *start)
{
	for (size_t i = 0; i < start->observed->container_count; i++) {
		const struct observed_container *container = &start->observed->containers[i];
		size_t gate;

		if (!is_meant(start, container))
			continue;
		gate = gate_of(start, i,
			is_awaited_job(start, container->service) ? PLAN_WAIT_COMPLETED
								  : PLAN_WAIT_READY,
			false);
		if (gate != SIZE_MAX)
			start->plan->actions[gate].is_wait = true;
	}
}

static int check_services(const struct start *start, struct error *err)
{
	const struct observed *observed = start->observed;
	char *const *services = start->options->services;
	int r = plan_check_names(start->project, observed, services, err);

	for (size_t s = 0; r == 0 && s < strv_length(services); s++) {
		bool found = false;

		for (size_t i = 0; i < observed->container_count; i++)
			found |= !observed->containers[i].one_off &&
				 !strcmp(observed->containers[i].service, services[s]);
		if (!found)
			r = error_set(err, -ENOENT, "service \"%s\" has no container to %s",
				services[s], start->kind == PLAN_START ? "start" : "restart");
	}
	return r;
}

/* One action per existing container of the meant services, each after those of the services it
 * depends on. */
static int plan_ordered(struct start *start, struct error *err)
{
	const struct observed *observed = start->observed;
	size_t room = observed->container_count + 1;
	int r = check_services(start, err);

	if (r < 0)
		return r;
	if (strv_length(start->options->services) > 0)
		start->services = strv_copy(start->options->services);
	if (start->kind == PLAN_RESTART)
		add_followers(start);
	start->actions = arena_alloc(start->plan->arena, room * sizeof(*start->actions));
	start->gates = arena_alloc(start->plan->arena, room * sizeof(*start->gates));
	for (size_t i = 0; i < observed->container_count; i++) {
		const struct observed_container *container = &observed->containers[i];
		size_t index = SIZE_MAX;

		if (is_meant(start, container) &&
			!(start->kind == PLAN_START && observed_is_up(container))) {
			index = plan_add_container(start->plan, start->kind, container, NULL);
			start->plan->actions[index].service =
				start->project
					? project_find_service(start->project, container->service)
					: NULL;
		}
		start->actions[i] = index;
	}
	plan_order_pairs(
		start->plan, start->project, observed, start->actions, start->actions, true);
	r = add_gates(start, err);
	if (r == 0 && start->options->wait)
		add_final_gates(start);
	return r;
}

static int plan_existing(struct start *start, struct plan *ret, struct error *err)
{
	int r;

	*ret = (struct plan){ .arena = arena_new() };
	start->plan = ret;
	r = plan_ordered(start, err);
	strv_free(start->services);
	if (r < 0)
		plan_release(ret);
	return r;
}

int plan_start(const struct project *project, const struct observed *observed,
	const struct plan_start_options *options, struct plan *ret, struct error *err)
{
	struct start start = { project, observed, options, PLAN_START, NULL, NULL, NULL, NULL };

	return plan_existing(&start, ret, err);
}

int plan_restart(const struct project *project, const struct observed *observed,
	const struct plan_start_options *options, struct plan *ret, struct error *err)
{
	struct start start = { project, observed, options, PLAN_RESTART, NULL, NULL, NULL, NULL };

	return plan_existing(&start, ret, err);
}
