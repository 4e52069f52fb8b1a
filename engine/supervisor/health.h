/* SPDX-License-Identifier: GPL-2.0-or-later
 * health.h - when a container is probed and what the results make of it. Pure.
 * May depend on: container.h (names). Rules: docker's (HEALTHCHECK in its Dockerfile reference).
 *
 * Starting until the first success, which ends the start period, or until `retries` failures in a
 * row; those that began within the start period do not count. Afterwards `retries` failures in a
 * row make it unhealthy and one success makes it healthy. */
#ifndef MYCOMPOSE_SUPERVISOR_HEALTH_H
#define MYCOMPOSE_SUPERVISOR_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/container/container.h"

/* A healthcheck with docker's defaults filled in. */
struct health_rules {
	int64_t interval_ns; /* from the end of a probe to the beginning of the next */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns; /* instead of interval_ns while starting in the start period */
	uint32_t retries;
};
struct health_rules health_rules_of(const struct container_healthcheck *healthcheck);

/* How long after the last probe (the start, if there was none) the next one begins; `ran_ns` is the
 * age of the run. */
int64_t health_delay(
	const struct health_rules *rules, enum container_health health, int64_t ran_ns);

/* What becomes of `health` and of the failures in a row by the result of a probe that began when
 * the run was `ran_ns` old. */
enum container_health health_judge(const struct health_rules *rules, enum container_health health,
	bool success, int64_t ran_ns, uint32_t *failing_streak);

#endif
