/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_test.c - plans for hand-made worlds, and properties over thousands of random ones: a plan
 * carried out converges, a second plan is empty, what is unchanged is not touched, order follows
 * depends_on, and an interrupted plan resumed ends in the same state. */
#include <errno.h>

#include "tests/unit/compose/plan_world.h"

/* Jobs that have ended are run again by each `up`, as Docker Compose does; nothing else is touched.
 */
static void assert_nothing_to_do(const struct world *world, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		assert_true(plan->actions[i].kind == PLAN_KEEP ||
			    plan_kind_is_gate(plan->actions[i].kind) ||
			    (plan->actions[i].kind == PLAN_START &&
				    is_job(&world->project, plan->actions[i].service->name)));
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
		assert_nothing_to_do(&world, &second);
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

/* The changed service, those that restart with it, jobs that are run again; gates touch nothing. */
static bool may_touch(
	struct world *world, const struct plan_action *action, const struct service *changed)
{
	const struct observed_container *container = find_id(world, action->id);
	const struct service *service = action->service;
	const struct dependency *dependency;

	if (!service && container)
		service = project_find_service(&world->project, container->service);
	if (action->kind == PLAN_KEEP || plan_kind_is_gate(action->kind) || service == changed)
		return true;
	if (!service)
		return false;
	dependency = service_find_dependency(service, changed->name);
	return is_job(&world->project, service->name) || (dependency && dependency->restart);
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
			assert_true(may_touch(&world, &second.actions[i], changed));
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

static void who_shares_a_namespace_that_is_gone_is_recreated(void **state)
{
	struct world world = { .arena = arena_new() };
	struct service *services = arena_alloc(world.arena, 2 * sizeof(*services));
	char *shares[] = { (char *)"gone", NULL };
	struct plan plan = { 0 };

	(void)state;
	services[0] = (struct service){ .name = "db", .replicas = 1 };
	services[1] =
		(struct service){ .name = "web", .replicas = 1, .network_mode = "service:db" };
	add_dependency(&world, &services[1], "db");
	world.project = (struct project){
		.arena = world.arena, .name = "demo", .services = services, .service_count = 2
	};
	world.observed = (struct observed){ .arena = world.arena, .project = "demo" };
	world.images[0] = (struct plan_image){ "db", "" };
	world.images[1] = (struct plan_image){ "web", "" };
	add_container(&world, "db", 1)->status = OBSERVED_RUNNING;
	add_container(&world, "web", 1)->status = OBSERVED_RUNNING;
	world.observed.containers[1].shares = shares;
	make_plan(&world, false, &plan);
	assert_string_equal(plan.actions[1].why, "the container whose namespace it shares is gone");
	plan_release(&plan);
	shares[0] = (char *)world.observed.containers[0].id;
	make_plan(&world, false, &plan);
	assert_true(plan_is_empty(&plan));
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
		cmocka_unit_test(who_shares_a_namespace_that_is_gone_is_recreated),
		cmocka_unit_test(an_unknown_service_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
