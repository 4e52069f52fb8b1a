/* SPDX-License-Identifier: GPL-2.0-or-later
 * pump.h - one direction of a session: what a container writes, copied to our own stream.
 * May depend on: engine/base/, engine/supervisor/loop.h. */
#ifndef MYCOMPOSE_CMD_PUMP_H
#define MYCOMPOSE_CMD_PUMP_H

#include "engine/supervisor/loop.h"

struct pump;

/* *from_fd becomes non-blocking; both stay the caller's. When nobody reads out_fd any more *from_fd
 * is closed and set to -1, so that the writer learns of it as in any pipe (SIGPIPE). */
int pump_new(struct loop *loop, int *from_fd, int out_fd, struct pump **ret, struct error *err);
/* Copy what is still there, after the writer has ended. */
void pump_drain(struct pump *pump);
void pump_free(struct pump *pump);

#endif
