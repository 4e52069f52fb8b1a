/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply.c - the scheduler that carries a plan out: what is ready runs, starts and stops overlap,
 * the first failure ends it. */
#include "compose/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"

#define TICK_MS	    100
#define OWN_LOOK_MS 10 /* at supervisors beside the project's, while there are any */

static bool is_asynchronous(enum plan_kind kind)
{
	return kind == PLAN_START || kind == PLAN_STOP || kind == PLAN_RESTART ||
	       plan_kind_is_gate(kind);
}

static bool is_ready(const struct apply *apply, const struct plan_action *action)
{
	for (size_t i = 0; i < action->after_count; i++)
		if (apply->steps[action->after[i]].phase != STEP_DONE)
			return false;
	return true;
}

/* How many of the service's new containers have failed, this one included, in thousandths of those
 * that its update makes. */
static uint64_t failed_permille(const struct apply *apply, const struct service *service)
{
	uint64_t failed = 1, all = 0;

	for (size_t i = 0; i < apply->plan->count; i++) {
		const struct plan_action *action = &apply->plan->actions[i];

		if (action->service != service || !action->of_update ||
			action->kind != PLAN_WAIT_READY)
			continue;
		failed += apply->steps[i].is_forgiven;
		all++;
	}
	return all ? failed * 1000 / all : 1000;
}

/* Nobody insists on it, or the service's update is to go on all the same. */
static bool is_tolerable(const struct apply *apply, size_t index, const struct error *cause)
{
	const struct plan_action *action = &apply->plan->actions[index];
	const struct rollout *update = &action->service->update;

	if (cause->code == -EINTR || cause->code == -ETIMEDOUT)
		return false;
	if (action->optional)
		return true;
	return action->of_update &&
	       (update->failure_action == ROLLOUT_CONTINUE ||
		       failed_permille(apply, action->service) <= update->failures_permille);
}

static void step_forgive(struct apply *apply, size_t index, const struct error *cause)
{
	const struct plan_action *action = &apply->plan->actions[index];

	apply->steps[index].phase = STEP_DONE;
	apply->steps[index].is_forgiven = true;
	apply_progress(apply, action, "Skipped", PROGRESS_WARNING, error_text(cause));
	log_warning("%s%s", action->optional ? "optional " : "update goes on: ", error_text(cause));
}

static void remember_failure(
	struct apply *apply, const struct plan_action *action, struct error *cause)
{
	const struct service **failed_update = apply->options->failed_update;

	if (action->service && !plan_kind_is_gate(action->kind))
		error_wrap(cause, "service \"%s\"", action->service->name);
	cause->exit_code = 0; /* 125 to 127 are for who runs one command */
	if (failed_update && action->of_update &&
		action->service->update.failure_action == ROLLOUT_ROLLBACK)
		*failed_update = action->service;
	error_move(&apply->failure, cause);
}

static void step_fail(struct apply *apply, size_t index, struct error *cause)
{
	const struct plan_action *action = &apply->plan->actions[index];

	if (apply->failure.code == 0 && action->service && is_tolerable(apply, index, cause)) {
		step_forgive(apply, index, cause);
	} else {
		apply->steps[index].phase = STEP_FAILED;
		apply_progress(apply, action, "Error", PROGRESS_ERROR, error_text(cause));
		if (apply->failure.code == 0)
			remember_failure(apply, action, cause);
	}
	error_release(cause);
}

static void step_done(struct apply *apply, size_t index)
{
	apply->steps[index].phase = STEP_DONE;
	apply_handlers[apply->plan->actions[index].kind].finished(apply, index);
}

static void step_begin(struct apply *apply, size_t index)
{
	const struct plan_action *action = &apply->plan->actions[index];
	cleanup_error struct error err = ERROR_INIT;
	int r = apply_handlers[action->kind].begin(apply, index, &err);

	if (r < 0) {
		control_free(apply->steps[index].own_control);
		apply->steps[index].own_control = NULL;
		step_fail(apply, index, &err);
	} else if (plan_kind_is_gate(action->kind) && r == 0) {
		apply->steps[index].phase = STEP_UNDER_WAY;
		apply->open_gates++;
	} else if (plan_kind_is_gate(action->kind)) {
		step_done(apply, index);
	} else if (is_asynchronous(action->kind) && apply->steps[index].tag) {
		apply->steps[index].phase = STEP_UNDER_WAY;
		apply->under_way++;
	} else {
		apply->steps[index].phase = STEP_DONE;
	}
}

/* Begin what is ready; quick local actions first, until none is left, so that all addresses can be
 * chosen and the firewall be set once before the first start. Returns whether anything was begun.
 */
static bool begin_ready(struct apply *apply, bool asynchronous)
{
	int parallel = apply->options->parallel;
	bool begun = false;

	for (size_t i = 0; i < apply->plan->count && apply->failure.code == 0; i++) {
		const struct plan_action *action = &apply->plan->actions[i];

		if (apply->steps[i].phase != STEP_WAITING ||
			is_asynchronous(action->kind) != asynchronous || !is_ready(apply, action))
			continue;
		if (asynchronous && !plan_kind_is_gate(action->kind) && parallel > 0 &&
			apply->under_way >= (size_t)parallel)
			continue;
		step_begin(apply, i);
		begun = true;
	}
	return begun;
}

static void step_end(struct apply *apply, size_t index, struct error *cause)
{
	struct apply_step *step = &apply->steps[index];

	apply->under_way--;
	control_free(step->own_control);
	step->own_control = NULL;
	if (cause->code < 0) {
		step_fail(apply, index, cause);
		return;
	}
	step_done(apply, index);
}

