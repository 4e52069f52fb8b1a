/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_internal.h - what the files of the planner share: building actions, looking things up. */
#ifndef MYCOMPOSE_COMPOSE_PLAN_INTERNAL_H
#define MYCOMPOSE_COMPOSE_PLAN_INTERNAL_H

#include <sys/types.h>

#include "compose/plan.h"

/* Append an action; returns its index. The action is found by plan->actions[index]: its address
 * moves as the plan grows. */
size_t plan_add(struct plan *plan, enum plan_kind kind, const char *name, const char *why);
void plan_after(struct plan *plan, size_t action, size_t predecessor);
size_t plan_add_container(struct plan *plan, enum plan_kind kind,
	const struct observed_container *container, const char *why);

bool observed_is_up(const struct observed_container *container);
/* Index in project->services, or -1. */
ssize_t project_service_index(const struct project *project, const char *name);
/* Declared, even if a profile disables it. */
bool project_knows_service(const struct project *project, const char *name);
/* A container of a service that nobody declares any more; one-offs are never orphans of `up`. */
bool observed_is_orphan(const struct project *project, const struct observed_container *container);
const struct observed_network *observed_find_network(
	const struct observed *observed, const char *name);
/* The name replica `number` is to have, in the plan's arena. */
const char *plan_container_name(struct plan *plan, const struct project *project,
	const struct service *service, unsigned int number);

struct dependencies {
	struct dependency *items;
	size_t count;
};
/* What a container's own depends on: from the file where it knows the container's service, else
 * from its label. In the project's arena or the plan's. */
struct dependencies plan_dependencies(struct plan *plan, const struct project *project,
	const struct observed_container *container);
/* Containers are sorted by service: index of the first one of `service`, or container_count. */
size_t observed_first_of(const struct observed *observed, const char *service);
/* For each pair (dependent, dependency) of containers that both have actions: waiting[x] comes
 * after waited[y], where x is the dependent if `dependents_wait` (starting), else the dependency
 * (stopping). SIZE_MAX = no action. */
void plan_order_pairs(struct plan *plan, const struct project *project,
	const struct observed *observed, const size_t *waiting, const size_t *waited,
	bool dependents_wait);
/* Of the project, or of what is there when there is no file. -EINVAL "no such service: X". */
int plan_check_names(const struct project *project, const struct observed *observed,
	char *const *services, struct error *err);

#endif
