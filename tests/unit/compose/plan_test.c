/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_test.c - plans for hand-made worlds, and properties over thousands of random ones: a plan
 * carried out converges, a second plan is empty, what is unchanged is not touched, order follows
 * depends_on, and an interrupted plan resumed ends in the same state. */
#include "compose/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static const char *const names[SERVICES_MAX] = { "alpha", "beta", "gamma", "delta", "epsilon",
	"zeta" };

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct service *)a)->name, ((const struct service *)b)->name);
}

static void add_dependency(struct world *world, struct service *service, const char *on)
{
	struct dependency *dependency =
		arena_array_add(world->arena, service->depends_on, service->depends_count);

	dependency->service = on;
	dependency->condition = DEPENDS_STARTED;
	dependency->required = true;
}

static void add_network(struct world *world, struct service *service, const char *key)
{
	struct service_network *network =
		arena_array_add(world->arena, service->networks, service->network_count);

	network->key = key;
}

static void declare(struct world *world, uint32_t *seed)
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
		world->images[i] = (struct plan_image){ names[i],
			random_next(seed) % 2 ? "sha256:a" : "sha256:b" };
	}
	qsort(project->services, count, sizeof(*project->services), by_name);
}

static struct observed_container *add_container(
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

static void populate(struct world *world, uint32_t *seed)
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

static void remove_at(void *items, size_t *count, size_t size, size_t index)
{
	char *bytes = items;

	memmove(bytes + index * size, bytes + (index + 1) * size, (*count - index - 1) * size);
	(*count)--;
}

static struct observed_container *find_id(struct world *world, const char *id)
{
	for (size_t i = 0; id && i < world->observed.container_count; i++)
		if (!strcmp(world->observed.containers[i].id, id))
			return &world->observed.containers[i];
	return NULL;
}

static const char *image_of(const struct world *world, const char *service)
{
	for (size_t i = 0; i < SERVICES_MAX; i++)
		if (world->images[i].service && !strcmp(world->images[i].service, service))
			return world->images[i].image_id;
	return NULL;
}

/* What apply does, on the model of the world. `created` maps an action's slot to the id made for
 * it. */
static void perform(
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
		assert_string_equal(container->name, action->name);
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
		break;
	case PLAN_REMOVE:
		assert_non_null(container);
		assert_true(container->status == OBSERVED_CREATED ||
			    container->status == OBSERVED_EXITED);
		remove_at(observed->containers, &observed->container_count,
			sizeof(*observed->containers), (size_t)(container - observed->containers));
		break;
	default:
		break;
	}
}

/* Carry out at most `limit` actions in an order the edges allow, chosen by `seed`. Returns how many
 * were done. */
static size_t carry_out(struct world *world, const struct plan *plan, size_t limit, uint32_t *seed)
{
	bool *done = xcalloc(plan->count + 1, sizeof(*done));
	const char **created = xcalloc(plan->count + 1, sizeof(*created));
	size_t performed = 0;

	while (performed < plan->count && performed < limit) {
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
			perform(world, plan, i, created);
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

static void make_plan(struct world *world, bool remove_orphans, struct plan *ret)
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

static void assert_is_desired(const struct world *world)
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
				    container->status == OBSERVED_RESTARTING);
			running++;
		}
		assert_int_equal(running, service->replicas);
	}
}

static void world_make(struct world *world, uint32_t seed)
{
	*world = (struct world){ .arena = arena_new() };
	declare(world, &seed);
	populate(world, &seed);
}

static void world_end(struct world *world)
{
	arena_free(world->arena);
}

static void random_worlds_converge_and_then_nothing_is_left_to_do(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4000; seed++) {
		struct world world;
		struct plan plan = { 0 }, second = { 0 };
		uint32_t order = seed * 77 + 1;

		world_make(&world, seed);
		make_plan(&world, seed % 2, &plan);
		carry_out(&world, &plan, SIZE_MAX, &order);
		assert_is_desired(&world);
		make_plan(&world, seed % 2, &second);
		assert_true(plan_is_empty(&second));
		plan_release(&plan);
		plan_release(&second);
		world_end(&world);
	}
}

static void row_13_1_an_interrupted_plan_resumed_ends_in_the_same_state(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4000; seed++) {
		struct world world;
		struct plan plan = { 0 };
		uint32_t order = seed;

		world_make(&world, seed);
		for (int attempt = 0; attempt < 40; attempt++) {
			size_t limit = random_next(&order) % 7;

			plan_release(&plan);
			make_plan(&world, true, &plan);
			if (plan_is_empty(&plan))
				break;
			carry_out(&world, &plan, attempt < 39 ? limit : SIZE_MAX, &order);
		}
		plan_release(&plan);
		make_plan(&world, true, &plan);
		carry_out(&world, &plan, SIZE_MAX, &order);
		assert_is_desired(&world);
		plan_release(&plan);
		world_end(&world);
	}
}

static void what_is_as_declared_is_not_touched(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct world world;
		struct plan plan = { 0 }, second = { 0 };
		uint32_t order = seed;
		struct service *changed;

		world_make(&world, seed);
		make_plan(&world, true, &plan);
		carry_out(&world, &plan, SIZE_MAX, &order);
		changed = &world.project.services[seed % world.project.service_count];
		snprintf(changed->config_hash, sizeof(changed->config_hash), "changed");
		make_plan(&world, true, &second);
		for (size_t i = 0; i < second.count; i++)
			if (second.actions[i].kind != PLAN_KEEP)
				assert_ptr_equal(second.actions[i].service, changed);
		plan_release(&plan);
		plan_release(&second);
		world_end(&world);
	}
}

