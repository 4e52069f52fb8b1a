/* SPDX-License-Identifier: GPL-2.0-or-later
 * import.c - `import`: a root file system archive becomes an image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/verbs.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/image/image.h"

struct import_options {
	char **changes;
	char *message;
};

static const struct flag import_flags[] = {
	{ 'c', "change", FLAG_LIST, offsetof(struct import_options, changes), "INSTRUCTION",
		"Dockerfile line for the image's configuration: CMD, ENTRYPOINT, ENV, EXPOSE, "
		"HEALTHCHECK, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR",
		0 },
	{ 'm', "message", FLAG_STRING, offsetof(struct import_options, message), "TEXT",
		"Comment in the image's history", 0 },
	FLAG_END,
};

static int run_import(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct import_options *options = opaque;
	cleanup_image struct image *image = NULL;
	cleanup_fd int file_fd = -1;
	const char *name;
	bool is_stdin;
	int r = app_need_operands(app, args, 1, 2, err);

	if (r < 0)
		return r;
	is_stdin = !strcmp(args[0], "-");
	name = is_stdin ? "standard input" : args[0];
	if (is_stdin && isatty(STDIN_FILENO))
		return error_set(err, -EINVAL,
			"standard input is a terminal: pipe an archive in or name a file");
	if (!is_stdin) {
		file_fd = file_open(AT_FDCWD, args[0], O_RDONLY, 0, err);
		if (file_fd < 0)
			return file_fd;
	}
	r = image_import(&app->engine, is_stdin ? STDIN_FILENO : file_fd, name, args[1],
		options->changes, options->message, &image, err);
	if (r < 0)
		return r;
	printf("%s\n", image->id);
	return 0;
}

const struct verb verb_import = {
	.name = "import",
	.usage = "[OPTIONS] FILE|- [REPOSITORY[:TAG]]",
	.summary = "Make an image from a root file system archive",
	.flags = import_flags,
	.options_size = sizeof(struct import_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_import,
};
