/* SPDX-License-Identifier: GPL-2.0-or-later
 * export.c - `export`: a container's root file system as a tar, without what is mounted in it. */
#include "cmd/app.h"
#include "cmd/helper_process.h"
#include "cmd/output_file.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/container/archive.h"
#include "engine/container/root_open.h"

struct export_options {
	char *output;
	int64_t index;
};

static const struct flag export_flags[] = {
	{ 'o', "output", FLAG_STRING, offsetof(struct export_options, output), "FILE",
		"Write to a file, which is there whole or not at all (default: standard output)",
		0 },
	{ 0, "index", FLAG_INT, offsetof(struct export_options, index), "N",
		"The service's container with this number", 0 },
	FLAG_END,
};

struct job {
	const struct engine *engine;
	const struct container *container;
	int out_fd;
};

static int pack(void *arg, struct error *err)
{
	const struct job *job = arg;
	struct archive_source source = { .path = "/.", .stay_on_mount = true };

	source.root_fd = container_root_open(job->engine, job->container, err);
	return source.root_fd < 0 ? source.root_fd : archive_pack(&source, job->out_fd, err);
}

static int export_to(int fd, void *arg, struct error *err)
{
	struct job *job = arg;
	struct helper_process helper;
	int r;

	job->out_fd = fd;
	r = helper_process_start(&helper, pack, job, err);

	return r < 0 ? r : helper_process_finish(&helper, err);
}

static int find(struct app *app, const struct export_options *options, const char *word,
	struct container **ret, struct error *err)
{
	const struct service_pick pick = { word, options->index, false };
	enum target_kind kind;
	int r = target_kind_of(app, word, &kind, err);

	if (r < 0)
		return r;
	return kind == TARGET_SERVICES ? service_pick(app, &pick, ret, err)
				       : container_find(&app->engine, word, ret, err);
}

static int run_export(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct export_options *options = opaque;
	cleanup_container struct container *container = NULL;
	struct job job = { .engine = &app->engine };
	int r = app_need_operands(app, args, 1, 1, err);

	if (r == 0)
		r = find(app, options, args[0], &container, err);
	if (r < 0)
		return r;
	job.container = container;
	return output_archive_write(options->output, export_to, &job, err);
}

const struct verb verb_export = {
	.name = "export",
	.usage = "[OPTIONS] SERVICE|CONTAINER",
	.summary = "Write a container's file system as a tar",
	.flags = export_flags,
	.options_size = sizeof(struct export_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_export,
};
