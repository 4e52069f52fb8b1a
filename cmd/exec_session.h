/* SPDX-License-Identifier: GPL-2.0-or-later
 * exec_session.h - a process inside a container, its streams joined to ours, until it ends. */
#ifndef MYCOMPOSE_CMD_EXEC_SESSION_H
#define MYCOMPOSE_CMD_EXEC_SESSION_H

#include <signal.h>
#include <stdint.h>

#include "cmd/verb.h"
#include "engine/container/launch.h"

struct exec_session_options {
	struct exec_request request;
	bool interactive; /* our stdin is its stdin */
	bool detach;	  /* return once it runs */
};

/* Returns the process's exit code, 128 + N after signal N. On failure err->exit_code is 126 or 127
 * where docker's would be. Signals we get are its; the terminal's mode is restored on every way
 * out.
 */
int exec_session_run(struct app *app, const struct container *container,
	const struct exec_session_options *options, struct error *err);

/* The signals that a session hands on, SIGWINCH among them. */
void session_signals(sigset_t *ret);
/* 0..255 from what waitid(2) said. */
int session_exit_code(const siginfo_t *info);
/* Our terminal's window size; both 0 where stdout is none. */
void session_window_size(uint16_t *ret_rows, uint16_t *ret_columns);
/* Copy the window size of the terminal `from_fd` to the pty `to_fd`, if it is one. */
void session_copy_size(int from_fd, int to_fd);

#endif
