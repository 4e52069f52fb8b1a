/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply_gates.c - what a plan waits for: a container's health, its end, a while.
 *
 * A gate looks at the container's state when it is reached, and again at each event of it: the
 * supervisor writes a state down before it tells the event, so nothing is missed in between. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/container.h"

/* A container without a health check that ends at once was never ready: as Compose does, --wait
 * looks at it only after this time. */
#define SETTLE_NS     (500 * NS_PER_MS)
#define UNSEEN_END_NS (5 * NS_PER_SEC)

/* Who cannot go on because of this gate: "web" and "worker". Heap strv of service names. */
static char **waiting_for(const struct apply *apply, size_t gate)
{
	const struct plan *plan = apply->plan;
	char **names = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];

		for (size_t a = 0; a < action->after_count; a++)
			if (action->after[a] == gate && action->service &&
				action->service != plan->actions[gate].service &&
				!strv_contains(names, action->service->name))
				strv_add(&names, action->service->name);
	}
	return names;
}

/* "; service "web" waits for it": the end of a message, heap. */
static char *waiters_text(char *const *names)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; names && names[i]; i++)
		strbuf_addf(&text, "%s\"%s\"",
			i	   ? ", "
			: names[1] ? "; services "
				   : "; service ",
			names[i]);
	if (names)
		strbuf_add_str(&text, names[1] ? " wait for it" : " waits for it");
	return strbuf_steal(&text);
}

static int end_failure(const struct apply *apply, size_t index, const struct container *container,
	const struct container_state *state, struct error *err)
{
	const char *service = container_label(container, LABEL_SERVICE);
	cleanup_strv char **names = waiting_for(apply, index);
	cleanup_free char *waiters = waiters_text(names);

	if (state->exit_code < 0)
		return error_set(err, -ECHILD,
			"service \"%s\" didn't complete successfully: its exit code is not "
			"known%s",
			service ? service : "", waiters ? waiters : "");
	return error_set(err, -ECHILD, "service \"%s\" didn't complete successfully: exit %d%s",
		service ? service : "", state->exit_code, waiters ? waiters : "");
}

static int ready_failure(
	const struct apply *apply, size_t index, const char *what, struct error *err)
{
	cleanup_strv char **names = waiting_for(apply, index);
	cleanup_free char *waiters = waiters_text(names);

	return error_set(err, -ECHILD, "%scontainer %s %s%s",
		names ? "dependency failed to start: " : "", apply->plan->actions[index].name, what,
		waiters ? waiters : "");
}

/* 1 = it is so far, 0 = it may still come to that, negative = it will not. */
static int judge_ready(const struct apply *apply, size_t index, const struct container_state *state,
	struct error *err)
{
	bool needs_check = apply->plan->actions[index].kind == PLAN_WAIT_HEALTHY;
	cleanup_free char *exited = xasprintf("exited (%d)", state->exit_code);

	switch (state->status) {
	case CONTAINER_EXITED:
	case CONTAINER_DEAD:
		return ready_failure(apply, index, exited, err);
	case CONTAINER_CREATED:
		return ready_failure(apply, index, "is not running", err);
	case CONTAINER_RESTARTING:
		return apply->steps[index].is_held ? ready_failure(apply, index, exited, err) : 0;
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		break;
	}
	if (state->health == HEALTH_UNHEALTHY)
		return ready_failure(apply, index, "is unhealthy", err);
	if (state->health == HEALTH_NONE && needs_check)
		return ready_failure(apply, index, "has no healthcheck configured", err);
	return state->health != HEALTH_STARTING && state->status == CONTAINER_RUNNING;
}

static int judge(const struct apply *apply, size_t index, const struct container *container,
	const struct container_state *state, struct error *err)
{
	if (apply->plan->actions[index].kind != PLAN_WAIT_COMPLETED)
		return judge_ready(apply, index, state, err);
	if (state->status != CONTAINER_EXITED && state->status != CONTAINER_DEAD)
		return 0;
	return state->exit_code == 0 ? 1 : end_failure(apply, index, container, state, err);
}

