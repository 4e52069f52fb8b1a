/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_world.h - a world for the tests of the planner: what is declared, what is there, and what
 * carrying a plan out does to it, in any order that the plan allows. */
#ifndef MYCOMPOSE_TESTS_PLAN_WORLD_H
#define MYCOMPOSE_TESTS_PLAN_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compose/plan.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"

#define SERVICES_MAX 6
#define REPLICAS_MAX 3

/* A world: what is declared, what is there, and how to change the latter as apply would. */
struct world {
	struct arena *arena;
	struct project project;
	struct observed observed;
	struct plan_image images[SERVICES_MAX];
	unsigned int next_id;
};

/* Every other service has a health check. */
static inline bool has_check(const char *service)
{
	return service[0] == 'a' || service[0] == 'g' || service[0] == 'e';
}

static const char *const names[SERVICES_MAX] = { "alpha", "beta", "gamma", "delta", "epsilon",
	"zeta" };

static inline uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline int by_name(const void *a, const void *b)
{
	return strcmp(((const struct service *)a)->name, ((const struct service *)b)->name);
}

static inline void add_dependency(struct world *world, struct service *service, const char *on)
{
	struct dependency *dependency =
		arena_array_add(world->arena, service->depends_on, service->depends_count);

	dependency->service = on;
	dependency->condition = DEPENDS_STARTED;
	dependency->required = true;
}

static inline int by_dependency(const void *a, const void *b)
{
	return strcmp(
		((const struct dependency *)a)->service, ((const struct dependency *)b)->service);
}

static inline void randomise_dependency(struct service *service, uint32_t *seed)
{
	struct dependency *last = &service->depends_on[service->depends_count - 1];

	last->restart = random_next(seed) % 4 == 0;
	if (random_next(seed) % 3 == 0)
		last->condition = has_check(last->service) ? DEPENDS_HEALTHY : DEPENDS_COMPLETED;
}

static inline void randomise_update(struct service *service, uint32_t *seed)
{
	struct rollout *update = &service->update;

	update->is_set = random_next(seed) % 3 == 0;
	update->start_first = random_next(seed) % 2;
	update->parallelism = random_next(seed) % 3;
	update->delay_ns = random_next(seed) % 2;
	update->failure_action = (enum rollout_failure)(random_next(seed) % 3);
}

/* Somebody waits for its end, so it is not expected to run. */
static inline bool is_job(const struct project *project, const char *name)
{
	for (size_t i = 0; i < project->service_count; i++) {
		const struct dependency *dependency =
			service_find_dependency(&project->services[i], name);

		if (dependency && dependency->condition == DEPENDS_COMPLETED)
			return true;
	}
	return false;
}

static inline void add_network(struct world *world, struct service *service, const char *key)
{
	struct service_network *network =
		arena_array_add(world->arena, service->networks, service->network_count);

	network->key = key;
}

static inline void declare(struct world *world, uint32_t *seed)
{
	struct project *project = &world->project;
	size_t count = 1 + random_next(seed) % SERVICES_MAX;

	project->arena = world->arena;
	project->name = "demo";
	project->services = arena_alloc(world->arena, count * sizeof(*project->services));
	project->service_count = count;
	project->networks = arena_alloc(world->arena, 2 * sizeof(*project->networks));
	project->network_count = 2;
	for (size_t i = 0; i < 2; i++) {
		struct project_network *network = &project->networks[i];

		network->key = i ? "front" : "back";
		network->name = i ? "demo_front" : "demo_back";
		snprintf(network->config_hash, sizeof(network->config_hash), "net%u",
			random_next(seed) % 2);
	}
	for (size_t i = 0; i < count; i++) {
		struct service *service = &project->services[i];

		service->name = names[i];
		service->image = "image";
		service->replicas = random_next(seed) % (REPLICAS_MAX + 1);
		snprintf(service->config_hash, sizeof(service->config_hash), "hash%u",
			random_next(seed) % 3);
		if (random_next(seed) % 2)
			add_network(world, service, "back");
		if (random_next(seed) % 2)
			add_network(world, service, "front");
		for (size_t d = 0; d < i; d++)
			if (random_next(seed) % 3 == 0)
				add_dependency(world, service, names[d]);
		for (size_t d = 0; d < service->depends_count; d++)
			randomise_dependency(&(struct service){ .depends_on = service->depends_on,
						     .depends_count = d + 1 },
				seed);
		if (service->depends_count)
			qsort(service->depends_on, service->depends_count,
				sizeof(*service->depends_on), by_dependency);
		randomise_update(service, seed);
		world->images[i] = (struct plan_image){ names[i],
			random_next(seed) % 2 ? "sha256:a" : "sha256:b" };
	}
	qsort(project->services, count, sizeof(*project->services), by_name);
}

