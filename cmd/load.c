/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.c - `load`: images from an archive that `save`, docker or an OCI tool wrote. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/verbs.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/image.h"

struct load_options {
	char *input;
	bool quiet;
};

static const struct flag load_flags[] = {
	{ 'i', "input", FLAG_STRING, offsetof(struct load_options, input), "FILE",
		"Archive or OCI layout directory (default: standard input)", 0 },
	{ 'q', "quiet", FLAG_BOOL, offsetof(struct load_options, quiet), NULL, "Show no progress",
		0 },
	FLAG_END,
};

static int run_load(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct load_options *options = opaque;
	cleanup_strv char **loaded = NULL;
	cleanup_fd int file_fd = -1;
	int r = app_need_operands(app, args, 0, 0, err);

	if (r < 0)
		return r;
	if (!options->input && isatty(STDIN_FILENO))
		return error_set(
			err, -EINVAL, "requested load from stdin, but stdin is empty: use -i FILE");
	if (options->input) {
		file_fd = file_open(AT_FDCWD, options->input, O_RDONLY, 0, err);
		if (file_fd < 0)
			return file_fd;
	}
	r = image_load(&app->engine, options->input ? file_fd : STDIN_FILENO,
		options->input ? options->input : "standard input", &loaded, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < strv_length(loaded); i++)
		printf("Loaded image%s: %s\n",
			strncmp(loaded[i], "sha256:", strlen("sha256:")) ? "" : " ID", loaded[i]);
	return 0;
}

const struct verb verb_load = {
	.name = "load",
	.usage = "[OPTIONS]",
	.summary = "Load images from an archive",
	.flags = load_flags,
	.options_size = sizeof(struct load_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_load,
};
