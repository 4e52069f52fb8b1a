/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_probe.c - probe a running container by its health check. */
#include "engine/supervisor/health_probe.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/health.h"
#include "engine/supervisor/health_log.h"
#include "engine/supervisor/inside.h"
#include "engine/supervisor/minded.h"

#define PROBE_NAME "probe"

struct health_monitor {
	struct health_rules rules;
	struct health_log log;
	char **args;
	struct inside *probe; /* its process exists */
	struct loop_timer *timer;
	int64_t began_ns; /* of the last probe, wall time */
	int64_t age_ns;	  /* of the run, when it began */
};

/* "CMD" stands for the words after it, "CMD-SHELL" for the shell and those. */
static char **probe_args(const struct container_healthcheck *healthcheck)
{
	char **args = NULL;

	if (strcmp(healthcheck->test[0], "CMD-SHELL") == 0) {
		strv_extend(&args, healthcheck->shell);
		if (!args) {
			strv_add(&args, "/bin/sh");
			strv_add(&args, "-c");
		}
	}
	strv_extend(&args, healthcheck->test + 1);
	return args;
}

static int64_t run_age(const struct minded *minded)
{
	return time_monotonic() - minded->run_began_ns;
}

static void probe(void *arg);

static void schedule(struct minded *minded, int64_t less_ns)
{
	struct health_monitor *monitor = minded->health;
	int64_t delay_ns =
		health_delay(&monitor->rules, minded->state.health, run_age(minded)) - less_ns;

	loop_cancel(monitor->timer);
	monitor->timer = loop_add_timer(
		minded->supervisor->loop, delay_ns > 0 ? delay_ns : 0, probe, minded);
}

static void write_log(const struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (health_log_write(minded->supervisor->engine, minded->container->id,
		    &minded->health->log, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
}

/* Takes over the output. */
static void judge(struct minded *minded, int exit_code, char *output)
{
	struct health_monitor *monitor = minded->health;
	struct health_result result = { monitor->began_ns, time_now(), exit_code, output };
	enum container_health before = minded->state.health;

	minded->state.health = health_judge(&monitor->rules, before, exit_code == 0,
		monitor->age_ns, &monitor->log.failing_streak);
	health_log_add(&monitor->log, &result);
	write_log(minded);
	schedule(minded, 0);
	if (minded->state.health == before)
		return;
	minded_save(minded, FILE_VOLATILE);
	supervisor_emit(minded->supervisor, minded, EVENT_HEALTH, false);
	if (minded->state.health != HEALTH_UNHEALTHY || !minded->container->healthcheck.restart)
		return;
	output_note(minded, "unhealthy: it is stopped and started again");
	minded_replace_unhealthy(minded);
}

/* What it said, in docker's words where it did not come to an end. */
static char *result_text(const struct inside_result *result, int64_t timeout_ns)
{
	if (result->failure)
		return xstrdup(error_text(result->failure));
	if (!result->timed_out)
		return xasprintf("%s%s", result->output, result->truncated ? "..." : "");
	return xasprintf("Health check exceeded timeout (%gs)%s%s%s",
		(double)timeout_ns / NS_PER_SEC, *result->output ? ": " : "", result->output,
		result->truncated ? "..." : "");
}

static void probed(const struct inside_result *result, void *arg)
{
	struct minded *minded = arg;

	judge(minded, result->exit_code, result_text(result, minded->health->rules.timeout_ns));
}

static void probe(void *arg)
{
	struct minded *minded = arg;
	struct health_monitor *monitor = minded->health;
	cleanup_error struct error err = ERROR_INIT;
	struct inside_request request = {
		.name = PROBE_NAME,
		.exec = { .args = monitor->args, .adopts_orphans = true },
		.stdio = { -1, -1, -1 },
		.output_max = HEALTH_OUTPUT_MAX,
		.timeout_ns = monitor->rules.timeout_ns,
		.end_group = true,
		.done = probed,
		.arg = minded,
	};

	monitor->timer = NULL;
	monitor->began_ns = time_now();
	monitor->age_ns = run_age(minded);
	if (monitor->probe) {
		inside_kill(monitor->probe);
		judge(minded, -1, xstrdup("The probe before this one has not ended yet"));
	} else if (inside_begin(minded, &request, &monitor->probe, &err) < 0) {
		judge(minded, -1, xstrdup(error_text(&err)));
	}
}

static struct health_monitor *monitor_new(struct minded *minded)
{
	const struct container_healthcheck *healthcheck = &minded->container->healthcheck;
	struct health_monitor *monitor;

	if (!container_has_healthcheck(healthcheck))
		return NULL;
	monitor = xcalloc(1, sizeof(*monitor));
	monitor->rules = health_rules_of(healthcheck);
	monitor->args = probe_args(healthcheck);
	monitor->log.run_ns = minded->state.started_ns;
	return monitor;
}

void health_begin(struct minded *minded)
{
	minded->health = monitor_new(minded);
	if (minded->health && !minded->stopping)
		schedule(minded, 0);
}

/* How long ago the last probe ended. A clock that was set makes a wrong answer, never one that
 * matters: the next probe is due now at the soonest and in an interval at the latest. */
static int64_t since_last_probe(const struct health_log *log)
{
	int64_t since_ns = log->count ? time_now() - log->results[log->count - 1].end_ns : 0;

	return since_ns > 0 ? since_ns : 0;
}

void health_resume(struct minded *minded)
{
	const struct engine *engine = minded->supervisor->engine;
	cleanup_error struct error err = ERROR_INIT;

	minded->health = monitor_new(minded);
	if (!minded->health)
		return;
	inside_end_leftover(minded, PROBE_NAME);
	if (health_log_read(engine, minded->container->id, minded->state.started_ns,
		    &minded->health->log, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (minded->state.status == CONTAINER_RUNNING)
		schedule(minded, since_last_probe(&minded->health->log));
}

void health_suspend(struct minded *minded)
{
	struct health_monitor *monitor = minded->health;

	if (!monitor)
		return;
	loop_cancel(monitor->timer);
	monitor->timer = NULL;
	inside_abandon(monitor->probe);
}

void health_go_on(struct minded *minded)
{
	if (minded->health && !minded->stopping)
		schedule(minded, 0);
}

void health_end(struct minded *minded)
{
	struct health_monitor *monitor = minded->health;

	if (!monitor)
		return;
	health_suspend(minded);
	health_log_release(&monitor->log);
	strv_free(monitor->args);
	free(monitor);
	minded->health = NULL;
}