static inline struct observed_container *add_container(
	struct world *world, const char *service, unsigned int number)
{
	struct observed *observed = &world->observed;
	struct observed_container *container =
		arena_array_add(world->arena, observed->containers, observed->container_count);

	container->id = arena_printf(world->arena, "%08u", ++world->next_id);
	container->service = service;
	container->number = number;
	container->name = arena_printf(world->arena, "demo-%s-%u", service, number);
	container->config_hash = "";
	container->image_id = "";
	container->networks = arena_alloc(world->arena, 3 * sizeof(char *));
	container->depends_on = arena_alloc(world->arena, sizeof(char *));
	return container;
}

static inline void populate(struct world *world, uint32_t *seed)
{
	struct observed *observed = &world->observed;

	observed->arena = world->arena;
	observed->project = "demo";
	for (size_t i = 0; i < SERVICES_MAX; i++) {
		size_t count = random_next(seed) % (REPLICAS_MAX + 1);

		for (unsigned int n = 1; n <= count; n++) {
			struct observed_container *container = add_container(world, names[i], n);
			size_t networks = 0;

			container->status = (enum observed_status)(random_next(seed) % 5);
			if (has_check(container->service))
				container->health =
					(enum observed_health)(1 + random_next(seed) % 3);
			container->exit_code = (int)(random_next(seed) % 2);
			if (container->status == OBSERVED_RUNNING && random_next(seed) % 8 == 0)
				container->damage = "a network interface of it was removed";
			container->config_hash =
				arena_printf(world->arena, "hash%u", random_next(seed) % 3);
			container->image_id = random_next(seed) % 2 ? "sha256:a" : "sha256:b";
			if (random_next(seed) % 2)
				container->networks[networks++] = (char *)"demo_back";
			if (random_next(seed) % 2)
				container->networks[networks++] = (char *)"demo_front";
		}
	}
	for (size_t i = 0; i < 2; i++) {
		struct observed_network *network;

		if (random_next(seed) % 2)
			continue;
		network =
			arena_array_add(world->arena, observed->networks, observed->network_count);
		network->name = i ? "demo_front" : "demo_back";
		network->key = i ? "front" : "back";
		network->config_hash = arena_printf(world->arena, "net%u", random_next(seed) % 2);
	}
	observed_sort(observed);
}

static inline void remove_at(void *items, size_t *count, size_t size, size_t index)
{
	char *bytes = items;

	memmove(bytes + index * size, bytes + (index + 1) * size, (*count - index - 1) * size);
	(*count)--;
}

static inline struct observed_container *find_id(struct world *world, const char *id)
{
	for (size_t i = 0; id && i < world->observed.container_count; i++)
		if (!strcmp(world->observed.containers[i].id, id))
			return &world->observed.containers[i];
	return NULL;
}

static inline const char *image_of(const struct world *world, const char *service)
{
	for (size_t i = 0; i < SERVICES_MAX; i++)
		if (world->images[i].service && !strcmp(world->images[i].service, service))
			return world->images[i].image_id;
	return NULL;
}

static inline bool is_removed_by(const struct plan *plan, const char *id)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == PLAN_REMOVE && plan->actions[i].id &&
			!strcmp(plan->actions[i].id, id))
			return true;
	return false;
}

/* Gates are there to be relied on: what depends on a service's health or end starts when every
 * container of it that stays has come so far. */
