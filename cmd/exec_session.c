/* SPDX-License-Identifier: GPL-2.0-or-later
 * exec_session.c - start, join, wait.
 *
 * The process never gets our own descriptors: a container that holds the user's terminal could type
 * into it (TIOCSTI), so it has pipes or a pty of its own. */
#include "cmd/exec_session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/pump.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/event_log.h"
#include "engine/supervisor/loop.h"
#include "engine/supervisor/relay.h"

#define INTERRUPTS_TO_KILL 2
#define EXIT_INTERRUPTED   130

enum { READ_END, WRITE_END };

struct session {
	const struct exec_session_options *options;
	struct loop *loop;
	struct launch launch;
	struct loop_source *status_source;
	int started; /* 1 = not known yet, 0 = it runs, else why not */
	struct error start_err;
	unsigned int interrupts; /* before it is known */
	int console_fd;
	int in[2], out[2], err[2];
	int null_fd;
	struct relay *relay;
	struct pump *pumps[2];
	struct loop_source *exit_source;
	bool ended;
};

static void session_release(struct session *session)
{
	int *fds[] = { &session->in[0], &session->in[1], &session->out[0], &session->out[1],
		&session->err[0], &session->err[1], &session->null_fd, &session->console_fd };

	relay_free(session->relay);
	pump_free(session->pumps[0]);
	pump_free(session->pumps[1]);
	loop_remove(session->exit_source);
	loop_remove(session->status_source);
	error_release(&session->start_err);
	launch_release(&session->launch);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close_fd(fds[i]);
	if (session->loop)
		loop_free(session->loop);
}

void session_signals(sigset_t *ret)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
		SIGWINCH };

	sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(ret, signals[i]);
}

int session_exit_code(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

void session_window_size(uint16_t *ret_rows, uint16_t *ret_columns)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){ 0 };
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}

void session_copy_size(int from_fd, int to_fd)
{
	struct winsize size;

	if (ioctl(from_fd, TIOCGWINSZ, &size) == 0)
		ioctl(to_fd, TIOCSWINSZ, &size);
}

static void on_signal(int signal, void *arg)
{
	struct session *session = arg;

	/* What is still on its way into the container may have been stopped by somebody in there;
	 * whoever insists is obeyed. */
	if (signal != SIGWINCH && session->started > 0 &&
		++session->interrupts >= INTERRUPTS_TO_KILL)
		signal = SIGKILL;
	if (signal == SIGWINCH && session->relay)
		relay_resize(session->relay);
	else if (signal == SIGWINCH && session->console_fd >= 0)
		session_copy_size(STDOUT_FILENO, session->console_fd);
	else if (session->launch.pidfd >= 0)
		syscall(SYS_pidfd_send_signal, session->launch.pidfd, signal, NULL, 0);
}

static void on_process_end(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	((struct session *)arg)->ended = true;
}

