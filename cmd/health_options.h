/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_options.h - `--health-cmd` and what belongs to it. */
#ifndef MYCOMPOSE_CMD_HEALTH_OPTIONS_H
#define MYCOMPOSE_CMD_HEALTH_OPTIONS_H

#include "cmd/run_options.h"

/* What was given, on top of what `healthcheck` says. */
int health_options_apply(const struct run_options *options,
	struct container_healthcheck *healthcheck, struct error *err);

#endif
