/* SPDX-License-Identifier: GPL-2.0-or-later
 * save.c - `save`: images as one archive that docker and OCI tools read. */
#include <stdint.h>

#include "cmd/app.h"
#include "cmd/output_file.h"
#include "cmd/verbs.h"
#include "engine/image/image.h"

struct save_options {
	char *output;
};

static const struct flag save_flags[] = {
	{ 'o', "output", FLAG_STRING, offsetof(struct save_options, output), "FILE",
		"Write to a file (default: standard output)", 0 },
	FLAG_END,
};

struct job {
	const struct engine *engine;
	char **images;
};

static int save_to(int fd, void *arg, struct error *err)
{
	const struct job *job = arg;

	return image_save(job->engine, job->images, fd, err);
}

static int run_save(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct save_options *options = opaque;
	struct job job = { &app->engine, args };
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	return r < 0 ? r : output_archive_write(options->output, save_to, &job, err);
}

const struct verb verb_save = {
	.name = "save",
	.usage = "[OPTIONS] IMAGE...",
	.summary = "Save images to an archive",
	.flags = save_flags,
	.options_size = sizeof(struct save_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_save,
};