static int open_stdio(struct session *session, struct launch_stdio *stdio, struct error *err)
{
	const struct exec_session_options *options = session->options;

	session->null_fd = file_open(AT_FDCWD, "/dev/null", O_RDWR, 0, err);
	if (session->null_fd < 0)
		return session->null_fd;
	*stdio = (struct launch_stdio){ session->null_fd, session->null_fd, session->null_fd };
	if (options->detach || options->request.terminal)
		return 0;
	if ((options->interactive && pipe2(session->in, O_CLOEXEC) < 0) ||
		pipe2(session->out, O_CLOEXEC) < 0 || pipe2(session->err, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	if (options->interactive)
		stdio->in_fd = session->in[READ_END];
	stdio->out_fd = session->out[WRITE_END];
	stdio->err_fd = session->err[WRITE_END];
	return 0;
}

static int join_terminal(struct session *session, struct error *err)
{
	if (session->options->interactive)
		return relay_new(session->loop, STDIN_FILENO, session->console_fd,
			session->console_fd, STDOUT_FILENO, true, &session->relay, err);
	session_copy_size(STDOUT_FILENO, session->console_fd);
	return pump_new(
		session->loop, &session->console_fd, STDOUT_FILENO, &session->pumps[0], err);
}

static int join_pipes(struct session *session, struct error *err)
{
	int r = pump_new(
		session->loop, &session->out[READ_END], STDOUT_FILENO, &session->pumps[0], err);

	if (r == 0)
		r = pump_new(session->loop, &session->err[READ_END], STDERR_FILENO,
			&session->pumps[1], err);
	if (r == 0 && session->options->interactive)
		/* The relay owns the pipe from here on. */
		r = relay_new(session->loop, STDIN_FILENO, steal_fd(&session->in[WRITE_END]), -1,
			-1, false, &session->relay, err);
	return r;
}

static int wait_for_end(struct session *session, struct error *err)
{
	siginfo_t info = { 0 };
	int r;

	r = loop_add_fd(session->loop, session->launch.pidfd, EPOLLIN, on_process_end, session,
		&session->exit_source, err);
	while (r >= 0 && !session->ended)
		r = loop_run_once(session->loop, -1, err);
	if (r < 0)
		return r;
	if (session->relay)
		relay_drain(session->relay);
	for (size_t i = 0; i < ARRAY_LEN(session->pumps); i++)
		if (session->pumps[i])
			pump_drain(session->pumps[i]);
	while (waitid(P_PIDFD, (id_t)session->launch.pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return error_sys(err, -errno, "wait for the process");
	return session_exit_code(&info);
}

static void on_status(int fd, uint32_t events, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)events;
	loop_modify(session->status_source, 0); /* it is closed once the outcome is known */
	session->started = exec_finish(&session->launch, &session->console_fd, &session->start_err);
	if (session->started > 0) {
		loop_modify(session->status_source, EPOLLIN);
		return;
	}
	loop_remove(session->status_source);
	session->status_source = NULL;
}

static int wait_for_start(struct session *session, struct error *err)
{
	int r = loop_add_fd(session->loop, session->launch.status_fd, EPOLLIN, on_status, session,
		&session->status_source, err);

	while (r >= 0 && session->started > 0)
		r = loop_run_once(session->loop, -1, err);
	if (r < 0 || session->started == 0)
		return r < 0 ? r : 0;
	if (session->interrupts < INTERRUPTS_TO_KILL)
		return error_move(err, &session->start_err);
	error_set(err, -EINTR, "interrupted before the command was started");
	if (err)
		err->exit_code = EXIT_INTERRUPTED;
	return -EINTR;
}

static void tell(struct app *app, const struct container *container,
	const struct exec_session_options *options)
{
	static const char *const actions[] = { "exec_create", "exec_start" };
	cleanup_free char *command = strv_join(options->request.args, " ");

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		cleanup_free char *action = xasprintf("%s: %s", actions[i], command);

		event_log_add(&app->engine, container, action, NULL);
	}
}

static int start(struct session *session, struct app *app, const struct container *container,
	struct error *err)
{
	struct container_state state = { 0 };
	struct cgroup_host *host = NULL;
	struct launch_stdio stdio;
	int r = open_stdio(session, &stdio, err);

	if (r == 0)
		r = cgroup_host_open(&host, err);
	if (r == 0)
		r = container_load_state(&app->engine, container->id, &state, err);
	if (r == 0)
		r = exec_begin(&app->engine, host, container, &state, &session->options->request,
			&stdio, &session->launch, err);
	container_state_release(&state);
	close_fd(&session->in[READ_END]);
	close_fd(&session->out[WRITE_END]);
	close_fd(&session->err[WRITE_END]);
	if (r == 0)
		r = wait_for_start(session, err);
	if (r == 0)
		tell(app, container, session->options);
	if (host)
		cgroup_host_free(host);
	return r;
}

int exec_session_run(struct app *app, const struct container *container,
	const struct exec_session_options *options, struct error *err)
{
	struct session session = {
		.options = options,
		.launch = LAUNCH_INIT,
		.started = 1,
		.console_fd = -1,
		.in = { -1, -1 },
		.out = { -1, -1 },
		.err = { -1, -1 },
		.null_fd = -1,
	};
	sigset_t signals;
	int r;

	session_signals(&signals);
	r = loop_new(&session.loop, err);
	/* Before the start: a Ctrl-C between start and watch would leave the process alone. */
	if (r == 0 && !options->detach)
		r = loop_watch_signals(session.loop, &signals, on_signal, &session, err);
	if (r == 0)
		r = start(&session, app, container, err);
	if (r == 0 && !options->detach) {
		r = options->request.terminal ? join_terminal(&session, err)
					      : join_pipes(&session, err);
		if (r == 0)
			r = wait_for_end(&session, err);
	}
	session_release(&session);
	return r;
}
