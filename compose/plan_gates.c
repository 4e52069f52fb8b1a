/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_gates.c - depends_on and --wait as actions: who waits for which container to be how far. */
#include <string.h>

#include "compose/plan_up_internal.h"
#include "engine/base/memory.h"

static bool is_fulfilled(const struct slot *slot, enum plan_kind kind)
{
	const struct observed_container *there = slot->there;

	if (slot->start != NO_ACTION || !there || !observed_is_up(there))
		return false;
	if (kind == PLAN_WAIT_HEALTHY)
		return there->health == OBSERVED_HEALTHY;
	return kind == PLAN_WAIT_READY && there->status == OBSERVED_RUNNING &&
	       (there->health == OBSERVED_HEALTHY || there->health == OBSERVED_NO_HEALTHCHECK);
}

size_t gate_of(
	struct up *up, size_t service_index, struct slot *slot, enum plan_kind kind, bool optional)
{
	const struct service *service = &up->project->services[service_index];
	size_t index;

	if (is_fulfilled(slot, kind))
		return NO_ACTION;
	if (slot->gates[kind][optional])
		return slot->gates[kind][optional] - 1;
	index = add_slot_action(up, kind, service, slot->number, NULL);
	up->plan->actions[index].id = slot->there ? slot->there->id : NULL;
	up->plan->actions[index].optional = optional;
	if (slot->start != NO_ACTION)
		plan_after(up->plan, index, slot->start);
	slot->gates[kind][optional] = index + 1;
	return index;
}

static const enum plan_kind gate_for[] = {
	[DEPENDS_STARTED] = PLAN_KEEP, /* none: the start itself */
	[DEPENDS_HEALTHY] = PLAN_WAIT_HEALTHY,
	[DEPENDS_COMPLETED] = PLAN_WAIT_COMPLETED,
};

struct index_list gates_before(struct up *up, const struct service *service)
{
	struct index_list list = { 0 };

	for (size_t i = 0; i < service->depends_count; i++) {
		const struct dependency *dependency = &service->depends_on[i];
		ssize_t index = project_service_index(up->project, dependency->service);
		struct up_service *other = index >= 0 ? &up->services[index] : NULL;

		for (size_t s = 0; other && s < other->slot_count; s++) {
			struct slot *slot = &other->slots[s];
			size_t gate = slot->start;

			if (dependency->condition != DEPENDS_STARTED)
				gate = gate_of(up, (size_t)index, slot,
					gate_for[dependency->condition], !dependency->required);
			if (gate != NO_ACTION)
				index_list_add(up, &list, gate);
		}
	}
	return list;
}

bool is_awaited_job(const struct up *up, const char *name)
{
	for (size_t i = 0; i < up->project->service_count; i++) {
		const struct dependency *dependency =
			service_find_dependency(&up->project->services[i], name);

		if (up->services[i].is_selected && dependency &&
			dependency->condition == DEPENDS_COMPLETED)
			return true;
	}
	return false;
}

void plan_final_gates(struct up *up)
{
	for (size_t i = 0; i < up->project->service_count; i++) {
		enum plan_kind kind = is_awaited_job(up, up->project->services[i].name)
					      ? PLAN_WAIT_COMPLETED
					      : PLAN_WAIT_READY;

		for (size_t s = 0; s < up->services[i].slot_count; s++) {
			struct slot *slot = &up->services[i].slots[s];
			/* A gate for its health says the same. */
			size_t healthy = slot->gates[PLAN_WAIT_HEALTHY][false];
			size_t gate = kind == PLAN_WAIT_READY && healthy
					      ? healthy - 1
					      : gate_of(up, i, slot, kind, false);

			if (gate != NO_ACTION)
				up->plan->actions[gate].is_wait = true;
		}
	}
}
