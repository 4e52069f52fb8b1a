/* SPDX-License-Identifier: GPL-2.0-or-later
 * dotenv.h - .env and env_file: KEY=value lines with quotes, comments, `export`, values of several
 * lines, and expansion.
 *
 * Unquoted and double-quoted values are interpolated (environment first, then the lines above);
 * single-quoted ones are literal. A bare KEY passes the environment's value through, or is left
 * out. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_DOTENV_H
#define MYCOMPOSE_COMPOSE_DOTENV_H

#include "compose/problems.h"
#include "engine/base/arena.h"
#include "engine/base/strmap.h"

#define DOTENV_SIZE_LIMIT (1u << 20)

/* Parse `text` into `variables` (name -> const char * in the arena; later lines win, what is there
 * already may be referred to). `unset` collects names that had no value (may be NULL). Problems
 * carry file and line. 0 or -EINVAL. */
int dotenv_parse(struct arena *arena, const char *file, const char *text, size_t length,
	const struct strmap *environment, struct strmap *variables, struct strmap *unset,
	struct problems *problems);

/* `format: raw`: the rest of the line is the value, whatever it holds. */
int dotenv_parse_raw(struct arena *arena, const char *file, const char *text, size_t length,
	struct strmap *variables, struct problems *problems);

#endif
