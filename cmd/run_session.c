/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_session.c - the life of a `run`. */
#include "cmd/run_session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/exec_session.h"
#include "cmd/spools.h"
#include "engine/base/log.h"
#include "engine/supervisor/control.h"
#include "engine/supervisor/relay.h"

#define INTERRUPTS_TO_KILL 3
#define EXIT_ENGINE	   125 /* docker's code for "the engine, not the command, failed" */

struct session {
	const struct container *container;
	bool interactive;
	struct control *control;
	struct relay *relay;
	int console_fd; /* the supervisor's, -1 = none */
	struct spools spools;
	unsigned int interrupts; /* SIGINT and SIGTERM so far */
	struct error input_err;	 /* stdin could not be joined */
};

static void submit(struct session *session, struct request *request)
{
	uint64_t tag;

	snprintf(request->id, sizeof(request->id), "%s", session->container->id);
	/* That it has just ended is the only way this fails, and its end is told anyway. */
	(void)control_submit(session->control, request, &tag, NULL);
}

/* What a pipe would do to a writer whose reader has gone; PID 1 does not die of SIGPIPE. */
static void stop_unheard(void *arg)
{
	struct request request = { .operation = OPERATION_STOP, .timeout_ns = -1 };

	submit(arg, &request);
}

static void on_output(const struct container *container, enum log_stream stream, int64_t time_ns,
	const char *bytes, size_t length, void *arg)
{
	FILE *out = spools_stream(&((struct session *)arg)->spools, stream);

	(void)container;
	(void)time_ns;
	fwrite(bytes, 1, length, out);
	fflush(out);
}

static bool on_is_full(void *arg)
{
	return spools_are_full(&((const struct session *)arg)->spools);
}

static void on_reader_gone(enum log_stream stream, void *arg)
{
	struct session *session = arg;

	(void)stream;
	/* Not from here: the supervisor may be in the middle of reading. */
	loop_add_timer(
		supervisor_loop(control_supervisor(session->control)), 0, stop_unheard, session);
}

static void on_input_ready(const struct container *container, int fd, void *arg)
{
	struct session *session = arg;
	bool terminal = container->spec.terminal;
	struct loop *loop = supervisor_loop(control_supervisor(session->control));

	relay_free(session->relay);
	session->relay = NULL;
	session->console_fd = terminal ? fd : -1;
	if (fd < 0)
		return;
	if (session->interactive)
		(void)relay_new(loop, STDIN_FILENO, fd, -1, -1, terminal, &session->relay,
			&session->input_err);
	else if (terminal)
		session_copy_size(STDOUT_FILENO, fd);
}

static void on_signal(int signal, void *arg)
{
	struct session *session = arg;
	struct request request = { .operation = OPERATION_KILL, .signal = signal };

	if (signal == SIGWINCH) {
		if (session->relay)
			relay_resize(session->relay);
		else if (session->console_fd >= 0)
			session_copy_size(STDOUT_FILENO, session->console_fd);
		return;
	}
	if (signal == SIGINT || signal == SIGTERM)
		session->interrupts++;
	/* A program without a handler never hears them as PID 1; whoever insists is obeyed. */
	if (session->interrupts >= INTERRUPTS_TO_KILL)
		request.signal = SIGKILL;
	submit(session, &request);
}

static int start(struct session *session, struct error *err)
{
	struct request request = { .operation = OPERATION_START };

	snprintf(request.id, sizeof(request.id), "%s", session->container->id);
	return control_call(session->control, &request, err);
}

/* 1 = it has ended for good, with its code. */
static int next_event(struct session *session, int *ret_exit_code, struct error *err)
{
	struct event event = { 0 };
	int r = control_wait(session->control, -1, &event, err);
	bool ended;

	if (r <= 0)
		return r;
	ended = event.kind == EVENT_EXITED && !event.restarting &&
		!strcmp(event.id, session->container->id);
	if (ended)
		*ret_exit_code = event.exit_code;
	event_release(&event);
	return ended;
}

static int open_local(struct app *app, struct session *session,
	const struct supervisor_hooks *hooks, struct error *err)
{
	sigset_t signals;
	int r = control_open(&app->engine, session->container->group, CONTROL_FOREGROUND, hooks,
		&session->control, err);

	if (r < 0)
		return r;
	if (!control_supervisor(session->control))
		return error_set(err, -EBUSY, "container %s is already being started",
			session->container->name);
	session_signals(&signals);
	r = loop_watch_signals(supervisor_loop(control_supervisor(session->control)), &signals,
		on_signal, session, err);
	if (r == 0)
		r = spools_open(&session->spools, control_supervisor(session->control),
			on_reader_gone, session, err);
	return r;
}

int run_session_attached(
	struct app *app, const struct container *container, bool interactive, struct error *err)
{
	struct session session = {
		.container = container, .interactive = interactive, .console_fd = -1
	};
	struct supervisor_hooks hooks = { .output = on_output,
		.input_ready = on_input_ready,
		.output_is_full = on_is_full,
		.arg = &session };
	int exit_code = -1;
	int r;

	fflush(stdout);
	r = open_local(app, &session, &hooks, err);
	if (r == 0)
		r = start(&session, err);
	if (r == 0 && session.input_err.code)
		log_warning("standard input: %s", error_text(&session.input_err));
	while (r == 0)
		r = next_event(&session, &exit_code, err);
	spools_drain(&session.spools, &session.interrupts);
	relay_free(session.relay);
	spools_close(&session.spools);
	control_free(session.control);
	error_release(&session.input_err);
	if (r < 0)
		return r;
	if (exit_code < 0) {
		r = error_set(err, -ECHILD, "the exit status of container %s is not known",
			container->name);
		err->exit_code = EXIT_ENGINE;
		return r;
	}
	return exit_code;
}

int run_session_detached(struct app *app, const struct container *container, struct error *err)
{
	struct session session = { .container = container, .console_fd = -1 };
	struct supervisor_hooks hooks = { 0 };
	int r = control_open(
		&app->engine, container->group, CONTROL_DETACHABLE, &hooks, &session.control, err);

	if (r == 0)
		r = start(&session, err);
	if (r == 0) {
		printf("%s\n", container->id);
		r = control_finish(session.control, 0, NULL, NULL);
	}
	control_free(session.control);
	return r;
}
