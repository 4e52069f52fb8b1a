/* SPDX-License-Identifier: GPL-2.0-or-later
 * hooks.c - the commands of a container's life: post_start, pre_stop. */
#include "engine/supervisor/hooks.h"

#include <errno.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/supervisor/inside.h"
#include "engine/supervisor/minded.h"

#define HOOK_NAME "hook"

static void run_next(struct minded *minded);

static const struct container_hook *hooks_of(const struct minded *minded, size_t *ret_count)
{
	const struct container *container = minded->container;

	*ret_count =
		minded->hooks.stopping ? container->pre_stop_count : container->post_start_count;
	return minded->hooks.stopping ? container->pre_stop : container->post_start;
}

/* All have run, or `err` tells what the last one made of it. */
static void through(struct minded *minded, const struct error *err)
{
	minded->hooks.under_way = false;
	if (err)
		output_note(minded, error_text(err));
	if (minded->hooks.stopping) {
		minded_send_pending(minded);
		return;
	}
	minded->state.post_start_due = false;
	minded_save(minded, FILE_VOLATILE);
	minded_answer_start(minded, err);
}

static void fail(struct minded *minded, struct error *err)
{
	size_t count;
	const struct container_hook *hook = &hooks_of(minded, &count)[minded->hooks.next - 1];
	cleanup_free char *command = strv_join(hook->command, " ");

	error_wrap(err, "%s hook %zu (%s)", minded->hooks.stopping ? "pre_stop" : "post_start",
		minded->hooks.next, command);
	through(minded, err);
}

static void hook_ended(const struct inside_result *result, void *arg)
{
	struct minded *minded = arg;
	cleanup_error struct error err = ERROR_INIT;

	if (result->exit_code == 0) {
		run_next(minded);
		return;
	}
	if (result->failure && result->failure->code == -ESRCH)
		error_set(&err, -ESRCH, "the container has ended");
	else if (result->failure)
		error_set(&err, result->failure->code, "%s", error_text(result->failure));
	else if (result->exit_code < 0)
		error_set(&err, -EIO, "ended, nobody knows how");
	else
		error_set(&err, -EIO, "exited with status %d", result->exit_code);
	fail(minded, &err);
}

static void run_next(struct minded *minded)
{
	struct hook_run *run = &minded->hooks;
	cleanup_error struct error err = ERROR_INIT;
	struct launch_stdio stdio;
	size_t count;
	const struct container_hook *hooks = hooks_of(minded, &count);
	const struct container_hook *hook = &hooks[run->next];
	int r;

	if (run->next == count) {
		through(minded, NULL);
		return;
	}
	run->next++;
	run->under_way = true;
	output_for_hook(minded, &stdio);
	r = inside_begin(minded,
		&(struct inside_request){
			.name = HOOK_NAME,
			.exec = { .args = hook->command,
				.env = hook->env,
				.cwd = hook->cwd,
				.user = hook->user,
				.privileged = hook->privileged,
				.keep_stdio = true },
			.stdio = stdio,
			.done = hook_ended,
			.arg = minded,
		},
		&run->command, &err);
	output_close_child_side(&stdio);
	if (r < 0)
		fail(minded, &err);
}

static void begin(struct minded *minded, bool stopping)
{
	minded->hooks.stopping = stopping;
	minded->hooks.next = 0;
	run_next(minded);
}

void hooks_resume(struct minded *minded)
{
	inside_end_leftover(minded, HOOK_NAME);
	if (minded->state.status == CONTAINER_RUNNING)
		hooks_after_start(minded);
}

void hooks_after_start(struct minded *minded)
{
	if (minded->state.post_start_due)
		begin(minded, false);
	else
		minded_answer_start(minded, NULL);
}

bool hooks_hold_start(const struct minded *minded)
{
	return minded->hooks.under_way && !minded->hooks.stopping;
}

void hooks_give_up_start(struct minded *minded, const char *why)
{
	cleanup_error struct error err = ERROR_INIT;

	if (!hooks_hold_start(minded))
		return;
	hooks_end(minded);
	error_set(&err, -ECANCELED, "container %s %s while its post_start hooks were run",
		minded->container->name, why);
	minded_answer_start(minded, &err);
}

void hooks_before_stop(struct minded *minded)
{
	begin(minded, true);
}

void hooks_end(struct minded *minded)
{
	inside_abandon(minded->hooks.command);
	minded->hooks.under_way = false;
}
