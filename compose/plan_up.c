/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_up.c - what `up`, `create` and `scale` have to do.
 *
 * Services are walked in dependency order. A replaced container keeps running until its successor's
 * record exists: create (temporary name) -> stop old -> remove old -> rename -> start; each step
 * finds its predecessor's leftovers when the walk was interrupted. With deploy.update_config the
 * order is another one, see plan_rollout.c. */
#include "compose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/plan_up_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

void index_list_add(struct up *up, struct index_list *list, size_t index)
{
	*arena_array_add(up->plan->arena, list->items, list->count) = index;
}

void plan_after_list(struct up *up, size_t action, const struct index_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		plan_after(up->plan, action, list->items[i]);
}

static const struct plan_image *looked_up(const struct up *up, const char *service)
{
	for (size_t i = 0; i < up->options->image_count; i++)
		if (!strcmp(up->options->images[i].service, service))
			return &up->options->images[i];
	return NULL;
}

static bool attachments_match(const struct up *up, const struct service *service,
	const struct observed_container *container)
{
	if (service->network_mode)
		return true; /* part of the config hash */
	if (strv_length(container->networks) != service->network_count)
		return false;
	for (size_t i = 0; i < service->network_count; i++) {
		const struct project_network *network =
			project_find_network(up->project, service->networks[i].key);

		if (!network || !strv_contains(container->networks, network->name))
			return false;
	}
	return true;
}

static bool is_recreated(const struct up *up, const char *service)
{
	ssize_t index = project_service_index(up->project, service);

	return index >= 0 && up->services[index].is_recreated;
}

/* "service:X" in one of the namespace keys, or volumes_from X, and X gets a new container: ours
 * would point at a dead one. */
static bool shares_with_recreated(const struct up *up, const struct service *service)
{
	const char *const modes[] = { service->network_mode, service->pid, service->ipc };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (modes[i] && !strncmp(modes[i], "service:", 8) && is_recreated(up, modes[i] + 8))
			return true;
	for (char **from = service->volumes_from; from && *from; from++) {
		const char *name =
			arena_strndup(up->plan->arena, *from, strcspn(*from, ":")); /* ":ro" */

		if (strcmp(name, "container") && is_recreated(up, name))
			return true;
	}
	return false;
}

/* An interruption came between the recreation of a service and that of those that share its
 * namespaces: they run in what is left of the old one. */
static bool shares_with_gone(const struct up *up, const struct service *service,
	const struct observed_container *container)
{
	const char *const modes[] = { service->network_mode, service->pid, service->ipc };
	bool of_service = false;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		of_service |= modes[i] && !strncmp(modes[i], "service:", 8);
	for (size_t s = 0; of_service && s < strv_length(container->shares); s++) {
		bool found = false;

		for (size_t i = 0; !found && i < up->observed->container_count; i++)
			found = !strcmp(up->observed->containers[i].id, container->shares[s]);
		if (!found)
			return true;
	}
	return false;
}

/* Why the container must make room for a new one, or NULL. */
static const char *reason_to_recreate(
	const struct up *up, size_t service_index, const struct observed_container *container)
{
	const struct service *service = &up->project->services[service_index];
	enum plan_recreate policy = up->services[service_index].is_named
					    ? up->options->recreate
					    : up->options->recreate_dependencies;
	const struct plan_image *image = looked_up(up, service->name);

	if (policy == PLAN_RECREATE_NEVER)
		return NULL;
	if (policy == PLAN_RECREATE_FORCE)
		return "recreation was asked for";
	if (strcmp(container->config_hash, service->config_hash))
		return "its configuration changed";
	if (image && strcmp(container->image_id, image->image_id))
		return "its image changed";
	if (!attachments_match(up, service, container))
		return "its networks changed";
	if (touches_diverged_network(up, container))
		return "a network of it is made anew";
	if (shares_with_recreated(up, service))
		return "a service whose namespace or volumes it shares is recreated";
	if (shares_with_gone(up, service, container))
		return "the container whose namespace it shares is gone";
	return container->damage;
}

void plan_after_networks(struct up *up, size_t action, const struct service *service)
{
	for (size_t i = 0; i < service->network_count; i++) {
		const struct project_network *network =
			project_find_network(up->project, service->networks[i].key);
		size_t creation = network ? (size_t)strmap_get(&up->networks, network->name) : 0;

		if (creation)
			plan_after(up->plan, action, creation - 1);
	}
}