static int64_t hold_of(const struct plan_action *action, const struct container_state *state)
{
	bool settles =
		action->is_wait && state->health == HEALTH_NONE && action->kind == PLAN_WAIT_READY;

	return settles && action->hold_ns < SETTLE_NS ? SETTLE_NS : action->hold_ns;
}

/* The process is gone, and its supervisor is about to write down how it ended and to tell. Whoever
 * has no supervisor will not be told. */
static bool is_not_told_yet(
	struct apply_step *step, const struct container_state *state, int64_t now)
{
	if (!state->end_is_unseen)
		return false;
	if (step->told_until_ns == 0)
		step->told_until_ns = now + UNSEEN_END_NS;
	return now < step->told_until_ns;
}

/* The same results as judge's, with the time that it must stay so taken into account. */
static int look(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	struct apply_step *step = &apply->steps[index];
	cleanup_container struct container *container = NULL;
	struct container_state state = { 0 };
	int64_t hold_ns, now = time_monotonic();
	int r = apply_container(apply, action, &container, err);

	if (r == 0)
		r = container_load_state(apply->options->engine, container->id, &state, err);
	if (r < 0)
		return r;
	snprintf(step->container_id, sizeof(step->container_id), "%s", container->id);
	r = is_not_told_yet(step, &state, now) ? 0 : judge(apply, index, container, &state, err);
	hold_ns = hold_of(action, &state);
	container_state_release(&state);
	if (r <= 0 || hold_ns == 0) {
		step->is_held = false;
		return r;
	}
	if (!step->is_held) {
		step->is_held = true;
		step->held_until_ns = now + hold_ns;
	}
	return now >= step->held_until_ns;
}

int gate_begin(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	struct apply_step *step = &apply->steps[index];
	int r;

	step->deadline_ns = INT64_MAX;
	if (action->kind == PLAN_DELAY) {
		step->is_held = true;
		step->held_until_ns = time_monotonic() + action->hold_ns;
		return action->hold_ns ? 0 : 1;
	}
	if (action->is_wait && apply->options->wait_timeout_ns > 0)
		step->deadline_ns = time_monotonic() + apply->options->wait_timeout_ns;
	r = look(apply, index, err);
	if (r == 0)
		apply_progress(apply, action, "Waiting", PROGRESS_WORKING, NULL);
	return r;
}

int gate_look(struct apply *apply, size_t index, struct error *err)
{
	const struct apply_step *step = &apply->steps[index];
	int64_t now = time_monotonic();
	int r;

	if (apply->plan->actions[index].kind == PLAN_DELAY)
		return now >= step->held_until_ns;
	r = look(apply, index, err);
	if (r == 0 && now >= step->deadline_ns) {
		cleanup_free char *text = format_duration(apply->options->wait_timeout_ns);

		return error_set(err, -ETIMEDOUT, "application not healthy after %s", text);
	}
	return r;
}

bool gate_is_about(const struct apply *apply, size_t index, const char *container_id)
{
	return !strcmp(apply->steps[index].container_id, container_id);
}

int gate_timeout_ms(const struct apply *apply, size_t index)
{
	const struct apply_step *step = &apply->steps[index];
	int64_t end = step->deadline_ns;

	if (step->is_held && step->held_until_ns < end)
		end = step->held_until_ns;
	if (end == INT64_MAX)
		return -1;
	end -= time_monotonic();
	if (end <= 0)
		return 0;
	return end / NS_PER_MS >= INT_MAX ? INT_MAX : (int)(end / NS_PER_MS) + 1;
}

void gate_finished(struct apply *apply, size_t index)
{
	const struct plan_action *action = &apply->plan->actions[index];

	if (action->kind != PLAN_DELAY)
		apply_progress(apply, action,
			action->kind == PLAN_WAIT_COMPLETED ? "Exited" : "Healthy", PROGRESS_DONE,
			NULL);
}
