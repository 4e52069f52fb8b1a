/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_update_test.c - properties of updates: nobody is missed while they run, and a failed one can
 * be taken back, whatever had been done and in whatever order. */
#include "tests/unit/compose/plan_world.h"

static void make_web(struct world *world, uint32_t *seed, unsigned int replicas)
{
	struct service *web = arena_alloc(world->arena, sizeof(*web));

	web->name = "alpha"; /* has a health check */
	web->replicas = replicas;
	web->update = (struct rollout){
		.is_set = true,
		.start_first = true,
		.parallelism = random_next(seed) % 3,
		.delay_ns = random_next(seed) % 2,
	};
	snprintf(web->config_hash, sizeof(web->config_hash), "new");
	world->project = (struct project){
		.arena = world->arena, .name = "demo", .services = web, .service_count = 1
	};
	world->observed = (struct observed){ .arena = world->arena, .project = "demo" };
	world->images[0] = (struct plan_image){ "alpha", "sha256:a" };
	for (unsigned int number = 1; number <= replicas; number++) {
		struct observed_container *container = add_container(world, "alpha", number);

		container->config_hash = "old";
		container->image_id = "sha256:a";
		container->status = OBSERVED_RUNNING;
		container->health = OBSERVED_HEALTHY;
	}
	observed_sort(&world->observed);
}

static size_t healthy(const struct world *world, const char *hash)
{
	size_t count = 0;

	for (size_t i = 0; i < world->observed.container_count; i++) {
		const struct observed_container *container = &world->observed.containers[i];

		count += container->status == OBSERVED_RUNNING &&
			 container->health == OBSERVED_HEALTHY &&
			 (!hash || !strcmp(container->config_hash, hash));
	}
	return count;
}

static void as_many_as_declared_are_healthy(struct world *world)
{
	assert_true(healthy(world, NULL) >= world->project.services[0].replicas);
}

static void one_at_a_time_is_missing(struct world *world)
{
	assert_true(healthy(world, NULL) + 1 >= world->project.services[0].replicas);
}

static void start_first_never_has_fewer_than_declared(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct walk walk = { SIZE_MAX, SIZE_MAX, as_many_as_declared_are_healthy };
		struct world world = { .arena = arena_new() };
		struct plan plan = { 0 };
		uint32_t order = seed;

		make_web(&world, &order, 1 + seed % 3);
		make_plan(&world, true, &plan);
		walk_plan(&world, &plan, &walk, &order);
		assert_is_desired(&world);
		plan_release(&plan);
		make_plan(&world, true, &plan);
		assert_true(plan_is_empty(&plan));
		plan_release(&plan);
		world_end(&world);
	}
}

static void stop_first_goes_in_parts(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 1000; seed++) {
		struct walk walk = { SIZE_MAX, SIZE_MAX, one_at_a_time_is_missing };
		struct world world = { .arena = arena_new() };
		struct plan plan = { 0 };
		uint32_t order = seed;

		make_web(&world, &order, 1 + seed % 3);
		world.project.services[0].update.start_first = false;
		world.project.services[0].update.parallelism = 1;
		make_plan(&world, true, &plan);
		walk_plan(&world, &plan, &walk, &order);
		assert_is_desired(&world);
		plan_release(&plan);
		world_end(&world);
	}
}

/* One of the steps that may fail in an update: a start, or the readiness that should follow. */
static size_t choose_victim(const struct plan *plan, uint32_t *seed)
{
	size_t victim;

	do
		victim = random_next(seed) % plan->count;
	while (!plan->actions[victim].of_update);
	return victim;
}

/* The gate was open for this container and now it is not. */
static void fail_it(struct world *world, const struct plan_action *action, uint32_t *seed)
{
	for (size_t i = 0; i < world->observed.container_count; i++) {
		struct observed_container *container = &world->observed.containers[i];

		if (container->number != action->number || strcmp(container->config_hash, "new"))
			continue;
		container->status = random_next(seed) % 2 ? OBSERVED_EXITED : container->status;
		container->health = OBSERVED_UNHEALTHY;
	}
}

static void a_failed_update_rolls_back_to_what_ran(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 4000; seed++) {
		struct world world = { .arena = arena_new() };
		struct walk walk = { SIZE_MAX, SIZE_MAX, NULL };
		struct plan plan = { 0 }, back = { 0 };
		struct service *web;
		uint32_t order = seed;

		make_web(&world, &order, 1 + seed % 3);
		web = &world.project.services[0];
		web->update.failure_action = ROLLOUT_ROLLBACK;
		web->update.start_first = random_next(&order) % 2;
		web->rollback.is_set = random_next(&order) % 2;
		web->rollback.start_first = random_next(&order) % 2;
		web->rollback.parallelism = random_next(&order) % 3;
		make_plan(&world, true, &plan);
		walk.victim = choose_victim(&plan, &order);
		walk_plan(&world, &plan, &walk, &order);
		fail_it(&world, &plan.actions[walk.victim], &order);
		assert_int_equal(
			plan_rollback(&world.project, &world.observed, web, &back, NULL), 0);
		carry_out(&world, &back, SIZE_MAX, &order);
		assert_int_equal(world.observed.container_count, web->replicas);
		assert_int_equal(healthy(&world, "old"), web->replicas);
		plan_release(&plan);
		plan_release(&back);
		world_end(&world);
	}
}

static void an_update_that_was_interrupted_goes_on_with_what_it_made(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		struct world world = { .arena = arena_new() };
		struct plan plan = { 0 };
		uint32_t order = seed;
		unsigned int made;

		make_web(&world, &order, 1 + seed % 3);
		world.project.services[0].update.start_first = random_next(&order) % 2;
		for (int attempt = 0; attempt < 30; attempt++) {
			plan_release(&plan);
			make_plan(&world, true, &plan);
			carry_out(&world, &plan, random_next(&order) % 4, &order);
		}
		plan_release(&plan);
		make_plan(&world, true, &plan);
		carry_out(&world, &plan, SIZE_MAX, &order);
		assert_is_desired(&world);
		/* The old ones and one new one each: nothing was made twice. */
		made = world.next_id;
		assert_int_equal(made, 2 * world.project.services[0].replicas);
		plan_release(&plan);
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_first_never_has_fewer_than_declared),
		cmocka_unit_test(stop_first_goes_in_parts),
		cmocka_unit_test(a_failed_update_rolls_back_to_what_ran),
		cmocka_unit_test(an_update_that_was_interrupted_goes_on_with_what_it_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
