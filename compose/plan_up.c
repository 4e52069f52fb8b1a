/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_up.c - what `up`, `create` and `scale` have to do.
 *
 * Services are walked in dependency order. A replaced container keeps running until its successor's
 * record exists: create (temporary name) -> stop old -> remove old -> rename -> start; each step
 * finds its predecessor's leftovers when the walk was interrupted. */
#include "compose/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/plan_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"

#define NO_ACTION SIZE_MAX

struct index_list {
	size_t *items;
	size_t count;
};

struct up {
	const struct project *project;
	const struct observed *observed;
	const struct plan_up_options *options;
	struct plan *plan;
	bool *selected;	 /* per service */
	bool *named;	 /* per service: named on the command line, or no names were given */
	bool *recreated; /* per service */
	struct index_list *started; /* per service: what a dependent's start has to wait for */
	struct strmap
		networks; /* name -> action index + 1 of its creation, while it is not there */
	struct strmap diverged; /* name -> index + 1 of PLAN_REMOVE_NETWORK */
};

static void index_list_add(struct up *up, struct index_list *list, size_t index)
{
	*arena_array_add(up->plan->arena, list->items, list->count) = index;
}

static bool uses_network(const struct service *service, const char *key)
{
	for (size_t i = 0; i < service->network_count; i++)
		if (!strcmp(service->networks[i].key, key))
			return true;
	return false;
}

static bool any_selected_uses(const struct up *up, const char *network_key, const char *volume_key)
{
	for (size_t i = 0; i < up->project->service_count; i++) {
		const struct service *service = &up->project->services[i];

		if (!up->selected[i])
			continue;
		if (network_key && uses_network(service, network_key))
			return true;
		for (size_t m = 0; volume_key && m < service->mount_count; m++)
			if (service->mounts[m].type == SERVICE_MOUNT_VOLUME &&
				service->mounts[m].source &&
				!strcmp(service->mounts[m].source, volume_key))
				return true;
	}
	return false;
}

static void plan_networks(struct up *up)
{
	for (size_t i = 0; i < up->project->network_count; i++) {
		const struct project_network *network = &up->project->networks[i];
		const struct observed_network *there =
			observed_find_network(up->observed, network->name);
		size_t removal = NO_ACTION, creation;

		if (network->external || !any_selected_uses(up, network->key, NULL))
			continue;
		if (there && !strcmp(there->config_hash, network->config_hash))
			continue;
		if (there) {
			removal = plan_add(up->plan, PLAN_REMOVE_NETWORK, network->name,
				"its configuration changed");
			up->plan->actions[removal].network = network;
			strmap_set(&up->diverged, network->name, (void *)(removal + 1));
		}
		creation = plan_add(up->plan, PLAN_CREATE_NETWORK, network->name,
			there ? "its configuration changed" : "not there yet");
		up->plan->actions[creation].network = network;
		if (removal != NO_ACTION)
			plan_after(up->plan, creation, removal);
		strmap_set(&up->networks, network->name, (void *)(creation + 1));
	}
}

static bool volume_is_there(const struct observed *observed, const char *name)
{
	for (size_t i = 0; i < observed->volume_count; i++)
		if (!strcmp(observed->volumes[i].name, name))
			return true;
	return false;
}

/* Volumes come before containers because container_create makes what is missing, without the
 * project's labels. */
static void plan_volumes(struct up *up, struct index_list *ret_created)
{
	for (size_t i = 0; i < up->project->volume_count; i++) {
		const struct project_volume *volume = &up->project->volumes[i];
		size_t index;

		if (volume->external || volume_is_there(up->observed, volume->name) ||
			!any_selected_uses(up, NULL, volume->key))
			continue;
		index = plan_add(up->plan, PLAN_CREATE_VOLUME, volume->name, "not there yet");
		up->plan->actions[index].volume = volume;
		index_list_add(up, ret_created, index);
	}
}

