/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_session.h - a created container that is alone in its group: started here and attached to our
 * streams, or left to a supervisor of its own. */
#ifndef MYCOMPOSE_CMD_RUN_SESSION_H
#define MYCOMPOSE_CMD_RUN_SESSION_H

#include "cmd/verb.h"
#include "engine/container/container.h"

/* This process is the container's supervisor until it ends. Raw output goes to our stdout and
 * stderr; with `interactive` our stdin is its; the signals we get are its. Returns its exit code.
 * On a failed start err->exit_code is 125, 126 or 127. The container must not be used by the caller
 * afterwards when it is to be removed automatically. */
int run_session_attached(
	struct app *app, const struct container *container, bool interactive, struct error *err);

/* Start it, print its id, and let the process that minds it go on alone. In that process this does
 * not return; the one that was called first ends with the code returned here. */
int run_session_detached(struct app *app, const struct container *container, struct error *err);

#endif
