/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit.c - `commit`: a container's writable layer on top of its image becomes a new image. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/commit_config.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/image/image.h"

struct commit_options {
	char *author;
	char *message;
	char **changes;
	bool pause;
	int64_t index;
};

#define C(field) offsetof(struct commit_options, field)
static const struct flag commit_flags[] = {
	{ 'a', "author", FLAG_STRING, C(author), "NAME", "Author of the image", 0 },
	{ 'm', "message", FLAG_STRING, C(message), "TEXT", "Comment in the image's history", 0 },
	{ 'c', "change", FLAG_LIST, C(changes), "INSTRUCTION",
		"Dockerfile line for the image's configuration", 0 },
	{ 'p', "pause", FLAG_BOOL, C(pause), NULL, "Pause the container meanwhile (default: true)",
		0 },
	{ 0, "index", FLAG_INT, C(index), "N", "The service's container with this number", 0 },
	FLAG_END,
};

static void commit_defaults(void *options)
{
	((struct commit_options *)options)->pause = true;
}

static int open_upper(
	const struct engine *engine, const struct container *container, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s/upper", container->id);

	return file_open(engine->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
}

static int make_image(struct app *app, const struct commit_options *options,
	const struct container *container, const char *reference, struct image **ret,
	struct error *err)
{
	const struct image_commit_options wanted = { options->author, options->message,
		options->changes };
	cleanup_image struct image *parent = NULL;
	struct image_config config = { 0 };
	cleanup_fd int upper_fd = -1;
	int r = image_find(&app->engine, container->image_id, &parent, err);

	if (r < 0)
		return error_wrap(err, "image of container %s", container->name);
	upper_fd = open_upper(&app->engine, container, err);
	if (upper_fd < 0)
		return upper_fd;
	commit_config_make(container, &parent->config, &config);
	r = image_commit(&app->engine, parent, upper_fd, &config, reference, &wanted, ret, err);
	commit_config_release(&config);
	return r;
}

static int set_paused(
	struct app *app, const struct container *container, bool paused, struct error *err)
{
	struct request request = { .operation = paused ? OPERATION_PAUSE : OPERATION_UNPAUSE };

	snprintf(request.id, sizeof(request.id), "%s", container->id);
	return target_request(app, container, &request, err);
}

/* Frozen, so that no file changes between its header and its end. */
static int commit_paused(struct app *app, const struct commit_options *options,
	const struct container *container, const char *reference, struct image **ret,
	struct error *err)
{
	cleanup_error struct error thaw_err = ERROR_INIT;
	struct container_state state = { 0 };
	bool freeze;
	int r = container_load_state(&app->engine, container->id, &state, err);

	if (r < 0)
		return r;
	freeze = options->pause && state.status == CONTAINER_RUNNING;
	container_state_release(&state);
	if (freeze)
		r = set_paused(app, container, true, err);
	if (r < 0)
		return r;
	r = make_image(app, options, container, reference, ret, err);
	if (freeze && set_paused(app, container, false, &thaw_err) < 0)
		log_warning(
			"container %s stays paused: %s", container->name, error_text(&thaw_err));
	return r;
}

static int run_commit(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct commit_options *options = opaque;
	struct service_pick pick = { args[0], options->index, false };
	cleanup_container struct container *container = NULL;
	cleanup_image struct image *image = NULL;
	enum target_kind kind;
	int r = app_need_operands(app, args, 1, 2, err);

	if (r == 0)
		r = target_kind_of(app, args[0], &kind, err);
	if (r < 0)
		return r;
	r = kind == TARGET_SERVICES ? service_pick(app, &pick, &container, err)
				    : container_find(&app->engine, args[0], &container, err);
	if (r == 0)
		r = commit_paused(app, options, container, args[1], &image, err);
	if (r < 0)
		return r;
	if (kind == TARGET_SERVICES)
		fprintf(stderr, "Committed as %s\n", image->id);
	else
		printf("%s\n", image->id);
	return 0;
}

const struct verb verb_commit = {
	.name = "commit",
	.usage = "[OPTIONS] SERVICE|CONTAINER [REPOSITORY[:TAG]]",
	.summary = "Make an image from a container's changes",
	.flags = commit_flags,
	.options_size = sizeof(struct commit_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN | STARTS_PROCESSES | MAY_USE_PROJECT |
		 OPERANDS_ARE_SERVICES,
	.flags_anywhere = true,
	.defaults = commit_defaults,
	.run = run_commit,
};
