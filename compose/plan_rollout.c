/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_rollout.c - how containers make room for new ones under deploy.update_config, and how that
 * is taken back.
 *
 *   start-first: create -> start new -> new is ready -> stop old
 *   stop-first:  create -> stop old -> start new -> new is ready
 *   both end with: remove old -> rename
 *
 * `parallelism` of them at once, `delay` between. Where a failure rolls back, no old container is
 * removed before all new ones are ready, so that plan_rollback finds every one of them. A new
 * container has its temporary name until the old one has gone, and names of the service and its
 * networks from its start on. */
#include <string.h>

#include "compose/plan_up_internal.h"
#include "engine/base/memory.h"

/* Two containers can run side by side unless both want the same thing of the host or a network. */
static bool can_overlap(const struct service *service)
{
	for (size_t i = 0; service->network_count && i < service->port_count; i++)
		if (service->ports[i].published_first &&
			service->ports[i].published_first == service->ports[i].published_last)
			return false;
	for (size_t i = 0; i < service->network_count; i++)
		if (service->networks[i].ipv4_address || service->networks[i].ipv6_address ||
			service->networks[i].mac_address)
			return false;
	return !service->mac_address &&
	       !(service->network_mode && !strcmp(service->network_mode, "host"));
}

bool rollout_overlaps(const struct service *service)
{
	return service->update.start_first && can_overlap(service);
}

/* Which part of the whole an index belongs to; all are one part when parallelism is 0. */
static bool begins_part(const struct rollout *rollout, size_t index)
{
	return rollout->parallelism && index > 0 && index % rollout->parallelism == 0;
}

/* What the next part has to wait for: the last one, and some time. */
static void next_part(struct plan *plan, const struct service *service,
	const struct rollout *rollout, size_t *part, size_t *part_count, size_t *ret_barrier)
{
	size_t barrier = plan_add(plan, PLAN_DELAY, service->name, NULL);

	plan->actions[barrier].service = service;
	plan->actions[barrier].hold_ns = rollout->delay_ns;
	for (size_t i = 0; i < *part_count; i++)
		plan_after(plan, barrier, part[i]);
	*part_count = 0;
	*ret_barrier = barrier;
}

struct update {
	struct up *up;
	size_t service_index;
	const struct service *service;
	const struct index_list *before;
	const struct index_list *gates;
	bool overlaps;
	size_t barrier;	 /* of the part before; NO_ACTION in the first */
	size_t *ready;	 /* per replacement */
	size_t *stopped; /* NO_ACTION: the old one did not run */
	size_t *created; /* NO_ACTION: an earlier attempt has */
};

static void after(struct update *update, size_t action, size_t predecessor)
{
	if (predecessor != NO_ACTION)
		plan_after(update->up->plan, action, predecessor);
}

static size_t update_start(
	struct update *update, size_t index, const struct replacement *replacement, size_t previous)
{
	struct up *up = update->up;
	const struct observed_container *successor = replacement->successor;
	unsigned int number = replacement->old->number;
	struct slot *slot;
	size_t start = NO_ACTION, ready;

	if (!successor || !observed_is_up(successor)) {
		start = add_slot_action(up, PLAN_START, update->service, number, replacement->why);
		up->plan->actions[start].id = successor ? successor->id : NULL;
		up->plan->actions[start].of_update = true;
		plan_after_networks(up, start, update->service);
		plan_after_list(up, start, update->gates);
		after(update, start, update->created[index]);
		after(update, start, previous);
		after(update, start, update->barrier);
	}
	slot = add_slot(up, update->service_index, number, successor, start);
	ready = gate_of(up, update->service_index, slot, PLAN_WAIT_READY, false);
	if (ready == NO_ACTION)
		return start;
	up->plan->actions[ready].hold_ns = update->service->update.monitor_ns;
	up->plan->actions[ready].of_update = true;
	after(update, ready, previous);
	return ready;
}

static size_t update_stop(
	struct update *update, const struct replacement *replacement, size_t previous)
{
	struct up *up = update->up;
	size_t stop;

	if (!observed_is_up(replacement->old))
		return NO_ACTION;
	stop = plan_add_container(up->plan, PLAN_STOP, replacement->old, replacement->why);
	up->plan->actions[stop].service = update->service;
	plan_after_list(up, stop, update->gates);
	after(update, stop, previous);
	after(update, stop, update->barrier);
	index_list_add(up, &up->services[update->service_index].retired, stop);
	return stop;
}

static void update_one(struct update *update, size_t index, const struct replacement *replacement)
{
	size_t created = update->created[index];

	if (update->overlaps) {
		update->ready[index] = update_start(update, index, replacement, NO_ACTION);
		update->stopped[index] = update_stop(update, replacement, update->ready[index]);
	} else {
		update->stopped[index] = update_stop(update, replacement, created);
		update->ready[index] =
			update_start(update, index, replacement, update->stopped[index]);
	}
}

static void update_end(
	struct update *update, size_t index, size_t count, const struct replacement *replacement)
{
	struct up *up = update->up;
	bool keeps_all = update->service->update.failure_action == ROLLOUT_ROLLBACK;
	size_t removal = plan_removal(up, replacement->old, replacement->why);
	size_t rename_action;

	up->plan->actions[removal].service = update->service;
	after(update, removal, update->created[index]);
	after(update, removal, update->stopped[index]);
	for (size_t i = 0; i < count; i++)
		if (keeps_all || i == index)
			after(update, removal, update->ready[i]);
	rename_action =
		add_slot_action(up, PLAN_RENAME, update->service, replacement->old->number, NULL);
	up->plan->actions[rename_action].id =
		replacement->successor ? replacement->successor->id : NULL;
	plan_after(up->plan, rename_action, removal);
}

