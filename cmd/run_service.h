/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_service.h - `run SERVICE`: Compose's meaning, a one-off container of a service. */
#ifndef MYCOMPOSE_CMD_RUN_SERVICE_H
#define MYCOMPOSE_CMD_RUN_SERVICE_H

#include "cmd/run_options.h"

/* `words` are the service and the command. */
int run_service(
	struct app *app, const struct run_options *options, char **words, struct error *err);

#endif
