/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply.c - the scheduler that carries a plan out: what is ready runs, starts and stops overlap,
 * the first failure ends it. */
#include "compose/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "engine/base/memory.h"

#define TICK_MS	    100
#define OWN_LOOK_MS 10 /* at supervisors beside the project's, while there are any */

static bool is_asynchronous(enum plan_kind kind)
{
	return kind == PLAN_START || kind == PLAN_STOP || kind == PLAN_RESTART;
}

static bool is_ready(const struct apply *apply, const struct plan_action *action)
{
	for (size_t i = 0; i < action->after_count; i++)
		if (apply->steps[action->after[i]].phase != STEP_DONE)
			return false;
	return true;
}

static void step_fail(struct apply *apply, size_t index, struct error *cause)
{
	const struct plan_action *action = &apply->plan->actions[index];

	apply->steps[index].phase = STEP_FAILED;
	apply_progress(apply, action, "Error", PROGRESS_ERROR, error_text(cause));
	if (apply->failure.code == 0) {
		if (action->service)
			error_wrap(cause, "service \"%s\"", action->service->name);
		cause->exit_code = 0; /* 125 to 127 are for who runs one command */
		error_move(&apply->failure, cause);
	}
	error_release(cause);
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
		if (asynchronous && parallel > 0 && apply->under_way >= (size_t)parallel)
			break;
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
	step->phase = STEP_DONE;
	apply_handlers[apply->plan->actions[index].kind].finished(apply, index);
}

static void on_reply(struct apply *apply, struct event *event)
{
	for (size_t i = 0; i < apply->plan->count; i++) {
		const struct apply_step *step = &apply->steps[i];

		if (step->phase != STEP_UNDER_WAY || step->own_control || step->tag != event->tag)
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

static int wait_for_event(struct apply *apply, struct error *err)
{
	const struct apply_options *options = apply->options;
	struct event event = { 0 };
	int timeout_ms = any_own(apply) ? OWN_LOOK_MS : options->tick ? TICK_MS : -1;
	int r = control_wait(options->control, timeout_ms, &event, err);

	if (r < 0)
		return r;
	if (options->tick && options->tick(options->arg) < 0 && apply->failure.code == 0)
		error_set(&apply->failure, -EINTR, "interrupted");
	for (size_t i = 0; i < apply->plan->count; i++)
		look_at_own(apply, i);
	if (r == 0)
		return 0;
	if (event.kind == EVENT_REPLY)
		on_reply(apply, &event);
	else if (apply->options->event)
		apply->options->event(&event, apply->options->arg);
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
		if (begin_ready(apply, true) && apply->under_way == 0)
			continue;
		if (apply->under_way == 0)
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