static void update_create(
	struct update *update, size_t index, const struct replacement *replacement)
{
	struct up *up = update->up;
	size_t create;

	update->created[index] = NO_ACTION;
	if (replacement->successor)
		return;
	create = add_slot_action(
		up, PLAN_CREATE, update->service, replacement->old->number, replacement->why);
	up->plan->actions[create].replaces = replacement->old;
	plan_after_list(up, create, update->before);
	update->created[index] = create;
}

static size_t *room_for(struct up *up, size_t count)
{
	return arena_alloc(up->plan->arena, count * sizeof(size_t));
}

void plan_update(struct up *up, size_t service_index, const struct replacement *replacements,
	size_t count, const struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];
	struct index_list gates = gates_before(up, service);
	struct update update = {
		.up = up,
		.service_index = service_index,
		.service = service,
		.before = before,
		.gates = &gates,
		.overlaps = rollout_overlaps(service),
		.barrier = NO_ACTION,
		.ready = room_for(up, count),
		.stopped = room_for(up, count),
		.created = room_for(up, count),
	};
	size_t *part = room_for(up, 2 * count);
	size_t part_count = 0;

	up->services[service_index].is_recreated = true;
	for (size_t i = 0; i < count; i++)
		update_create(&update, i, &replacements[i]);
	for (size_t i = 0; i < count; i++) {
		if (begins_part(&service->update, i))
			next_part(up->plan, service, &service->update, part, &part_count,
				&update.barrier);
		update_one(&update, i, &replacements[i]);
		if (update.ready[i] != NO_ACTION)
			part[part_count++] = update.ready[i];
		if (update.stopped[i] != NO_ACTION)
			part[part_count++] = update.stopped[i];
	}
	for (size_t i = 0; i < count; i++)
		update_end(&update, i, count, &replacements[i]);
}

/* The one that has the slot's proper name, so that it was there before the update. */
static const struct observed_container *predecessor_of(struct plan *plan,
	const struct project *project, const struct observed *observed,
	const struct service *service, unsigned int number)
{
	const char *name = plan_container_name(plan, project, service, number);

	for (size_t i = 0; i < observed->container_count; i++)
		if (!observed->containers[i].one_off &&
			!strcmp(observed->containers[i].service, service->name) &&
			!strcmp(observed->containers[i].name, name))
			return &observed->containers[i];
	return NULL;
}

static size_t rollback_start(
	struct plan *plan, const struct service *service, const struct observed_container *old)
{
	size_t start;

	if (observed_is_up(old))
		return NO_ACTION;
	start = plan_add_container(plan, PLAN_START, old, "rolled back");
	plan->actions[start].service = service;
	return start;
}

static size_t rollback_ready(struct plan *plan, const struct service *service,
	const struct observed_container *old, size_t start)
{
	size_t ready;

	if (start == NO_ACTION)
		return NO_ACTION;
	ready = plan_add_container(plan, PLAN_WAIT_READY, old, "rolled back");
	plan->actions[ready].service = service;
	plan->actions[ready].hold_ns = service->rollback.monitor_ns;
	plan_after(plan, ready, start);
	return ready;
}

/* One slot: `created` goes, `old` runs again. Returns how many of `ret_ends` it has filled. */
static size_t rollback_one(struct plan *plan, const struct service *service,
	const struct observed_container *created, const struct observed_container *old,
	size_t barrier, size_t ret_ends[2])
{
	const struct rollout *order =
		service->rollback.is_set ? &service->rollback : &service->update;
	bool start_first = order->start_first && can_overlap(service);
	size_t stop = NO_ACTION, start = NO_ACTION, ready = NO_ACTION, removal, count = 0;

	if (start_first) {
		start = rollback_start(plan, service, old);
		ready = rollback_ready(plan, service, old, start);
	}
	if (observed_is_up(created)) {
		stop = plan_add_container(plan, PLAN_STOP, created, "rolled back");
		plan->actions[stop].service = service;
		if (ready != NO_ACTION)
			plan_after(plan, stop, ready);
	}
	if (!start_first) {
		start = rollback_start(plan, service, old);
		if (start != NO_ACTION && stop != NO_ACTION)
			plan_after(plan, start, stop);
		ready = rollback_ready(plan, service, old, start);
	}
	removal = plan_add_container(plan, PLAN_REMOVE, created, "rolled back");
	plan->actions[removal].service = service;
	if (stop != NO_ACTION)
		plan_after(plan, removal, stop);
	for (size_t i = 0; i < 2; i++) {
		size_t first = i ? stop : start;

		if (barrier != NO_ACTION && first != NO_ACTION)
			plan_after(plan, first, barrier);
	}
	ret_ends[count++] = removal;
	if (ready != NO_ACTION)
		ret_ends[count++] = ready;
	return count;
}

int plan_rollback(const struct project *project, const struct observed *observed,
	const struct service *service, struct plan *ret, struct error *err)
{
	struct plan plan = { .arena = arena_new() };
	size_t *part = arena_alloc(plan.arena, (2 * observed->container_count + 1) * sizeof(*part));
	size_t part_count = 0, done = 0, barrier = NO_ACTION;

	(void)err;
	for (size_t i = 0; i < observed->container_count; i++) {
		const struct observed_container *created = &observed->containers[i];
		const struct observed_container *old;

		if (created->one_off || strcmp(created->service, service->name))
			continue;
		old = predecessor_of(&plan, project, observed, service, created->number);
		if (!old || old == created)
			continue;
		if (begins_part(&service->rollback, done++))
			next_part(&plan, service, &service->rollback, part, &part_count, &barrier);
		part_count +=
			rollback_one(&plan, service, created, old, barrier, part + part_count);
	}
	*ret = plan;
	return 0;
}