size_t add_slot_action(struct up *up, enum plan_kind kind, const struct service *service,
	unsigned int number, const char *why)
{
	size_t index = plan_add(
		up->plan, kind, plan_container_name(up->plan, up->project, service, number), why);

	up->plan->actions[index].service = service;
	up->plan->actions[index].number = number;
	return index;
}

struct slot *add_slot(struct up *up, size_t service_index, unsigned int number,
	const struct observed_container *there, size_t start)
{
	struct up_service *service = &up->services[service_index];
	struct slot *slot = arena_array_add(up->plan->arena, service->slots, service->slot_count);

	slot->number = number;
	slot->there = there;
	slot->start = start;
	return slot;
}

/* The start that ends every slot's chain; `previous` is the action it continues, or NO_ACTION.
 * `there` is what is to be started, NULL = what this plan makes. */
static void plan_slot_start(struct up *up, size_t service_index, unsigned int number,
	const struct observed_container *there, size_t previous, const char *why)
{
	const struct service *service = &up->project->services[service_index];
	struct index_list gates;
	size_t start;

	if (up->options->no_start)
		return;
	gates = gates_before(up, service);
	start = add_slot_action(up, PLAN_START, service, number, why);
	up->plan->actions[start].id = there ? there->id : NULL;
	if (previous != NO_ACTION)
		plan_after(up->plan, start, previous);
	plan_after_networks(up, start, service);
	plan_after_list(up, start, &gates);
	add_slot(up, service_index, number, there, start);
}

static void plan_new_slot(
	struct up *up, size_t service_index, unsigned int number, const struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];
	size_t create = add_slot_action(up, PLAN_CREATE, service, number, "not there yet");

	plan_after_list(up, create, before);
	plan_slot_start(up, service_index, number, NULL, create, NULL);
}

size_t plan_removal(struct up *up, const struct observed_container *container, const char *why)
{
	size_t removal = plan_add_container(up->plan, PLAN_REMOVE, container, why);

	for (size_t i = 0; i < strv_length(container->networks); i++) {
		size_t network = (size_t)strmap_get(&up->diverged, container->networks[i]);

		if (network)
			plan_after(up->plan, network - 1, removal);
	}
	return removal;
}

size_t stop_and_remove(
	struct up *up, const struct observed_container *container, size_t previous, const char *why)
{
	size_t removal;

	if (observed_is_up(container)) {
		size_t stop = plan_add_container(up->plan, PLAN_STOP, container, why);

		if (previous != NO_ACTION)
			plan_after(up->plan, stop, previous);
		previous = stop;
	}
	removal = plan_removal(up, container, why);
	if (previous != NO_ACTION)
		plan_after(up->plan, removal, previous);
	return removal;
}

static void plan_replace(struct up *up, size_t service_index, const struct replacement *replacement,
	const struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];
	const struct observed_container *old = replacement->old;
	const struct observed_container *successor = replacement->successor;
	struct index_list gates = { 0 };
	size_t create = NO_ACTION, stop_position, removal, rename_action;

	/* Dependencies come up first, so that the old one serves as long as it can; where a network
	 * is to be made anew its members must all be gone first, and waiting for each other's start
	 * would be a circle. */
	if (!touches_diverged_network(up, old) && !up->options->no_start)
		gates = gates_before(up, service);
	if (!successor) {
		create = add_slot_action(up, PLAN_CREATE, service, old->number, replacement->why);
		up->plan->actions[create].replaces = old;
		plan_after_list(up, create, before);
	}
	stop_position = up->plan->count;
	removal = stop_and_remove(up, old, create, replacement->why);
	plan_after_list(up, stop_position, &gates);
	for (size_t i = stop_position; i < up->plan->count; i++)
		up->plan->actions[i].service = service;
	index_list_add(up, &up->services[service_index].retired, stop_position);
	rename_action = add_slot_action(up, PLAN_RENAME, service, old->number, NULL);
	up->plan->actions[rename_action].id = successor ? successor->id : NULL;
	plan_after(up->plan, rename_action, removal);
	up->services[service_index].is_recreated = true;
	if (successor && observed_is_up(successor))
		add_slot(up, service_index, old->number, successor, NO_ACTION);
	else
		plan_slot_start(
			up, service_index, old->number, successor, rename_action, replacement->why);
}

