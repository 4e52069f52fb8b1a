/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_test.c - when a container is probed, what results make of it, and what belongs to a probe,
 * as tables. */
#include "engine/supervisor/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/health_log.h"
#include "engine/supervisor/process_tree.h"
#include "tests/unit/engine/container/support.h"

#define MS NS_PER_MS
#define S  NS_PER_SEC

static void what_is_not_said_is_as_docker_has_it(void **state)
{
	const struct container_healthcheck nothing = { 0 };
	const struct container_healthcheck all = {
		.interval_ns = 1,
		.timeout_ns = 2,
		.start_period_ns = 3,
		.start_interval_ns = 4,
		.retries = 5,
	};
	struct health_rules rules = health_rules_of(&nothing);

	(void)state;
	assert_int_equal(rules.interval_ns, 30 * S);
	assert_int_equal(rules.timeout_ns, 30 * S);
	assert_int_equal(rules.start_period_ns, 0);
	assert_int_equal(rules.start_interval_ns, 5 * S);
	assert_int_equal(rules.retries, 3);
	rules = health_rules_of(&all);
	assert_int_equal(rules.interval_ns, 1);
	assert_int_equal(rules.timeout_ns, 2);
	assert_int_equal(rules.start_period_ns, 3);
	assert_int_equal(rules.start_interval_ns, 4);
	assert_int_equal(rules.retries, 5);
}

static void no_test_and_the_word_none_are_no_healthcheck(void **state)
{
	char none_word[] = "NONE", cmd_word[] = "CMD", *empty[] = { NULL };
	char *none[] = { none_word, NULL }, *cmd[] = { cmd_word, NULL };

	(void)state;
	assert_false(container_has_healthcheck(&(struct container_healthcheck){ 0 }));
	assert_false(container_has_healthcheck(&(struct container_healthcheck){ .test = none }));
	assert_false(container_has_healthcheck(&(struct container_healthcheck){ .test = empty }));
	assert_true(container_has_healthcheck(&(struct container_healthcheck){ .test = cmd }));
}

static void probes_come_quicker_while_it_starts(void **state)
{
	static const struct {
		int64_t start_period_ns;
		enum container_health health;
		int64_t ran_ns;
		int64_t delay_ns;
	} rows[] = {
		{ 0, HEALTH_STARTING, 0, 30 * S },
		{ 60 * S, HEALTH_STARTING, 0, 5 * S },
		{ 60 * S, HEALTH_STARTING, 60 * S - 1, 5 * S },
		{ 60 * S, HEALTH_STARTING, 60 * S, 30 * S },
		{ 60 * S, HEALTH_HEALTHY, 1 * S, 30 * S },
		{ 60 * S, HEALTH_UNHEALTHY, 1 * S, 30 * S },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health_rules rules = health_rules_of(&(struct container_healthcheck){
			.start_period_ns = rows[i].start_period_ns });

		if (health_delay(&rules, rows[i].health, rows[i].ran_ns) != rows[i].delay_ns)
			fail_msg("row %zu", i);
	}
}

/* A word of results, oldest first: '+' success, '-' failure, '.' 10 s go by. Each probe begins when
 * the one before has ended. The letters of what it is after each result: s, h, u. */
