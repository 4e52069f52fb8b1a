/* SPDX-License-Identifier: GPL-2.0-or-later
 * status_text.c - docker's STATUS column. */
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/container.h"

/* A clock set back must not yield a negative age. */
static char *age(int64_t since_ns, int64_t now_ns)
{
	return time_format_human(now_ns > since_ns ? now_ns - since_ns : 0);
}

/* "Exited (137) 3 minutes ago"; what nobody saw has no code and no time. */
static char *ended(const char *word, const struct container_state *state, int64_t now_ns)
{
	cleanup_free char *code =
		state->exit_code < 0 ? xstrdup("unknown") : xasprintf("%d", state->exit_code);
	cleanup_free char *since = NULL;

	if (state->finished_ns == 0)
		return xasprintf("%s (%s)", word, code);
	since = age(state->finished_ns, now_ns);
	return xasprintf("%s (%s) %s ago", word, code, since);
}

/* What stands behind "Up 2 seconds"; docker shows no health beside a pause. */
static const char *remark(const struct container_state *state)
{
	static const char *const remarks[] = {
		[HEALTH_NONE] = "",
		[HEALTH_STARTING] = " (health: starting)",
		[HEALTH_HEALTHY] = " (healthy)",
		[HEALTH_UNHEALTHY] = " (unhealthy)",
	};

	return state->status == CONTAINER_PAUSED ? " (Paused)" : remarks[state->health];
}

char *container_status_text(const struct container_state *state, int64_t now_ns)
{
	cleanup_free char *up = NULL;

	switch (state->status) {
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		up = age(state->started_ns, now_ns);
		return xasprintf("Up %s%s", up, remark(state));
	case CONTAINER_RESTARTING:
		return ended("Restarting", state, now_ns);
	case CONTAINER_EXITED:
		return ended("Exited", state, now_ns);
	case CONTAINER_DEAD:
		return xstrdup("Dead");
	case CONTAINER_CREATED:
		break;
	}
	return xstrdup("Created");
}
