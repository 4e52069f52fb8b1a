/* SPDX-License-Identifier: GPL-2.0-or-later
 * run.c - `run`: a service of the project wins, else the word is an image. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/run_image.h"
#include "cmd/run_options.h"
#include "cmd/run_service.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/log.h"

static int run_run(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct run_options *options = opaque;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	if (app_is_service(app, args[0]))
		return run_service(app, options, args, err);
	/* The broken file may have meant to declare this word; an image it may be all the same. */
	if (app->project_error.code && !app_word_is_no_service(args[0]))
		log_warning("%s: taken as an image, since the Compose file cannot be read: %s",
			args[0], error_text(&app->project_error));
	return run_image(app, options, args, err);
}

const struct verb verb_run = {
	.name = "run",
	.usage = "[OPTIONS] SERVICE|IMAGE [COMMAND] [ARG...]",
	.summary = "Run one command in a new container of a service or an image",
	.flags = run_flags,
	.options_size = sizeof(struct run_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN | STARTS_PROCESSES | MAY_USE_PROJECT |
		 OPERANDS_ARE_SERVICES | NEEDS_DECLARATIONS,
	.ad_hoc_exit = true,
	.run = run_run,
};