/* depends_on.X.restart: X gets a new container, and the service is to notice. It stops before X
 * does, so that whoever goes on after an interruption finds it stopped and starts it. */
static bool plan_follow(
	struct up *up, size_t service_index, const struct observed_container *container)
{
	const struct service *service = &up->project->services[service_index];
	size_t stop = NO_ACTION;

	for (size_t i = 0; !up->options->no_start && i < service->depends_count; i++) {
		const struct dependency *dependency = &service->depends_on[i];
		ssize_t index = project_service_index(up->project, dependency->service);
		const struct index_list *retired = index >= 0 ? &up->services[index].retired : NULL;

		if (!dependency->restart || !retired || retired->count == 0)
			continue;
		if (stop == NO_ACTION)
			stop = plan_add_container(up->plan, PLAN_STOP, container,
				arena_printf(up->plan->arena, "its dependency %s is recreated",
					dependency->service));
		for (size_t r = 0; r < retired->count; r++)
			plan_after(up->plan, retired->items[r], stop);
	}
	if (stop == NO_ACTION)
		return false;
	plan_slot_start(
		up, service_index, container->number, container, stop, up->plan->actions[stop].why);
	return true;
}

static void plan_kept(
	struct up *up, size_t service_index, const struct observed_container *container)
{
	const struct service *service = &up->project->services[service_index];
	const char *name = plan_container_name(up->plan, up->project, service, container->number);
	size_t previous = NO_ACTION, keep;

	if (strcmp(container->name, name)) {
		/* An interrupted recreate: the old one is gone, the new one still has its temporary
		 * name. */
		previous = add_slot_action(up, PLAN_RENAME, service, container->number,
			"an interrupted recreate left a temporary name");
		up->plan->actions[previous].id = container->id;
	}
	if (!observed_is_up(container)) {
		plan_slot_start(up, service_index, container->number, container, previous,
			container->status == OBSERVED_CREATED ? "created, never started"
							      : "not running");
		return;
	}
	if (plan_follow(up, service_index, container))
		return;
	keep = plan_add_container(up->plan, PLAN_KEEP, container, NULL);
	up->plan->actions[keep].service = service;
	add_slot(up, service_index, container->number, container, NO_ACTION);
}

static bool is_of_slot(
	const struct observed_container *container, const char *service, unsigned int number)
{
	return !container->one_off && container->number == number &&
	       !strcmp(container->service, service);
}

/* A place (service, number) belongs to one container: the one with the proper name, else the first.
 */
static const struct observed_container *slot_owner(
	struct up *up, const struct service *service, unsigned int number)
{
	const char *name = plan_container_name(up->plan, up->project, service, number);
	const struct observed_container *first = NULL;

	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];

		if (!is_of_slot(container, service->name, number))
			continue;
		if (!strcmp(container->name, name))
			return container;
		if (!first)
			first = container;
	}
	return first;
}

/* Others of the same place were made to replace it by a recreate that was interrupted. One of them
 * that is as declared, where the owner is not, is not made again. */
static const struct observed_container *slot_successor(
	struct up *up, size_t service_index, const struct observed_container *owner)
{
	const struct service *service = &up->project->services[service_index];

	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];

		if (container != owner && is_of_slot(container, service->name, owner->number) &&
			!reason_to_recreate(up, service_index, container))
			return container;
	}
	return NULL;
}

static struct replacement look_at_slot(
	struct up *up, size_t service_index, const struct observed_container *owner)
{
	struct replacement replacement = { .old = owner,
		.why = reason_to_recreate(up, service_index, owner) };

	if (replacement.why)
		replacement.successor = slot_successor(up, service_index, owner);
	return replacement;
}

/* Records that an interrupted recreate left have names that a new attempt wants again: they go
 * first. */
static void remove_leftovers(struct up *up, size_t service_index, struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];

	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];
		const struct observed_container *owner;

		if (container->one_off || strcmp(container->service, service->name))
			continue;
		owner = slot_owner(up, service, container->number);
		if (container != owner &&
			container != look_at_slot(up, service_index, owner).successor)
			index_list_add(up, before,
				stop_and_remove(up, container, NO_ACTION,
					"left by an interrupted recreate"));
	}
}

static void scale_down(struct up *up, size_t service_index, const struct observed_container *owner)
{
	const struct observed_container *successor =
		look_at_slot(up, service_index, owner).successor;

	stop_and_remove(up, owner, NO_ACTION, "scaled down");
	if (successor)
		stop_and_remove(up, successor, NO_ACTION, "scaled down");
}

