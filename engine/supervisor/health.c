/* SPDX-License-Identifier: GPL-2.0-or-later
 * health.c - when a container is probed and what the results make of it. */
#include "engine/supervisor/health.h"

#include "engine/base/times.h"

#define INTERVAL_DEFAULT       (30 * NS_PER_SEC)
#define TIMEOUT_DEFAULT	       (30 * NS_PER_SEC)
#define START_INTERVAL_DEFAULT (5 * NS_PER_SEC)
#define RETRIES_DEFAULT	       3

static int64_t or_default(int64_t value, int64_t fallback)
{
	return value > 0 ? value : fallback;
}

struct health_rules health_rules_of(const struct container_healthcheck *healthcheck)
{
	return (struct health_rules){
		.interval_ns = or_default(healthcheck->interval_ns, INTERVAL_DEFAULT),
		.timeout_ns = or_default(healthcheck->timeout_ns, TIMEOUT_DEFAULT),
		.start_period_ns = or_default(healthcheck->start_period_ns, 0),
		.start_interval_ns =
			or_default(healthcheck->start_interval_ns, START_INTERVAL_DEFAULT),
		.retries = healthcheck->retries ? healthcheck->retries : RETRIES_DEFAULT,
	};
}

int64_t health_delay(const struct health_rules *rules, enum container_health health, int64_t ran_ns)
{
	if (health == HEALTH_STARTING && ran_ns < rules->start_period_ns)
		return rules->start_interval_ns;
	return rules->interval_ns;
}

enum container_health health_judge(const struct health_rules *rules, enum container_health health,
	bool success, int64_t ran_ns, uint32_t *failing_streak)
{
	if (success) {
		*failing_streak = 0;
		return HEALTH_HEALTHY;
	}
	if (health == HEALTH_STARTING && ran_ns < rules->start_period_ns)
		return HEALTH_STARTING;
	if (*failing_streak < UINT32_MAX)
		++*failing_streak;
	return *failing_streak >= rules->retries ? HEALTH_UNHEALTHY : health;
}
