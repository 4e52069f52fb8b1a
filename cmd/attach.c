/* SPDX-License-Identifier: GPL-2.0-or-later
 * attach.c - `attach`: what a running container writes from now on, our input and signals to it,
 * and at the end its exit code.
 *
 * Without a terminal the output is what the supervisor writes to the log, so any number of commands
 * can be attached and none can hold the container up; the input goes straight into the pipe that is
 * the container's stdin. A terminal is the supervisor's, which hands on every byte both ways. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/detach_keys.h"
#include "cmd/event_watch.h"
#include "cmd/exec_session.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/logfile.h"
#include "engine/supervisor/loop.h"
#include "engine/supervisor/relay.h"

#define LOOK_MS 500
#define END_MS	5000 /* from its death, or the end of its terminal's output, to word of its end */

struct attach_options {
	int64_t index;
	bool no_stdin;
	bool sig_proxy;
	char *detach_keys;
};

#define A(field) offsetof(struct attach_options, field)
static const struct flag attach_flags[] = {
	{ 0, "index", FLAG_INT, A(index), "N", "The service's container with this number", 0 },
	{ 0, "no-stdin", FLAG_BOOL, A(no_stdin), NULL, "Do not pass our input on", 0 },
	{ 0, "sig-proxy", FLAG_BOOL, A(sig_proxy), NULL,
		"Pass signals on to a container without a terminal (default: true); else SIGINT "
		"ends only this command",
		0 },
	{ 0, "detach-keys", FLAG_STRING, A(detach_keys), "KEYS",
		"Typed into a terminal they end this command and not the container (default: "
		"ctrl-p,ctrl-q)",
		0 },
	FLAG_END,
};

static void attach_defaults(void *options)
{
	((struct attach_options *)options)->sig_proxy = true;
}

struct session {
	struct app *app;
	const struct attach_options *options;
	const struct container *container;
	struct loop *loop;
	struct log_reader *log;	 /* NULL: it has a terminal */
	struct control *control; /* the terminal */
	struct detach_keys keys;
	bool is_detached;
	struct loop_source *terminal_source;
	int64_t shown_all_ns; /* monotonic, when the terminal's output was over; 0 = it is not */
	struct event_reader *events;
	struct relay *relay;
	bool interrupted;
	bool ended;
	int64_t dead_ns; /* monotonic, when it was first seen not to run; 0 = it does */
	int exit_code;	 /* -1: not known */
};

/* By a connection of its own: the terminal's carries nothing else. */
static void request_size(struct session *session, uint16_t rows, uint16_t columns)
{
	struct request request = {
		.operation = OPERATION_RESIZE, .timeout_ns = -1, .rows = rows, .columns = columns
	};

	snprintf(request.id, sizeof(request.id), "%s", session->container->id);
	/* That it has just ended is the only way this fails, and its end is told anyway. */
	(void)target_request(session->app, session->container, &request, NULL);
}

static void pass_size_on(struct session *session)
{
	uint16_t rows, columns;

	session_window_size(&rows, &columns);
	if (rows && columns)
		request_size(session, rows, columns);
}

/* A program draws its screen, a shell its prompt anew when the size changes: so it is made another
 * one first. */
static void make_it_draw(struct session *session)
{
	uint16_t rows, columns;

	session_window_size(&rows, &columns);
	if (rows > 1 && columns)
		request_size(session, rows - 1, columns);
	pass_size_on(session);
}

static void on_signal(int signal, void *arg)
{
	struct session *session = arg;
	struct request request = { .operation = OPERATION_KILL, .signal = signal };
	cleanup_error struct error err = ERROR_INIT;

	if (signal == SIGWINCH) {
		if (session->control)
			pass_size_on(session);
		return;
	}
	/* Whoever is at a terminal types what it is to hear; what we are sent is meant for us. */
	if (session->control) {
		session->interrupted = true;
		return;
	}
	if (!session->options->sig_proxy) {
		session->interrupted |= signal == SIGINT || signal == SIGTERM;
		return;
	}
	snprintf(request.id, sizeof(request.id), "%s", session->container->id);
	/* It may be ending at this moment; anything else is worth a word. */
	if (target_request(session->app, session->container, &request, &err) < 0 &&
		err.code != -ESRCH)
		app_print_error(session->app, &err);
}

static void on_ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
}

/* A terminal of the user's may have been made non-blocking by somebody. */
static int print_terminal(struct session *session, struct error *err)
{
	const char *bytes;
	ssize_t length;

	while ((length = control_attached_read(session->control, &bytes, err)) > 0) {
		int r = fd_write_all(STDOUT_FILENO, bytes, (size_t)length, err);

		if (r < 0)
			return r;
	}
	if (length == 0 && !session->shown_all_ns) {
		session->shown_all_ns = time_monotonic();
		loop_remove(session->terminal_source);
		session->terminal_source = NULL;
	}
	return length < 0 && length != -EAGAIN ? (int)length : 0;
}

