/* SPDX-License-Identifier: GPL-2.0-or-later
 * dot_env.h - the COMPOSE_* variables that an environment file gives this program.
 * May depend on: compose/dotenv.h. */
#ifndef MYCOMPOSE_CMD_DOT_ENV_H
#define MYCOMPOSE_CMD_DOT_ENV_H

#include "cmd/verb.h"

/* Add them to app->environ where the real environment has none of that name: from --env-file,
 * COMPOSE_ENV_FILES or else ".env" of the current folder. What is wrong with a file is told when
 * the project is loaded. */
void dot_env_read(struct app *app);

#endif