static void row_14_8_results_decide_what_it_is(void **state)
{
	static const struct {
		const char *results;
		int64_t start_period_ns;
		uint32_t retries;
		const char *health;
		uint32_t streak;
	} rows[] = {
		{ "+", 0, 3, "h", 0 },
		{ "---", 0, 3, "ssu", 3 },
		{ "--+--", 0, 3, "sshhh", 2 },
		{ "+---+", 0, 3, "hhhuh", 0 },
		{ "-", 0, 1, "u", 1 },
		{ "----", 0, 3, "ssuu", 4 },
		/* failures in the start period do not count */
		{ "-----", 5 * S, 3, "sssss", 0 },
		{ "--.---", 5 * S, 3, "ssssu", 3 },
		/* a success in it ends it */
		{ "-+---", 5 * S, 3, "shhhu", 3 },
		{ "-+-", 5 * S, 1, "shu", 1 },
		{ "..-", 5 * S, 1, "u", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct health_rules rules = health_rules_of(&(struct container_healthcheck){
			.start_period_ns = rows[i].start_period_ns, .retries = rows[i].retries });
		enum container_health health = HEALTH_STARTING;
		uint32_t streak = 0;
		int64_t ran_ns = 0;
		size_t at = 0;

		for (const char *result = rows[i].results; *result; result++) {
			if (*result == '.') {
				ran_ns += 10 * S;
				continue;
			}
			health = health_judge(&rules, health, *result == '+', ran_ns, &streak);
			if (*container_health_name(health) != rows[i].health[at++])
				fail_msg("row %zu, result %zu: %s", i, at,
					container_health_name(health));
		}
		if (streak != rows[i].streak)
			fail_msg("row %zu: %u failures in a row", i, streak);
	}
}

static void the_last_five_results_are_kept(void **state)
{
	struct health_log log = { 0 };

	(void)state;
	for (int i = 1; i <= 7; i++) {
		struct health_result result = { i, i, i, xasprintf("%d", i) };

		health_log_add(&log, &result);
		assert_null(result.output);
	}
	assert_int_equal(log.count, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(log.results[i].exit_code, i + 3);
		assert_int_equal(log.results[i].output[0], '3' + i);
	}
	health_log_release(&log);
}

/* pid, start time, parent, session */
#define P(pid_, start, parent_, session_)                                                   \
	{                                                                                   \
		.process = { (pid_), (start) }, .parent = (parent_), .session = (session_), \
	}

static void row_14_8_what_belongs_to_a_probe(void **state)
{
	static const struct process_stat entries[] = {
		P(10, 1, 1, 10),  /* the container's first process */
		P(11, 2, 10, 10), /* its child */
		P(20, 5, 1, 20),  /* the probe */
		P(22, 6, 21, 22), /* in a session of its own: a grandchild */
		P(21, 6, 20, 20), /* a child, listed later */
		P(23, 7, 10, 20), /* an orphan of the session */
		P(24, 8, 23, 24), /* the orphan's daemon */
		P(30, 9, 1, 30),  /* another exec */
	};
	static const struct {
		struct process_id root;
		const char *members; /* of the entries, in order */
	} rows[] = {
		{ { 20, 5 }, "--xxxxx-" },
		{ { 20, 4 }, "--------" }, /* recycled */
		{ { 22, 6 }, "---x----" },
		{ { 30, 9 }, "-------x" },
		{ { 40, 1 }, "--------" },
	};
	/* The probe itself is gone, its session is not. */
	static const struct process_stat orphans[] = {
		P(10, 1, 1, 10),
		P(21, 6, 10, 20),
	};
	bool members[ARRAY_LEN(entries)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t wanted = 0;
		size_t found =
			process_tree_find(entries, ARRAY_LEN(entries), &rows[i].root, members);

		for (size_t j = 0; j < ARRAY_LEN(entries); j++) {
			wanted += rows[i].members[j] == 'x';
			if (found && members[j] != (rows[i].members[j] == 'x'))
				fail_msg("row %zu, entry %zu", i, j);
		}
		if (found != wanted)
			fail_msg("row %zu: %zu found", i, found);
	}
	assert_int_equal(process_tree_find(orphans, 2, &(struct process_id){ 20, 5 }, members), 1);
	assert_true(members[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_is_as_docker_has_it),
		cmocka_unit_test(no_test_and_the_word_none_are_no_healthcheck),
		cmocka_unit_test(probes_come_quicker_while_it_starts),
		cmocka_unit_test(row_14_8_results_decide_what_it_is),
		cmocka_unit_test(the_last_five_results_are_kept),
		cmocka_unit_test(row_14_8_what_belongs_to_a_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