static const char *selected_image(const struct up *up, const char *service)
{
	for (size_t i = 0; i < up->options->image_count; i++)
		if (!strcmp(up->options->images[i].service, service))
			return up->options->images[i].image_id;
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

static bool touches_diverged_network(
	const struct up *up, const struct observed_container *container)
{
	for (size_t i = 0; i < strv_length(container->networks); i++)
		if (strmap_has(&up->diverged, container->networks[i]))
			return true;
	return false;
}

/* "service:X" in one of the namespace keys, and X gets a new container: ours would point at a dead
 * one. */
static bool shares_with_recreated(const struct up *up, const struct service *service)
{
	const char *const modes[] = { service->network_mode, service->pid, service->ipc };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ssize_t other;

		if (!modes[i] || strncmp(modes[i], "service:", 8))
			continue;
		other = project_service_index(up->project, modes[i] + 8);
		if (other >= 0 && up->recreated[other])
			return true;
	}
	return false;
}

/* Why the container must make room for a new one, or NULL. */
static const char *reason_to_recreate(
	const struct up *up, size_t service_index, const struct observed_container *container)
{
	const struct service *service = &up->project->services[service_index];
	enum plan_recreate policy = up->named[service_index] ? up->options->recreate
							     : up->options->recreate_dependencies;
	const char *image = selected_image(up, service->name);

	if (policy == PLAN_RECREATE_NEVER)
		return NULL;
	if (policy == PLAN_RECREATE_FORCE)
		return "recreation was asked for";
	if (strcmp(container->config_hash, service->config_hash))
		return "its configuration changed";
	if (image && strcmp(container->image_id, image))
		return "its image changed";
	if (!attachments_match(up, service, container))
		return "its networks changed";
	if (touches_diverged_network(up, container))
		return "a network of it is made anew";
	if (shares_with_recreated(up, service))
		return "a service whose namespace it shares is recreated";
	return NULL;
}

static void after_list(struct up *up, size_t action, const struct index_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		plan_after(up->plan, action, list->items[i]);
}

static void after_dependencies(struct up *up, size_t action, const struct service *service)
{
	for (size_t i = 0; i < service->depends_count; i++) {
		ssize_t dependency =
			project_service_index(up->project, service->depends_on[i].service);

		if (dependency >= 0)
			after_list(up, action, &up->started[dependency]);
	}
}

static void after_networks(struct up *up, size_t action, const struct service *service)
{
	for (size_t i = 0; i < service->network_count; i++) {
		const struct project_network *network =
			project_find_network(up->project, service->networks[i].key);
		size_t creation = network ? (size_t)strmap_get(&up->networks, network->name) : 0;

		if (creation)
			plan_after(up->plan, action, creation - 1);
	}
}

static size_t add_slot_action(struct up *up, enum plan_kind kind, const struct service *service,
	unsigned int number, const char *why)
{
	size_t index = plan_add(
		up->plan, kind, plan_container_name(up->plan, up->project, service, number), why);

	up->plan->actions[index].service = service;
	up->plan->actions[index].number = number;
	return index;
}

/* The start that ends every slot's chain; `previous` is the action it continues, or NO_ACTION. */
static void plan_slot_start(struct up *up, size_t service_index, unsigned int number,
	const char *id, size_t previous, const char *why)
{
	const struct service *service = &up->project->services[service_index];
	size_t start;

	if (up->options->no_start)
		return;
	start = add_slot_action(up, PLAN_START, service, number, why);
	up->plan->actions[start].id = id;
	if (previous != NO_ACTION)
		plan_after(up->plan, start, previous);
	after_networks(up, start, service);
	after_dependencies(up, start, service);
	index_list_add(up, &up->started[service_index], start);
}

static void plan_new_slot(
	struct up *up, size_t service_index, unsigned int number, const struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];
	size_t create = add_slot_action(up, PLAN_CREATE, service, number, "not there yet");

	after_list(up, create, before);
	plan_slot_start(up, service_index, number, NULL, create, NULL);
}

static size_t stop_and_remove(
	struct up *up, const struct observed_container *container, size_t previous, const char *why)
{
	size_t removal;

