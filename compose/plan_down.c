/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_down.c - what `stop` and `down` have to do: existing containers, in reverse dependency
 * order.
 */
#include "compose/plan.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "compose/plan_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct dependencies plan_dependencies(struct plan *plan, const struct project *project,
	const struct observed_container *container)
{
	const struct service *declared =
		project ? project_find_service(project, container->service) : NULL;
	struct dependencies list = { 0 };

	if (declared)
		return (struct dependencies){ declared->depends_on, declared->depends_count };
	for (size_t i = 0; i < strv_length(container->depends_on); i++) {
		const char *how = container->depends_how ? container->depends_how[i] : "";
		struct dependency *item = arena_array_add(plan->arena, list.items, list.count);

		item->service = container->depends_on[i];
		item->required = true;
		item->restart = strstr(how, ":true") != NULL;
		for (unsigned int c = 0; depends_condition_names[c]; c++)
			if (!strncmp(how, depends_condition_names[c],
				    strlen(depends_condition_names[c])))
				item->condition = (enum depends_condition)c;
	}
	return list;
}

size_t observed_first_of(const struct observed *observed, const char *service)
{
	size_t low = 0, high = observed->container_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(observed->containers[middle].service, service) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void plan_order_pairs(struct plan *plan, const struct project *project,
	const struct observed *observed, const size_t *waiting, const size_t *waited,
	bool dependents_wait)
{
	for (size_t i = 0; i < observed->container_count; i++) {
		struct dependencies on;

		if (waiting[i] == SIZE_MAX && waited[i] == SIZE_MAX)
			continue;
		on = plan_dependencies(plan, project, &observed->containers[i]);
		for (size_t n = 0; n < on.count; n++) {
			for (size_t j = observed_first_of(observed, on.items[n].service);
				j < observed->container_count &&
				!strcmp(observed->containers[j].service, on.items[n].service);
				j++) {
				size_t waiter = dependents_wait ? i : j;
				size_t other = dependents_wait ? j : i;

				if (i != j && waiting[waiter] != SIZE_MAX &&
					waited[other] != SIZE_MAX)
					plan_after(plan, waiting[waiter], waited[other]);
			}
		}
	}
}

/* Could `service` be stopped or started at all: named, or nothing named; known, or everything is
 * meant. */
static bool is_meant(const struct project *project, const struct plan_down_options *options,
	const struct observed_container *container)
{
	if (strv_length(options->services) > 0)
		return !container->one_off && strv_contains(options->services, container->service);
	if (container->one_off)
		return options->remove_orphans;
	return !project || options->remove_orphans ||
	       project_find_service(project, container->service);
}

int plan_check_names(const struct project *project, const struct observed *observed,
	char *const *services, struct error *err)
{
	for (size_t i = 0; i < strv_length(services); i++) {
		bool known = project && project_knows_service(project, services[i]);

		for (size_t c = 0; !project && !known && c < observed->container_count; c++)
			known = !strcmp(observed->containers[c].service, services[i]);
		if (!known)
			return error_set(err, -EINVAL, "no such service: %s", services[i]);
	}
	return 0;
}

struct down {
	const struct project *project;
	const struct observed *observed;
	const struct plan_down_options *options;
	struct plan *plan;
	size_t *stops;	  /* per container: index of its stop, SIZE_MAX when it is not meant */
	size_t *removals; /* per container: index of its last action */
};

static void plan_stops(struct down *down)
{
	const struct observed *observed = down->observed;

	for (size_t i = 0; i < observed->container_count; i++) {
		const struct observed_container *container = &observed->containers[i];

		down->stops[i] = down->removals[i] = SIZE_MAX;
		if (!is_meant(down->project, down->options, container))
			continue;
		down->stops[i] = plan_add_container(down->plan, PLAN_STOP, container, NULL);
		down->removals[i] = down->stops[i];
		if (!down->options->remove_containers)
			continue;
		down->removals[i] = plan_add_container(down->plan, PLAN_REMOVE, container, NULL);
		plan_after(down->plan, down->removals[i], down->stops[i]);
	}
}

static void after_all_removals(struct down *down, size_t action)
{
	for (size_t i = 0; i < down->observed->container_count; i++)
		if (down->removals[i] != SIZE_MAX)
			plan_after(down->plan, action, down->removals[i]);
}

static void plan_resources(struct down *down)
{
	const struct observed *observed = down->observed;

	for (size_t i = 0; down->options->remove_networks && i < observed->network_count; i++)
		after_all_removals(down, plan_add(down->plan, PLAN_REMOVE_NETWORK,
						 observed->networks[i].name, NULL));
	for (size_t i = 0; down->options->remove_volumes && i < observed->volume_count; i++)
		after_all_removals(down,
			plan_add(down->plan, PLAN_REMOVE_VOLUME, observed->volumes[i].name, NULL));
}

int plan_down(const struct project *project, const struct observed *observed,
	const struct plan_down_options *options, struct plan *ret, struct error *err)
{
	struct plan plan = { .arena = arena_new() };
	struct down down = {
		.project = project, .observed = observed, .options = options, .plan = &plan
	};
	size_t size = (observed->container_count + 1) * sizeof(size_t);
	int r;

	r = plan_check_names(project, observed, options->services, err);
	if (r < 0) {
		plan_release(&plan);
		return r;
	}
	down.stops = arena_alloc(plan.arena, size);
	down.removals = arena_alloc(plan.arena, size);
	plan_stops(&down);
	/* a container stops when all that depend on it are gone */
	plan_order_pairs(&plan, project, observed, down.stops, down.removals, false);
	plan_resources(&down);
	*ret = plan;
	return 0;
}
