/* SPDX-License-Identifier: GPL-2.0-or-later
 * save.c - `save`: images as one archive that docker and OCI tools read. */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

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

static int run_save(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct save_options *options = opaque;
	struct output_file file = OUTPUT_FILE_INIT;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	if (!options->output && isatty(STDOUT_FILENO))
		return error_set(err, -EINVAL,
			"cowardly refusing to save to a terminal. Use the -o flag or redirect");
	if (!options->output)
		return image_save(&app->engine, args, STDOUT_FILENO, err);
	r = output_file_open(options->output, &file, err);
	if (r == 0)
		r = image_save(&app->engine, args, file.fd, err);
	if (r == 0)
		r = output_file_commit(&file, err);
	output_file_release(&file);
	return r;
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