static int print_output(struct session *session, struct error *err)
{
	struct log_record record;
	int r;

	if (session->control)
		return print_terminal(session, err);
	while ((r = log_reader_next(session->log, &record, err)) > 0) {
		FILE *out = record.stream == LOG_STDOUT ? stdout : stderr;

		fwrite(record.text, 1, record.length, out);
		if (record.has_newline)
			fputc('\n', out);
	}
	fflush(stdout);
	return r;
}

static int look_at_events(struct session *session, struct error *err)
{
	for (;;) {
		cleanup_event_record struct event_record record = { 0 };
		int r = event_reader_next(session->events, &record, err);
		const char *code;
		int64_t value;

		if (r <= 0)
			return r;
		if (strcmp(record.id, session->container->id) || strcmp(record.action, "die"))
			continue;
		code = env_get(record.attributes, "exitCode");
		session->ended = true;
		if (code && parse_i64(code, -1, 255, &value) == 0)
			session->exit_code = (int)value;
	}
}

/* For an end that nobody has written down. */
static int look_at_state(struct session *session, struct error *err)
{
	struct container_state state = { 0 };
	int r;

	if (session->ended)
		return 0;
	r = container_load_state(&session->app->engine, session->container->id, &state, err);
	if (r == -ENOENT) {
		error_release(err);
		session->ended = true;
		return 0;
	}
	if (r == 0 && state.status != CONTAINER_RUNNING && state.status != CONTAINER_PAUSED) {
		if (!session->dead_ns)
			session->dead_ns = time_monotonic();
		/* Without a code it has just died, and its supervisor is about to say more. */
		session->ended = state.exit_code >= 0 ||
				 time_monotonic() >= session->dead_ns + END_MS * NS_PER_MS;
		session->exit_code = state.exit_code;
	}
	container_state_release(&state);
	return r;
}

/* The write end of the pipe that is the first process's stdin, -1 if it is none. What is behind the
 * number is looked at before it is opened: the process can put anything there. */