	if (observed_is_up(container)) {
		size_t stop = plan_add_container(up->plan, PLAN_STOP, container, why);

		if (previous != NO_ACTION)
			plan_after(up->plan, stop, previous);
		previous = stop;
	}
	removal = plan_add_container(up->plan, PLAN_REMOVE, container, why);
	if (previous != NO_ACTION)
		plan_after(up->plan, removal, previous);
	for (size_t i = 0; i < strv_length(container->networks); i++) {
		size_t network = (size_t)strmap_get(&up->diverged, container->networks[i]);

		if (network)
			plan_after(up->plan, network - 1, removal);
	}
	return removal;
}

static void plan_replace(struct up *up, size_t service_index, const struct observed_container *old,
	const struct index_list *before, const char *why)
{
	const struct service *service = &up->project->services[service_index];
	size_t create = add_slot_action(up, PLAN_CREATE, service, old->number, why);
	size_t stop_position, removal, rename_action;

	up->plan->actions[create].replaces = old;
	after_list(up, create, before);
	stop_position = up->plan->count;
	removal = stop_and_remove(up, old, create, why);
	/* Dependencies come up first, so that the old one serves as long as it can; where a network
	 * is to be made anew its members must all be gone first, and waiting for each other's start
	 * would be a circle. */
	if (!touches_diverged_network(up, old))
		after_dependencies(up, stop_position, service);
	for (size_t i = stop_position; i < up->plan->count; i++)
		up->plan->actions[i].service = service;
	rename_action = add_slot_action(up, PLAN_RENAME, service, old->number, NULL);
	plan_after(up->plan, rename_action, removal);
	plan_slot_start(up, service_index, old->number, NULL, rename_action, why);
	up->recreated[service_index] = true;
}

static void plan_existing(struct up *up, size_t service_index,
	const struct observed_container *container, const struct index_list *before)
{
	const struct service *service = &up->project->services[service_index];
	const char *why = reason_to_recreate(up, service_index, container);
	const char *name = plan_container_name(up->plan, up->project, service, container->number);
	size_t previous = NO_ACTION;

	if (why) {
		plan_replace(up, service_index, container, before, why);
		return;
	}
	if (strcmp(container->name, name)) {
		/* An interrupted recreate: the old one is gone, the new one still has its temporary
		 * name. */
		previous = add_slot_action(up, PLAN_RENAME, service, container->number,
			"an interrupted recreate left a temporary name");
		up->plan->actions[previous].id = container->id;
	}
	if (observed_is_up(container)) {
		size_t keep = plan_add_container(up->plan, PLAN_KEEP, container, NULL);

		up->plan->actions[keep].service = service;
		return;
	}
	plan_slot_start(up, service_index, container->number, container->id, previous,
		container->status == OBSERVED_CREATED ? "created, never started" : "not running");
}

/* A place (service, number) belongs to one container: the one with the proper name, else the first.
 * Others of the same place were made to replace it by a recreate that was interrupted. */
static bool is_leftover(
	struct up *up, const struct service *service, const struct observed_container *container)
{
	const char *name = plan_container_name(up->plan, up->project, service, container->number);

	if (!strcmp(container->name, name))
		return false;
	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *other = &up->observed->containers[i];

		if (other->one_off || other == container || other->number != container->number ||
			strcmp(other->service, container->service))
			continue;
		if (!strcmp(other->name, name) || other < container)
			return true;
	}
	return false;
}

/* Records that an interrupted recreate left have names that a new attempt wants again: they go
 * first. */
static void remove_leftovers(
	struct up *up, const struct service *service, struct index_list *before)
{
	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];

		if (!container->one_off && !strcmp(container->service, service->name) &&
			is_leftover(up, service, container))
			index_list_add(up, before,
				stop_and_remove(up, container, NO_ACTION,
					"left by an interrupted recreate"));
	}
}

