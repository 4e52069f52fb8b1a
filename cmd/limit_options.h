/* SPDX-License-Identifier: GPL-2.0-or-later
 * limit_options.h - the flags of `run` that say what a container may use: limits and devices. */
#ifndef MYCOMPOSE_CMD_LIMIT_OPTIONS_H
#define MYCOMPOSE_CMD_LIMIT_OPTIONS_H

#include "cmd/run_options.h"

/* On top of what `container` holds. */
int limit_options_apply(const struct run_options *options, const struct engine *engine,
	struct container *container, struct error *err);

#endif
