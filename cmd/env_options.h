/* SPDX-License-Identifier: GPL-2.0-or-later
 * env_options.h - -e and --env-file of run and exec. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_ENV_OPTIONS_H
#define MYCOMPOSE_CMD_ENV_OPTIONS_H

#include "engine/base/errors.h"

/* Into *env go first the files, then the words, later ones winning. "KEY" without "=" takes the
 * value from `environ` and is left out where that has none. A file holds one variable a line;
 * blank lines and those beginning with # do not count, values are taken as they stand. -EINVAL for
 * a name that is empty or has blanks in it. */
int env_options_collect(char *const *files, char *const *words, char *const *environ, char ***env,
	struct error *err);

#endif
