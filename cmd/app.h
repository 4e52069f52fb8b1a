/* SPDX-License-Identifier: GPL-2.0-or-later
 * app.h - what main does for a verb before it runs: roots, project, warnings; and how an error is
 * shown. */
#ifndef MYCOMPOSE_CMD_APP_H
#define MYCOMPOSE_CMD_APP_H

#include "cmd/verb.h"

/* The value of an environment variable as the program sees it, NULL = unset. */
const char *app_getenv(const struct app *app, const char *name);
/* "1 t true y" in any case are true, all else is false. */
bool app_env_true(const struct app *app, const char *name);

/* What may be sent to `fd`, from --ansi, COMPOSE_ANSI, NO_COLOR and whether it is a terminal.
 * -EINVAL: `invalid value for --ansi: "x"`. */
enum ansi {
	ANSI_NEVER, /* no escapes at all */
	ANSI_MONO,  /* cursor movement, no colours */
	ANSI_COLOR,
};
int app_ansi_choose(const struct app *app, int fd, enum ansi *ret, struct error *err);

/* Fulfil verb->needs; `operands` are the verb's. */
int app_prepare(struct app *app, char *const *operands, struct error *err);
void app_release(struct app *app);

/* The pieces of app_prepare, for the verb that has a say in how the file is loaded (config). */
void app_compose_options(const struct app *app, char *const *services, struct compose_options *ret);
/* Sets app->project and project_name, and tells the warnings. `problems` of the options is used
 * inside. */
int app_load(
	struct app *app, struct compose_options *options, bool show_excerpts, struct error *err);
int app_open_engine(struct app *app, struct error *err);

/* One message on stderr, with the source line and a caret when the terminal can show it. */
void app_print_error(const struct app *app, const struct error *err);

/* --remove-orphans or COMPOSE_REMOVE_ORPHANS. -EINVAL: together with COMPOSE_IGNORE_ORPHANS. */
int app_remove_orphans(const struct app *app, bool flag, bool *ret, struct error *err);

/* A word on what was found, no failure: "No stopped containers". On stderr, or on stdout with
 * COMPOSE_STATUS_STDOUT. */
void app_tell_status(const struct app *app, const char *text);

/* True when `word` can only mean a container or an image: a path, a tag or a digest in it. */
bool app_word_is_no_service(const char *word);

/* Check the number of operands: "'mycompose VERB' requires at least 1 argument". `most` SIZE_MAX =
 * no bound. */
int app_need_operands(
	const struct app *app, char *const *operands, size_t least, size_t most, struct error *err);

#endif
