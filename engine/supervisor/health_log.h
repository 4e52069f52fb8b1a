/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_log.h - the last results of a container's health check, on disk beside its record:
 * <data>/containers/ID/health.json, written after each probe, read by whoever shows it and by the
 * supervisor that goes on.
 * May depend on: engine/base/, container/ (fields). */
#ifndef MYCOMPOSE_SUPERVISOR_HEALTH_LOG_H
#define MYCOMPOSE_SUPERVISOR_HEALTH_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

#define HEALTH_LOG_RESULTS 5	/* docker's */
#define HEALTH_OUTPUT_MAX  4096 /* bytes kept of what a probe says */

struct health_result {
	int64_t start_ns; /* wall time */
	int64_t end_ns;
	int exit_code; /* -1: it took too long, or could not be run */
	char *output;
};

struct health_log {
	int64_t run_ns; /* started_ns of the run that the results belong to */
	uint32_t failing_streak;
	struct health_result *results; /* oldest first */
	size_t count;
};
void health_log_release(struct health_log *log);
/* Takes over the output; the oldest result goes. */
void health_log_add(struct health_log *log, struct health_result *result);

int health_log_write(const struct engine *engine, const char *container_id,
	const struct health_log *log, struct error *err);
/* Results of another run than the one that began at `run_ns`, or none at all: an empty log. */
int health_log_read(const struct engine *engine, const char *container_id, int64_t run_ns,
	struct health_log *ret, struct error *err);

#endif
