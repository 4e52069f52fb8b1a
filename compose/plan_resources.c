/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_resources.c - the networks and volumes of an `up`, and who is in the way when a network is
 * made anew. */
#include <string.h>

#include "compose/plan_up_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static bool uses_network(const struct service *service, const char *key)
{
	for (size_t i = 0; i < service->network_count; i++)
		if (!strcmp(service->networks[i].key, key))
			return true;
	return false;
}

bool service_uses_volume(const struct service *service, const char *volume_key)
{
	for (size_t m = 0; m < service->mount_count; m++)
		if (service->mounts[m].type == SERVICE_MOUNT_VOLUME && service->mounts[m].source &&
			!strcmp(service->mounts[m].source, volume_key))
			return true;
	return false;
}

static bool any_selected_uses(const struct up *up, const char *network_key, const char *volume_key)
{
	for (size_t i = 0; i < up->project->service_count; i++) {
		const struct service *service = &up->project->services[i];

		if (!up->services[i].is_selected)
			continue;
		if (network_key && uses_network(service, network_key))
			return true;
		if (volume_key && service_uses_volume(service, volume_key))
			return true;
	}
	return false;
}

void plan_networks(struct up *up)
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

static const struct observed_volume *find_volume(const struct observed *observed, const char *name)
{
	for (size_t i = 0; i < observed->volume_count; i++)
		if (!strcmp(observed->volumes[i].name, name))
			return &observed->volumes[i];
	return NULL;
}

bool plan_volume_differs(const struct observed *observed, const struct project_volume *volume)
{
	const struct observed_volume *there = find_volume(observed, volume->name);

	return !volume->external && there && *there->config_hash &&
	       strcmp(there->config_hash, volume->config_hash) != 0;
}

static bool uses_remade_volume(const struct up *up, const struct observed_container *container)
{
	const struct service *service = project_find_service(up->project, container->service);

	if (!service || container->one_off)
		return false;
	for (size_t i = 0; i < up->project->volume_count; i++)
		if (strv_contains(up->options->remake_volumes, up->project->volumes[i].name) &&
			service_uses_volume(service, up->project->volumes[i].key))
			return true;
	return false;
}

void plan_volume_users(struct up *up, struct index_list *ret_removals)
{
	const struct observed *all = up->observed;
	struct observed *rest = arena_alloc(up->plan->arena, sizeof(*rest));

	if (!up->options->remake_volumes)
		return;
	*rest = *all;
	rest->container_count = 0;
	rest->containers = arena_alloc(
		up->plan->arena, (all->container_count + 1) * sizeof(*rest->containers));
	for (size_t i = 0; i < all->container_count; i++) {
		const struct observed_container *container = &all->containers[i];

		if (!uses_remade_volume(up, container)) {
			rest->containers[rest->container_count++] = *container;
			continue;
		}
		index_list_add(up, ret_removals,
			stop_and_remove(up, container, NO_ACTION, "a volume of it is made anew"));
		for (size_t s = 0; s < up->project->service_count; s++)
			up->services[s].is_recreated |=
				!strcmp(up->project->services[s].name, container->service);
	}
	up->observed = rest;
}

void plan_volumes(struct up *up, const struct index_list *removals, struct index_list *ret_created)
{
	for (size_t i = 0; i < up->project->volume_count; i++) {
		const struct project_volume *volume = &up->project->volumes[i];
		const bool is_there = find_volume(up->observed, volume->name);
		const char *why = is_there ? "its configuration changed" : "not there yet";
		size_t removal = NO_ACTION, index;

		if (volume->external || !any_selected_uses(up, NULL, volume->key) ||
			(is_there && !strv_contains(up->options->remake_volumes, volume->name)))
			continue;
		if (is_there) {
			removal = plan_add(up->plan, PLAN_REMOVE_VOLUME, volume->name, why);
			up->plan->actions[removal].volume = volume;
			plan_after_list(up, removal, removals);
		}
		index = plan_add(up->plan, PLAN_CREATE_VOLUME, volume->name, why);
		up->plan->actions[index].volume = volume;
		if (removal != NO_ACTION)
			plan_after(up->plan, index, removal);
		index_list_add(up, ret_created, index);
	}
}

bool touches_diverged_network(const struct up *up, const struct observed_container *container)
{
	for (size_t i = 0; i < strv_length(container->networks); i++)
		if (strmap_has(&up->diverged, container->networks[i]))
			return true;
	return false;
}

static bool has_removal(const struct up *up, const char *id)
{
	for (size_t i = 0; i < up->plan->count; i++)
		if (up->plan->actions[i].kind == PLAN_REMOVE && up->plan->actions[i].id &&
			!strcmp(up->plan->actions[i].id, id))
			return true;
	return false;
}

/* Whoever waits for the container waits for it to run again. */
static void gates_after(struct plan *plan, const char *id, size_t start)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan_kind_is_gate(plan->actions[i].kind) && plan->actions[i].id &&
			!strcmp(plan->actions[i].id, id))
			plan_after(plan, i, start);
}

void pause_bystanders(struct up *up)
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
		gates_after(up->plan, container->id, start);
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