/* A job is never ready in the sense of an update: it ends. */
static bool is_update(
	const struct up *up, const struct service *service, const struct observed_container *old)
{
	return service->update.is_set && !up->options->no_start &&
	       !touches_diverged_network(up, old) && !is_awaited_job(up, service->name);
}

static void plan_service(struct up *up, size_t service_index, const struct index_list *volumes)
{
	const struct service *service = &up->project->services[service_index];
	struct index_list before = { 0 };
	struct replacement *updates = NULL;
	size_t update_count = 0;
	unsigned int kept = 0, highest = 0;

	for (size_t i = 0; i < volumes->count; i++)
		index_list_add(up, &before, volumes->items[i]);
	remove_leftovers(up, service_index, &before);

	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];
		struct replacement replacement;

		if (container->one_off || strcmp(container->service, service->name) ||
			container != slot_owner(up, service, container->number))
			continue;
		if (container->number > highest)
			highest = container->number;
		if (kept == service->replicas) {
			/* containers are sorted by number: the highest go first in the user's eyes,
			 * all go at once in ours */
			scale_down(up, service_index, container);
			continue;
		}
		kept++;
		replacement = look_at_slot(up, service_index, container);
		if (!replacement.why)
			plan_kept(up, service_index, container);
		else if (is_update(up, service, container))
			*arena_array_add(up->plan->arena, updates, update_count) = replacement;
		else
			plan_replace(up, service_index, &replacement, &before);
	}
	if (update_count)
		plan_update(up, service_index, updates, update_count, &before);
	for (; kept < service->replicas; kept++)
		plan_new_slot(up, service_index, ++highest, &before);
}

static void plan_orphan_removal(struct up *up)
{
	for (size_t i = 0; i < up->observed->container_count; i++)
		if (observed_is_orphan(up->project, &up->observed->containers[i]))
			stop_and_remove(up, &up->observed->containers[i], NO_ACTION, "orphan");
}

static int select_services(struct up *up, struct error *err)
{
	cleanup_free bool *selected = NULL, *named = NULL;
	bool all = strv_length(up->options->services) == 0;
	int r;

	r = plan_select(up->project, up->options->services, up->options->no_deps, &selected, err);
	if (r == 0)
		r = plan_select(up->project, up->options->services, true, &named, err);
	for (size_t i = 0; r == 0 && i < up->project->service_count; i++) {
		const struct service *service = &up->project->services[i];

		up->services[i].is_selected = selected[i];
		up->services[i].is_named = named[i] || all;
		if (selected[i] && !looked_up(up, service->name))
			r = error_set(err, -ENOENT, "service \"%s\" has no image", service->name);
	}
	return r;
}

static int plan_everything(struct up *up, struct error *err)
{
	const char *one_off_of = up->options->one_off_of;
	cleanup_free size_t *order = NULL;
	struct index_list volumes = { 0 }, users = { 0 };
	int r;

	r = select_services(up, err);
	if (r < 0)
		return r;
	r = project_dependency_order(up->project, &order, err);
	if (r < 0)
		return r;
	plan_networks(up);
	plan_volume_users(up, &users);
	plan_volumes(up, &users, &volumes);
	if (up->options->remove_orphans)
		plan_orphan_removal(up);
	for (size_t i = 0; i < up->project->service_count; i++) {
		const struct service *service = &up->project->services[order[i]];

		if (!up->services[order[i]].is_selected)
			continue;
		if (one_off_of && !strcmp(one_off_of, service->name))
			(void)gates_before(up, service);
		else
			plan_service(up, order[i], &volumes);
	}
	if (up->options->wait)
		plan_final_gates(up);
	pause_bystanders(up);
	return 0;
}

int plan_up(const struct project *project, const struct observed *observed,
	const struct plan_up_options *options, struct plan *ret, struct error *err)
{
	struct plan plan = { .arena = arena_new() };
	struct up up = {
		.project = project, .observed = observed, .options = options, .plan = &plan
	};
	int r;

	up.services = arena_alloc(plan.arena, (project->service_count + 1) * sizeof(*up.services));
	r = plan_everything(&up, err);
	strmap_release(&up.networks);
	strmap_release(&up.diverged);
	if (r < 0) {
		plan_release(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}
