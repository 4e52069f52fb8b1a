/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.c - plans as data: building, printing, ending them; and the look-ups every planner needs. */
#include "compose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "compose/plan_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

size_t plan_add(struct plan *plan, enum plan_kind kind, const char *name, const char *why)
{
	struct plan_action *action = arena_array_add(plan->arena, plan->actions, plan->count);

	action->kind = kind;
	action->name = name;
	action->why = why;
	return plan->count - 1;
}

void plan_after(struct plan *plan, size_t action, size_t predecessor)
{
	struct plan_action *a = &plan->actions[action];

	*arena_array_add(plan->arena, a->after, a->after_count) = predecessor;
}

size_t plan_add_container(struct plan *plan, enum plan_kind kind,
	const struct observed_container *container, const char *why)
{
	size_t index = plan_add(plan, kind, container->name, why);

	plan->actions[index].id = container->id;
	plan->actions[index].number = container->number;
	plan->actions[index].one_off = container->one_off;
	return index;
}

void plan_release(struct plan *plan)
{
	arena_free(plan->arena);
	*plan = (struct plan){ 0 };
}

void observed_release(struct observed *observed)
{
	arena_free(observed->arena);
	*observed = (struct observed){ 0 };
}

bool plan_is_empty(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind != PLAN_KEEP)
			return false;
	return true;
}

bool plan_kind_is_gate(enum plan_kind kind)
{
	return kind == PLAN_WAIT_HEALTHY || kind == PLAN_WAIT_COMPLETED ||
	       kind == PLAN_WAIT_READY || kind == PLAN_DELAY;
}

bool plan_changes_something(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind != PLAN_KEEP && !plan_kind_is_gate(plan->actions[i].kind))
			return true;
	return false;
}

bool observed_is_up(const struct observed_container *container)
{
	return container->status == OBSERVED_RUNNING || container->status == OBSERVED_PAUSED ||
	       container->status == OBSERVED_RESTARTING;
}

ssize_t project_service_index(const struct project *project, const char *name)
{
	const struct service *service = project_find_service(project, name);

	return service ? service - project->services : -1;
}

bool project_knows_service(const struct project *project, const char *name)
{
	return project_find_service(project, name) ||
	       strv_contains(project->disabled_services, name);
}

bool observed_is_orphan(const struct project *project, const struct observed_container *container)
{
	return !container->one_off && !project_knows_service(project, container->service);
}

const struct observed_network *observed_find_network(
	const struct observed *observed, const char *name)
{
	for (size_t i = 0; i < observed->network_count; i++)
		if (!strcmp(observed->networks[i].name, name))
			return &observed->networks[i];
	return NULL;
}

const char *plan_container_name(struct plan *plan, const struct project *project,
	const struct service *service, unsigned int number)
{
	if (service->container_name)
		return service->container_name;
	return arena_printf(plan->arena, "%s-%s-%u", project->name, service->name, number);
}

char **plan_orphans(const struct project *project, const struct observed *observed)
{
	char **names = NULL;

	for (size_t i = 0; i < observed->container_count; i++)
		if (observed_is_orphan(project, &observed->containers[i]))
			strv_add(&names, observed->containers[i].name);
	return names;
}

static int compare_containers(const void *left, const void *right)
{
	const struct observed_container *a = left, *b = right;
	int order = strcmp(a->service, b->service);

	if (!order)
		order = (a->number > b->number) - (a->number < b->number);
	if (!order)
		order = strcmp(a->name, b->name);
	return order;
}

static int compare_networks(const void *left, const void *right)
{
	const struct observed_network *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int compare_volumes(const void *left, const void *right)
{
	const struct observed_volume *a = left, *b = right;

	return strcmp(a->name, b->name);
}

void observed_sort(struct observed *observed)
{
	if (observed->container_count)
		qsort(observed->containers, observed->container_count,
			sizeof(*observed->containers), compare_containers);
	if (observed->network_count)
		qsort(observed->networks, observed->network_count, sizeof(*observed->networks),
			compare_networks);
	if (observed->volume_count)
		qsort(observed->volumes, observed->volume_count, sizeof(*observed->volumes),
			compare_volumes);
}

static void select_with_dependencies(const struct project *project, bool *selected, size_t index)
{
	const struct service *service = &project->services[index];

	if (selected[index])
		return;
	selected[index] = true;
	for (size_t i = 0; i < service->depends_count; i++) {
		ssize_t dependency = project_service_index(project, service->depends_on[i].service);

		if (dependency >= 0)
			select_with_dependencies(project, selected, (size_t)dependency);
	}
}

int plan_select(const struct project *project, char *const *services, bool no_deps,
	bool **ret_selected, struct error *err)
{
	cleanup_free bool *selected = xcalloc(project->service_count + 1, sizeof(bool));

	if (strv_length(services) == 0) {
		for (size_t i = 0; i < project->service_count; i++)
			selected[i] = true;
	}
	for (size_t i = 0; i < strv_length(services); i++) {
		ssize_t index = project_service_index(project, services[i]);

		if (index < 0)
			return error_set(err, -EINVAL, "no such service: %s", services[i]);
		if (no_deps)
			selected[index] = true;
		else
			select_with_dependencies(project, selected, (size_t)index);
	}
	*ret_selected = steal_ptr(selected);
	return 0;
}