static inline void assert_conditions_hold(
	const struct world *world, const struct plan *plan, const struct service *service)
{
	for (size_t d = 0; service && d < service->depends_count; d++) {
		const struct dependency *dependency = &service->depends_on[d];

		for (size_t i = 0; i < world->observed.container_count; i++) {
			const struct observed_container *container = &world->observed.containers[i];

			if (strcmp(container->service, dependency->service) ||
				is_removed_by(plan, container->id))
				continue;
			if (dependency->condition == DEPENDS_HEALTHY)
				assert_int_equal(container->health, OBSERVED_HEALTHY);
			if (dependency->condition == DEPENDS_COMPLETED)
				assert_true(container->status == OBSERVED_EXITED &&
					    container->exit_code == 0);
		}
	}
}

/* What apply does, on the model of the world. `created` maps an action's slot to the id made for
 * it. */
static inline void perform(
	struct world *world, const struct plan *plan, size_t index, const char **created)
{
	const struct plan_action *action = &plan->actions[index];
	struct observed *observed = &world->observed;
	struct observed_container *container = NULL;
	const char *id = action->id;

	for (size_t i = 0; !id && i < plan->count; i++)
		if (plan->actions[i].kind == PLAN_CREATE && created[i] &&
			plan->actions[i].service == action->service &&
			plan->actions[i].number == action->number)
			id = created[i];
	container = find_id(world, id);
	switch (action->kind) {
	case PLAN_CREATE_NETWORK: {
		struct observed_network *network =
			arena_array_add(world->arena, observed->networks, observed->network_count);

		network->name = action->network->name;
		network->key = action->network->key;
		network->config_hash = action->network->config_hash;
		break;
	}
	case PLAN_REMOVE_NETWORK:
		for (size_t c = 0; c < observed->container_count; c++)
			if (strv_contains(observed->containers[c].networks, action->name))
				assert_true(observed->containers[c].status == OBSERVED_CREATED ||
					    observed->containers[c].status == OBSERVED_EXITED);
		for (size_t i = 0; i < observed->network_count; i++)
			if (!strcmp(observed->networks[i].name, action->name)) {
				remove_at(observed->networks, &observed->network_count,
					sizeof(*observed->networks), i);
				break;
			}
		break;
	case PLAN_CREATE: {
		size_t count = 0;

		container = add_container(world, action->service->name, action->number);
		created[index] = container->id;
		container->status = OBSERVED_CREATED;
		container->config_hash = action->service->config_hash;
		container->image_id = image_of(world, action->service->name);
		for (size_t i = 0; i < action->service->network_count; i++)
			container->networks[count++] = (char *)project_find_network(
				&world->project, action->service->networks[i].key)
							       ->name;
		if (action->replaces)
			container->name = arena_printf(
				world->arena, "%s_%s", action->replaces->id, action->name);
		for (size_t i = 0; i + 1 < observed->container_count; i++)
			assert_string_not_equal(observed->containers[i].name, container->name);
		break;
	}
	case PLAN_RENAME:
		assert_non_null(container);
		for (size_t i = 0; i < observed->container_count; i++)
			assert_string_not_equal(observed->containers[i].name, action->name);
		container->name = arena_strdup(world->arena, action->name); /* outlives the plan */
		break;
	case PLAN_START:
	case PLAN_RESTART:
		assert_non_null(container);
		if (!action->of_update)
			assert_string_equal(container->name, action->name);
		assert_conditions_hold(world, plan, action->service);
		container->health = has_check(container->service) ? OBSERVED_HEALTH_STARTING
								  : OBSERVED_NO_HEALTHCHECK;
		for (size_t i = 0; action->service && container->networks[i]; i++) {
			bool there = false;

			for (size_t n = 0; n < observed->network_count; n++)
				there |=
					!strcmp(observed->networks[n].name, container->networks[i]);
			assert_true(there);
		}
		container->status = OBSERVED_RUNNING;
		break;
	case PLAN_STOP:
		assert_non_null(container);
		container->status = OBSERVED_EXITED;
		container->damage = NULL; /* the next run gets everything anew */
		break;
	case PLAN_REMOVE:
		assert_non_null(container);
		assert_true(container->status == OBSERVED_CREATED ||
			    container->status == OBSERVED_EXITED);
		remove_at(observed->containers, &observed->container_count,
			sizeof(*observed->containers), (size_t)(container - observed->containers));
		break;
	case PLAN_WAIT_COMPLETED:
		assert_non_null(container);
		container->status = OBSERVED_EXITED;
		container->exit_code = 0;
		container->damage = NULL;
		break;
	case PLAN_WAIT_HEALTHY:
	case PLAN_WAIT_READY:
		assert_non_null(container);
		assert_true(container->status == OBSERVED_RUNNING ||
			    container->status == OBSERVED_PAUSED ||
			    container->status == OBSERVED_RESTARTING);
		container->status = OBSERVED_RUNNING;
		if (has_check(container->service))
			container->health = OBSERVED_HEALTHY;
		break;
	default:
		break;
	}
}