static void plan_service(struct up *up, size_t service_index, const struct index_list *volumes)
{
	const struct service *service = &up->project->services[service_index];
	struct index_list before = { 0 };
	unsigned int kept = 0, highest = 0;

	for (size_t i = 0; i < volumes->count; i++)
		index_list_add(up, &before, volumes->items[i]);
	remove_leftovers(up, service, &before);

	for (size_t i = 0; i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];

		if (container->one_off || strcmp(container->service, service->name) ||
			is_leftover(up, service, container))
			continue;
		if (container->number > highest)
			highest = container->number;
		if (kept == service->replicas) {
			/* containers are sorted by number: the highest go first in the user's eyes,
			 * all go at once in ours */
			stop_and_remove(up, container, NO_ACTION, "scaled down");
			continue;
		}
		plan_existing(up, service_index, container, &before);
		kept++;
	}
	for (; kept < service->replicas; kept++)
		plan_new_slot(up, service_index, ++highest, &before);
}

static void plan_orphan_removal(struct up *up)
{
	for (size_t i = 0; i < up->observed->container_count; i++)
		if (observed_is_orphan(up->project, &up->observed->containers[i]))
			stop_and_remove(up, &up->observed->containers[i], NO_ACTION, "orphan");
}

static bool has_removal(const struct up *up, const char *id)
{
	for (size_t i = 0; i < up->plan->count; i++)
		if (up->plan->actions[i].kind == PLAN_REMOVE && up->plan->actions[i].id &&
			!strcmp(up->plan->actions[i].id, id))
			return true;
	return false;
}

/* Running containers that stay as they are (of services not selected, orphans, --no-recreate) but
 * are attached to a network that is made anew: it cannot go while they run, so they stop for that
 * moment. */
static void pause_bystanders(struct up *up)
{
	for (size_t i = 0; up->diverged.count && i < up->observed->container_count; i++) {
		const struct observed_container *container = &up->observed->containers[i];
		size_t stop, start;

		if (!observed_is_up(container) || !touches_diverged_network(up, container) ||
			has_removal(up, container->id))
			continue;
		stop = plan_add_container(
			up->plan, PLAN_STOP, container, "a network of it is made anew");
		start = plan_add_container(
			up->plan, PLAN_START, container, "a network of it is made anew");
		plan_after(up->plan, start, stop);
		for (size_t n = 0; n < strv_length(container->networks); n++) {
			size_t removal = (size_t)strmap_get(&up->diverged, container->networks[n]);
			size_t creation = (size_t)strmap_get(&up->networks, container->networks[n]);

			if (removal)
				plan_after(up->plan, removal - 1, stop);
			if (creation)
				plan_after(up->plan, start, creation - 1);
		}
	}
}

static int select_services(struct up *up, struct error *err)
{
	bool all = strv_length(up->options->services) == 0;
	int r;

	r = plan_select(
		up->project, up->options->services, up->options->no_deps, &up->selected, err);
	if (r < 0)
		return r;
	r = plan_select(up->project, up->options->services, true, &up->named, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < up->project->service_count; i++) {
		const struct service *service = &up->project->services[i];

		if (up->selected[i] && !selected_image(up, service->name))
			return error_set(
				err, -ENOENT, "service \"%s\" has no image", service->name);
		if (all)
			up->named[i] = true;
	}
	return 0;
}

static int plan_everything(struct up *up, struct error *err)
{
	cleanup_free size_t *order = NULL;
	struct index_list volumes = { 0 };
	int r;

	r = select_services(up, err);
	if (r < 0)
		return r;
	r = project_dependency_order(up->project, &order, err);
	if (r < 0)
		return r;
	plan_networks(up);
	plan_volumes(up, &volumes);
	if (up->options->remove_orphans)
		plan_orphan_removal(up);
	for (size_t i = 0; i < up->project->service_count; i++)
		if (up->selected[order[i]])
			plan_service(up, order[i], &volumes);
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

	up.recreated = arena_alloc(plan.arena, (project->service_count + 1) * sizeof(bool));
	up.started =
		arena_alloc(plan.arena, (project->service_count + 1) * sizeof(struct index_list));
	r = plan_everything(&up, err);
	free(up.selected);
	free(up.named);
	strmap_release(&up.networks);
	strmap_release(&up.diverged);
	if (r < 0) {
		plan_release(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}