static int open_input(const struct container_state *state)
{
	cleanup_free char *path = xasprintf("/proc/%d/fd/0", (int)state->process.pid);
	cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
	cleanup_free char *own = xasprintf("/proc/self/fd/%d", fd);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) ||
		!process_is_alive(&state->process))
		return -1;
	return open(own, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

static size_t find_keys(char *bytes, size_t length, void *arg)
{
	struct session *session = arg;
	bool is_detached;

	length = detach_keys_filter(&session->keys, bytes, length, &is_detached);
	session->is_detached |= is_detached;
	return length;
}

static int connect_terminal(struct session *session, struct error *err)
{
	const struct engine *engine = &session->app->engine;
	const struct container *container = session->container;
	int r = control_open(
		engine, container->group, CONTROL_CONNECT_ONLY, NULL, &session->control, err);

	if (r == -ENOENT) { /* it runs alone */
		error_release(err);
		r = target_mind(session->app, container->group, err);
		if (r == 0)
			r = control_open(engine, container->group, CONTROL_CONNECT_ONLY, NULL,
				&session->control, err);
	}
	return r < 0 ? r : control_attach(session->control, container->id, err);
}

static int begin_terminal(struct session *session, struct error *err)
{
	int r = connect_terminal(session, err);

	if (r == 0)
		r = loop_add_fd(session->loop, control_fd(session->control), EPOLLIN, on_ready,
			session, &session->terminal_source, err);
	return r;
}

static int begin_log(struct session *session, struct error *err)
{
	const struct log_reader_options options = { .tail = 0 };
	struct loop_source *source;
	int r = log_reader_open(
		&session->app->engine, session->container->id, &options, &session->log, err);

	if (r == 0 && log_reader_fd(session->log) >= 0)
		r = loop_add_fd(session->loop, log_reader_fd(session->log), EPOLLIN, on_ready,
			session, &source, err);
	return r;
}

static int begin_input(
	struct session *session, const struct container_state *state, struct error *err)
{
	int fd;

	if (session->options->no_stdin || !session->container->spec.stdin_open)
		return 0;
	if (session->control) {
		int r = relay_new(session->loop, STDIN_FILENO, control_fd(session->control), -1, -1,
			true, &session->relay, err);

		if (r == 0)
			relay_set_filter(session->relay, find_keys, session);
		return r;
	}
	fd = open_input(state);
	if (fd < 0)
		return 0;
	/* The relay owns the pipe from here on; its end is not the container's: the supervisor
	 * holds it too. */
	return relay_new(session->loop, STDIN_FILENO, fd, -1, -1, false, &session->relay, err);
}

static int begin(struct session *session, struct error *err)
{
	const struct engine *engine = &session->app->engine;
	struct container_state state = { 0 };
	sigset_t signals;
	struct loop_source *source;
	int r = event_reader_open(engine, EVENTS_FROM_NOW, &session->events, err);

	if (r == 0)
		r = container_load_state(engine, session->container->id, &state, err);
	if (r == 0 && state.status != CONTAINER_RUNNING)
		r = error_set(err, -ESRCH, "cannot attach to a %s container, %s it first",
			state.status == CONTAINER_PAUSED ? "paused" : "stopped",
			state.status == CONTAINER_PAUSED ? "unpause" : "start");
	if (r == 0)
		r = loop_new(&session->loop, err);
	session_signals(&signals);
	if (r == 0)
		r = loop_watch_signals(session->loop, &signals, on_signal, session, err);
	if (r == 0)
		r = session->container->spec.terminal ? begin_terminal(session, err)
						      : begin_log(session, err);
	if (r == 0 && event_reader_fd(session->events) >= 0)
		r = loop_add_fd(session->loop, event_reader_fd(session->events), EPOLLIN, on_ready,
			session, &source, err);
	if (r == 0)
		r = begin_input(session, &state, err);
	if (r == 0 && session->control)
		make_it_draw(session);
	container_state_release(&state);
	return r;
}

/* The container goes on, and we are not attached any more. */
static int look_for_loss(const struct session *session, struct error *err)
{
	if (!session->shown_all_ns || session->dead_ns || session->ended ||
		time_monotonic() < session->shown_all_ns + END_MS * NS_PER_MS)
		return 0;
	return error_set(err, -ECONNRESET,
		"container %s: the connection to its terminal was lost; it goes on",
		session->container->name);
}

static bool is_over(const struct session *session)
{
	/* What was typed before the keys is for the container. */
	if (session->is_detached)
		return !relay_holds_input(session->relay);
	return session->ended && (!session->control || session->shown_all_ns);
}

static int run_session(struct session *session, struct error *err)
{
	int r = begin(session, err);

	if (r == 0)
		event_log_add(&session->app->engine, session->container, "attach", NULL);
	while (r == 0 && !session->interrupted) {
		bool over = is_over(session);

		r = look_at_events(session, err);
		if (r == 0)
			r = look_at_state(session, err);
		/* After the look: what it wrote before its end is in the log by then. */
		if (r == 0)
			r = print_output(session, err);
		if (r == 0)
			r = look_for_loss(session, err);
		if (r < 0 || over || ferror(stdout))
			break;
		r = is_over(session) ? 0 : loop_run_once(session->loop, LOOK_MS, err);
		r = r < 0 ? r : 0;
	}
	relay_free(session->relay);
	loop_remove(session->terminal_source);
	control_free(session->control);
	if (session->loop)
		loop_free(session->loop);
	log_reader_free(session->log);
	event_reader_free(session->events);
	if (r < 0)
		return r;
	if (session->is_detached) {
		fprintf(stderr, "read escape sequence\n");
		return 0;
	}
	if (session->interrupted)
		return EXIT_INTERRUPTED;
	return session->exit_code < 0 ? 1 : session->exit_code;
}

static int run_attach(struct app *app, void *options, char **args, struct error *err)
{
	struct session session = { .app = app, .options = options, .exit_code = -1 };
	cleanup_container struct container *container = NULL;
	struct service_pick pick = { args[0], session.options->index, true };
	enum target_kind kind;
	const char *keys = session.options->detach_keys;
	int r = app_need_operands(app, args, 1, 1, err);

	if (r == 0)
		r = detach_keys_parse(
			keys && *keys ? keys : DETACH_KEYS_DEFAULT, &session.keys, err);
	if (r == 0)
		r = target_kind_of(app, args[0], &kind, err);
	if (r == 0)
		r = kind == TARGET_SERVICES
			    ? service_pick(app, &pick, &container, err)
			    : container_find(&app->engine, args[0], &container, err);
	if (r < 0)
		return r;
	session.container = container;
	return run_session(&session, err);
}

const struct verb verb_attach = {
	.name = "attach",
	.usage = "[OPTIONS] SERVICE|CONTAINER",
	.summary = "Join a running container: its output, our input and signals",
	.flags = attach_flags,
	.options_size = sizeof(struct attach_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | MAY_USE_PROJECT | NO_DRY_RUN,
	.flags_anywhere = true,
	.defaults = attach_defaults,
	.run = run_attach,
};