/* How a plan is carried out. */
struct walk {
	size_t limit;  /* of actions */
	size_t victim; /* the action that fails, which ends the walk; SIZE_MAX = none */
	void (*check)(struct world *world); /* after each action; may be NULL */
};

/* Carry out actions in an order the edges allow, chosen by `seed`. Returns how many were done. */
static inline size_t walk_plan(
	struct world *world, const struct plan *plan, const struct walk *walk, uint32_t *seed)
{
	bool *done = xcalloc(plan->count + 1, sizeof(*done));
	const char **created = xcalloc(plan->count + 1, sizeof(*created));
	size_t performed = 0;
	bool failed = false;

	while (performed < plan->count && performed < walk->limit && !failed) {
		size_t start = random_next(seed) % plan->count, i;
		bool moved = false;

		for (size_t k = 0; k < plan->count && !moved; k++) {
			bool ready;

			i = (start + k) % plan->count;
			ready = !done[i];
			for (size_t a = 0; a < plan->actions[i].after_count; a++)
				ready &= done[plan->actions[i].after[a]];
			if (!ready)
				continue;
			failed = i == walk->victim;
			if (!failed)
				perform(world, plan, i, created);
			if (walk->check)
				walk->check(world);
			done[i] = moved = true;
			performed++;
		}
		assert_true(moved); /* else the edges form a circle */
	}
	free(done);
	free(created);
	observed_sort(&world->observed);
	return performed;
}

static inline size_t carry_out(
	struct world *world, const struct plan *plan, size_t limit, uint32_t *seed)
{
	const struct walk walk = { limit, SIZE_MAX, NULL };

	return walk_plan(world, plan, &walk, seed);
}

static inline void make_plan(struct world *world, bool remove_orphans, struct plan *ret)
{
	struct plan_up_options options = {
		.images = world->images,
		.image_count = world->project.service_count,
		.remove_orphans = remove_orphans,
	};
	struct error err = ERROR_INIT;
	struct observed *seen = arena_alloc(world->arena, sizeof(*seen));
	size_t size = world->observed.container_count * sizeof(*seen->containers);

	/* The plan points into what was observed, which stays as it was while the world changes. */
	*seen = world->observed;
	seen->containers = arena_alloc(world->arena, size + 1);
	if (size)
		memcpy(seen->containers, world->observed.containers, size);
	if (plan_up(&world->project, seen, &options, ret, &err) < 0)
		fail_msg("plan_up: %s", error_text(&err));
}

static inline void assert_is_desired(const struct world *world)
{
	const struct project *project = &world->project;

	for (size_t s = 0; s < project->service_count; s++) {
		const struct service *service = &project->services[s];
		size_t running = 0;

		for (size_t i = 0; i < world->observed.container_count; i++) {
			const struct observed_container *container = &world->observed.containers[i];

			if (strcmp(container->service, service->name))
				continue;
			assert_string_equal(container->config_hash, service->config_hash);
			assert_string_equal(container->image_id, image_of(world, service->name));
			assert_true(container->status == OBSERVED_RUNNING ||
				    container->status == OBSERVED_PAUSED ||
				    container->status == OBSERVED_RESTARTING ||
				    is_job(project, service->name));
			assert_null(strchr(container->name, '_')); /* its proper name */
			running++;
		}
		assert_int_equal(running, service->replicas);
	}
}

static inline void world_make(struct world *world, uint32_t seed)
{
	*world = (struct world){ .arena = arena_new() };
	declare(world, &seed);
	populate(world, &seed);
}

static inline void world_end(struct world *world)
{
	arena_free(world->arena);
}

#endif