/* Is `before` a predecessor of `action`, through any chain? */
static bool comes_after(const struct plan *plan, size_t action, size_t before, bool *seen)
{
	if (seen[action])
		return false;
	seen[action] = true;
	for (size_t i = 0; i < plan->actions[action].after_count; i++)
		if (plan->actions[action].after[i] == before ||
			comes_after(plan, plan->actions[action].after[i], before, seen))
			return true;
	return false;
}

static void starts_follow_those_of_dependencies(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 1000; seed++) {
		struct world world;
		struct plan plan = { 0 };

		world_make(&world, seed);
		make_plan(&world, false, &plan);
		for (size_t i = 0; i < plan.count; i++) {
			for (size_t j = 0; j < plan.count; j++) {
				bool *seen;

				if (plan.actions[i].kind != PLAN_START ||
					plan.actions[j].kind != PLAN_START ||
					!plan.actions[i].service || !plan.actions[j].service ||
					!service_find_dependency(plan.actions[i].service,
						plan.actions[j].service->name))
					continue;
				seen = xcalloc(plan.count, sizeof(*seen));
				assert_true(comes_after(&plan, i, j, seen));
				free(seen);
			}
		}
		plan_release(&plan);
		world_end(&world);
	}
}

static void the_same_input_gives_the_same_text(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		cleanup_strbuf struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
		struct world world;
		struct plan plan = { 0 };

		world_make(&world, seed);
		make_plan(&world, true, &plan);
		plan_print(&plan, &first);
		plan_release(&plan);
		make_plan(&world, true, &plan);
		plan_print(&plan, &second);
		assert_string_equal(strbuf_text(&first), strbuf_text(&second));
		plan_release(&plan);
		world_end(&world);
	}
}

static void down_stops_dependents_first_and_leaves_nothing(void **state)
{
	const struct plan_down_options options = {
		.remove_containers = true, .remove_networks = true, .remove_orphans = true
	};

	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct world world;
		struct plan plan = { 0 };
		uint32_t order = seed;

		world_make(&world, seed);
		assert_int_equal(
			plan_down(&world.project, &world.observed, &options, &plan, NULL), 0);
		for (size_t i = 0; i < plan.count; i++) {
			for (size_t j = 0; j < plan.count; j++) {
				const struct observed_container *one =
					find_id(&world, plan.actions[i].id);
				const struct observed_container *other =
					find_id(&world, plan.actions[j].id);
				const struct service *service;
				bool *seen;

				if (plan.actions[i].kind != PLAN_STOP ||
					plan.actions[j].kind != PLAN_STOP)
					continue;
				service = project_find_service(&world.project, other->service);
				if (!service || !service_find_dependency(service, one->service))
					continue;
				seen = xcalloc(plan.count, sizeof(*seen));
				assert_true(comes_after(&plan, i, j, seen));
				free(seen);
			}
		}
		carry_out(&world, &plan, SIZE_MAX, &order);
		assert_int_equal(world.observed.container_count, 0);
		assert_int_equal(world.observed.network_count, 0);
		plan_release(&plan);
		world_end(&world);
	}
}

static void a_fresh_project_is_created_and_started_in_order(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct world world = { .arena = arena_new() };
	struct service *services = arena_alloc(world.arena, 2 * sizeof(*services));
	struct plan plan = { 0 };

	(void)state;
	services[0] = (struct service){ .name = "db", .replicas = 1 };
	services[1] = (struct service){ .name = "web", .replicas = 2 };
	add_dependency(&world, &services[1], "db");
	world.project = (struct project){
		.arena = world.arena, .name = "demo", .services = services, .service_count = 2
	};
	world.observed = (struct observed){ .arena = world.arena, .project = "demo" };
	world.images[0] = (struct plan_image){ "db", "sha256:a" };
	world.images[1] = (struct plan_image){ "web", "sha256:a" };
	make_plan(&world, false, &plan);
	plan_print(&plan, &text);
	assert_string_equal(strbuf_text(&text), "create container demo-db-1 (not there yet)\n"
						"start container demo-db-1\n"
						"create container demo-web-1 (not there yet)\n"
						"start container demo-web-1\n"
						"create container demo-web-2 (not there yet)\n"
						"start container demo-web-2\n");
	plan_release(&plan);
	world_end(&world);
}

static void an_unknown_service_is_named(void **state)
{
	char *wanted[] = { (char *)"nope", NULL };
	struct plan_up_options options = { .services = wanted };
	cleanup_error struct error err = ERROR_INIT;
	struct world world;
	struct plan plan = { 0 };

	(void)state;
	world_make(&world, 7);
	assert_int_equal(plan_up(&world.project, &world.observed, &options, &plan, &err), -EINVAL);
	assert_string_equal(error_text(&err), "no such service: nope");
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_worlds_converge_and_then_nothing_is_left_to_do),
		cmocka_unit_test(row_13_1_an_interrupted_plan_resumed_ends_in_the_same_state),
		cmocka_unit_test(what_is_as_declared_is_not_touched),
		cmocka_unit_test(starts_follow_those_of_dependencies),
		cmocka_unit_test(the_same_input_gives_the_same_text),
		cmocka_unit_test(down_stops_dependents_first_and_leaves_nothing),
		cmocka_unit_test(a_fresh_project_is_created_and_started_in_order),
		cmocka_unit_test(an_unknown_service_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