static void on_reply(struct apply *apply, struct event *event)
{
	for (size_t i = 0; i < apply->plan->count; i++) {
		const struct apply_step *step = &apply->steps[i];

		if (step->phase != STEP_UNDER_WAY || step->own_control || step->tag != event->tag ||
			plan_kind_is_gate(apply->plan->actions[i].kind))
			continue;
		step_end(apply, i, &event->error);
		return;
	}
}

/* One that has a supervisor to itself, whose other events are nobody's. */
static void look_at_own(struct apply *apply, size_t index)
{
	struct apply_step *step = &apply->steps[index];
	cleanup_error struct error err = ERROR_INIT;
	struct event event = { 0 };
	int r;

	while (step->own_control && (r = control_wait(step->own_control, 0, &event, &err)) != 0) {
		if (r < 0)
			step_end(apply, index, &err);
		else if (event.kind == EVENT_REPLY && event.tag == step->tag)
			step_end(apply, index, &event.error);
		event_release(&event);
	}
}

static bool any_own(const struct apply *apply)
{
	for (size_t i = 0; i < apply->plan->count; i++)
		if (apply->steps[i].own_control)
			return true;
	return false;
}

/* After an interruption: a start whose container runs is only waiting for hooks, which may never
 * end. Whoever stops the container ends them. */
static void leave_hooks_alone(struct apply *apply)
{
	for (size_t i = 0; i < apply->plan->count; i++) {
		struct apply_step *step = &apply->steps[i];
		cleanup_error struct error cause = ERROR_INIT;
		bool is_up = false;

		if (step->phase != STEP_UNDER_WAY || apply->plan->actions[i].kind != PLAN_START ||
			container_load_is_up(
				apply->options->engine, step->container_id, &is_up, NULL) < 0 ||
			!is_up)
			continue;
		error_set(&cause, -EINTR, "interrupted");
		step_end(apply, i, &cause);
	}
}

static bool is_open_gate(const struct apply *apply, size_t index)
{
	return apply->steps[index].phase == STEP_UNDER_WAY &&
	       plan_kind_is_gate(apply->plan->actions[index].kind);
}

/* At those that the event is about, or, without one, at those whose time has come. */
static void look_at_gates(struct apply *apply, const struct event *event)
{
	for (size_t i = 0; i < apply->plan->count; i++) {
		cleanup_error struct error err = ERROR_INIT;
		int r;

		if (!is_open_gate(apply, i) || !(event ? gate_is_about(apply, i, event->id)
						       : gate_timeout_ms(apply, i) == 0))
			continue;
		r = gate_look(apply, i, &err);
		if (r == 0)
			continue;
		apply->open_gates--;
		if (r < 0)
			step_fail(apply, i, &err);
		else
			step_done(apply, i);
	}
}

static int sooner(int one_ms, int other_ms)
{
	if (one_ms < 0 || other_ms < 0)
		return one_ms < 0 ? other_ms : one_ms;
	return one_ms < other_ms ? one_ms : other_ms;
}

static int timeout_ms(const struct apply *apply)
{
	int timeout = any_own(apply) ? OWN_LOOK_MS : apply->options->tick ? TICK_MS : -1;

	for (size_t i = 0; apply->open_gates && i < apply->plan->count; i++)
		if (is_open_gate(apply, i))
			timeout = sooner(timeout, gate_timeout_ms(apply, i));
	return timeout;
}

static int wait_for_event(struct apply *apply, struct error *err)
{
	const struct apply_options *options = apply->options;
	struct event event = { 0 };
	int r = control_wait(options->control, timeout_ms(apply), &event, err);

	if (r < 0)
		return r;
	if (options->tick && options->tick(options->arg) < 0 && apply->failure.code == 0)
		error_set(&apply->failure, -EINTR, "interrupted");
	if (apply->failure.code == -EINTR)
		leave_hooks_alone(apply);
	for (size_t i = 0; i < apply->plan->count; i++)
		look_at_own(apply, i);
	if (apply->open_gates)
		look_at_gates(apply, NULL);
	if (r == 0)
		return 0;
	if (event.kind == EVENT_REPLY) {
		on_reply(apply, &event);
	} else {
		if (options->event)
			options->event(&event, options->arg);
		look_at_gates(apply, &event);
	}
	event_release(&event);
	return 0;
}

static int run_steps(struct apply *apply, struct error *err)
{
	int r;

	for (;;) {
		while (begin_ready(apply, false))
			;
		if (apply->failure.code == 0) {
			cleanup_error struct error cause = ERROR_INIT;
			size_t at = 0;

			if (apply_prepare_starts(apply, &at, &cause) < 0)
				step_fail(apply, at, &cause);
		}
		/* A start may end at once (already running) and make local actions ready. */
		if (begin_ready(apply, true))
			continue;
		if (apply->under_way == 0 && (apply->open_gates == 0 || apply->failure.code != 0))
			return 0;
		r = wait_for_event(apply, err);
		if (r < 0)
			return r;
	}
}

int apply_plan(const struct plan *plan, const struct apply_options *options, struct error *err)
{
	struct apply apply = { .plan = plan, .options = options };
	int r;

	apply.volume_users = volume_users_new();
	apply.steps = xcalloc(plan->count + 1, sizeof(*apply.steps));
	r = apply_repair_networks(plan, options, err);
	if (r >= 0)
		r = run_steps(&apply, err);
	for (size_t i = 0; i < plan->count; i++) {
		container_free(apply.steps[i].container);
		control_free(apply.steps[i].own_control);
	}
	free(apply.steps);
	volume_users_free(apply.volume_users);
	if (r == 0 && apply.failure.code < 0)
		r = error_move(err, &apply.failure);
	error_release(&apply.failure);
	return r;
}
