/* SPDX-License-Identifier: GPL-2.0-or-later
 * cp.c - `cp`: files between a container and the host, or a tar stream to or from a container.
 *
 * What touches the container runs in a process of its own (root_open.h), joined to ours by a pipe
 * that carries a tar; with `-` our own stdin or stdout takes our half's place. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/helper_process.h"
#include "cmd/listed.h"
#include "cmd/progress.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/archive.h"
#include "engine/container/root_open.h"

struct cp_options {
	bool archive;
	bool follow;
	bool all;
	bool quiet;
	int64_t index;
};

#define C(field) offsetof(struct cp_options, field)
static const struct flag cp_flags[] = {
	{ 'a', "archive", FLAG_BOOL, C(archive), NULL,
		"Keep owners (else all belongs to root), copy devices to the host too", 0 },
	{ 'L', "follow-link", FLAG_BOOL, C(follow), NULL,
		"Copy what a link given as SOURCE leads to", 0 },
	{ 0, "all", FLAG_BOOL, C(all), NULL, "Into the service's one-off containers too", 0 },
	{ 0, "index", FLAG_INT, C(index), "N", "The service's container with this number", 0 },
	{ 'q', "quiet", FLAG_BOOL, C(quiet), NULL, "No progress", 0 },
	FLAG_END,
};

/* One copy; what the process beside us needs to know. */
struct transfer {
	struct app *app;
	const struct cp_options *options;
	const struct container *container;
	const char *path; /* in the container */
	int fd;		  /* the container's end of the pipe */
	int other_fd;	  /* ours, closed over there */
	bool is_stream;	  /* the other end is a user's tar */
};

static int pack_from_container(void *arg, struct error *err)
{
	struct transfer *transfer = arg;
	struct archive_source source = { .path = transfer->path,
		.follow = transfer->options->follow };
	int r;

	close_fd(&transfer->other_fd);
	source.root_fd = container_root_open(&transfer->app->engine, transfer->container, err);
	r = source.root_fd < 0 ? source.root_fd : archive_pack(&source, transfer->fd, err);
	return r < 0 ? error_wrap(err, "%s:%s", transfer->container->name, transfer->path) : 0;
}

static int unpack_in_container(void *arg, struct error *err)
{
	struct transfer *transfer = arg;
	struct archive_place place = { .path = transfer->path,
		.is_stream = transfer->is_stream,
		.keep_owner = transfer->options->archive || transfer->is_stream };
	int r;

	close_fd(&transfer->other_fd);
	place.root_fd = container_root_open(&transfer->app->engine, transfer->container, err);
	r = place.root_fd < 0 ? place.root_fd : archive_unpack(&place, transfer->fd, err);
	return r < 0 ? error_wrap(err, "%s:%s", transfer->container->name, transfer->path) : 0;
}

/* `path` as a directory that is opened as the host sees it, and a name in it: nothing below that
 * leads out of it again. With `whole` a directory stands for itself. *ret_name is heap. */
static int split_local(const char *path, bool whole, char **ret_name, struct error *err)
{
	cleanup_free char *plain = xstrdup(path);
	size_t length = strlen(plain);
	const char *slash = length > 0 && plain[length - 1] == '/' ? "/" : "";
	char *name;
	int fd;

	if (whole) {
		*ret_name = xstrdup("/");
		return file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, err);
	}
	while (length > 1 && plain[length - 1] == '/')
		plain[--length] = '\0';
	name = strrchr(plain, '/');
	if (name && name != plain)
		*name = '\0';
	fd = file_open(AT_FDCWD,
		!name		? "."
		: name == plain ? "/"
				: plain,
		O_PATH | O_DIRECTORY, 0, err);
	if (fd >= 0)
		*ret_name = xasprintf("/%s%s", name ? name + 1 : plain, slash);
	return fd;
}

static int pack_local(
	const char *path, const struct cp_options *options, int out_fd, struct error *err)
{
	cleanup_free char *real = options->follow ? realpath(path, NULL) : NULL;
	const char *wanted = real ? real : path, *last = strrchr(wanted, '/');
	struct archive_source source = { .follow = options->follow };
	cleanup_free char *name = NULL;
	bool whole;
	int r;

	last = last ? last + 1 : wanted;
	whole = !strcmp(last, ".") || !strcmp(last, "..");
	source.root_fd = split_local(wanted, whole, &name, err);
	if (source.root_fd < 0)
		return source.root_fd;
	source.path = name;
	r = archive_pack(&source, out_fd, err);
	close_fd(&source.root_fd);
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}

static int unpack_local(
	const char *path, const struct cp_options *options, int in_fd, struct error *err)
{
	struct archive_place place = { .keep_owner = options->archive,
		.no_devices = !options->archive };
	cleanup_free char *name = NULL;
	struct stat st;
	int r;

	place.root_fd = split_local(path, stat(path, &st) == 0 && S_ISDIR(st.st_mode), &name, err);
	if (place.root_fd < 0)
		return place.root_fd;
	place.path = name;
	r = archive_unpack(&place, in_fd, err);
	close_fd(&place.root_fd);
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}

/* The container's own failure is the cause of ours, unless it only lost its reader. */
static int join(struct helper_process *helper, int ours, struct error *our_err, struct error *err)
{
	cleanup_error struct error theirs = ERROR_INIT;
	int r = helper_process_finish(helper, &theirs);

	if (r < 0 && (r != -EPIPE || ours == 0))
		return error_move(err, &theirs);
	return ours < 0 ? error_move(err, our_err) : 0;
}

static int copy_from(struct transfer *transfer, const char *local, struct error *err)
{
	cleanup_error struct error own = ERROR_INIT;
	struct helper_process helper;
	int ends[2], r = 0;

	if (!strcmp(local, "-")) {
		transfer->fd = STDOUT_FILENO;
		transfer->other_fd = -1;
		r = helper_process_start(&helper, pack_from_container, transfer, err);
		return r < 0 ? r : helper_process_finish(&helper, err);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	transfer->fd = ends[1];
	transfer->other_fd = ends[0];
	r = helper_process_start(&helper, pack_from_container, transfer, err);
	close(ends[1]);
	if (r == 0) {
		r = unpack_local(local, transfer->options, ends[0], &own);
		close(ends[0]);
		return join(&helper, r, &own, err);
	}
	close(ends[0]);
	return r;
}

static int copy_to(struct transfer *transfer, const char *local, struct error *err)
{
	cleanup_error struct error own = ERROR_INIT;
	struct helper_process helper;
	int ends[2], r = 0;

	transfer->is_stream = !strcmp(local, "-");
	if (transfer->is_stream) {
		transfer->fd = STDIN_FILENO;
		transfer->other_fd = -1;
		r = helper_process_start(&helper, unpack_in_container, transfer, err);
		return r < 0 ? r : helper_process_finish(&helper, err);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	transfer->fd = ends[0];
	transfer->other_fd = ends[1];
	r = helper_process_start(&helper, unpack_in_container, transfer, err);
	close(ends[0]);
	if (r == 0) {
		r = pack_local(local, transfer->options, ends[1], &own);
		close(ends[1]);
		/* Over there the archive only ended too early. */
		if (r < 0 && r != -EPIPE) {
			helper_process_finish(&helper, NULL);
			return error_move(err, &own);
		}
		return join(&helper, r, &own, err);
	}
	close(ends[1]);
	return r;
}

/* "NAME:PATH"; a path with a slash or dot before the colon is a local one. */
static const char *split_target(const char *word, char **ret_name)
{
	const char *colon = strchr(word, ':');

	if (!colon || colon == word || word[0] == '.' || memchr(word, '/', (size_t)(colon - word)))
		return NULL;
	*ret_name = xstrndup(word, (size_t)(colon - word));
	return colon + 1;
}

struct sides {
	const char *local;
	const char *path;
	bool to_container;
};

static int copy_one(struct app *app, const struct cp_options *options,
	const struct container *container, const struct sides *sides, struct error *err)
{
	struct transfer transfer = { .app = app,
		.options = options,
		.container = container,
		.path = *sides->path ? sides->path : "/" };

	return sides->to_container ? copy_to(&transfer, sides->local, err)
				   : copy_from(&transfer, sides->local, err);
}

static int copy_told(struct app *app, const struct cp_options *options,
	const struct container *container, const struct sides *sides, struct progress *progress,
	struct error *err)
{
	cleanup_free char *id = xasprintf("Container %s", container->name);
	cleanup_free char *details =
		sides->to_container
			? xasprintf("%s to %s:%s", sides->local, container->name, sides->path)
			: xasprintf("%s:%s to %s", container->name, sides->path, sides->local);
	struct progress_event event = { id, "Copying", PROGRESS_WORKING, details };
	int r = 0;

	progress_event(progress, &event);
	if (!app->global.dry_run)
		r = copy_one(app, options, container, sides, err);
	event.text = r < 0 ? "Error" : "Copied";
	event.status = r < 0 ? PROGRESS_ERROR : PROGRESS_DONE;
	progress_event(progress, &event);
	return r;
}

struct selection {
	const char *service;
	const struct cp_options *options;
};

static bool is_selected(const struct listed *listed, void *arg)
{
	const struct selection *selection = arg;

	if (strcmp(listed_service(listed), selection->service))
		return false;
	if (listed_is_one_off(listed))
		return selection->options->all;
	return !selection->options->index || selection->options->index == listed_number(listed);
}

/* Into every replica, in order; out of the first. */
static int copy_service(struct app *app, const struct cp_options *options, const char *service,
	const struct sides *sides, struct progress *progress, struct error *err)
{
	struct selection selection = { service, options };
	cleanup_listed struct listed_set set = LISTED_INIT;
	int r = listed_load(&app->engine, app->project_name, &set, err);

	if (r < 0)
		return r;
	listed_filter(&set, is_selected, &selection);
	listed_sort_by_name(&set);
	if (!set.count && options->index)
		return error_set(err, -ESRCH, "service \"%s\" is not running container #%lld",
			service, (long long)options->index);
	if (!set.count)
		return error_set(err, -ESRCH, "no container found for service \"%s\"", service);
	if (set.count > 1 && sides->to_container && !strcmp(sides->local, "-"))
		return error_set(err, -EINVAL,
			"standard input can be read once only, and service \"%s\" has %zu "
			"containers: choose one with --index",
			service, set.count);
	for (size_t i = 0; r == 0 && i < (sides->to_container ? set.count : 1); i++)
		r = copy_told(app, options, set.items[i].container, sides, progress, err);
	return r;
}

static int copy(struct app *app, const struct cp_options *options, const char *name,
	const struct sides *sides, struct error *err)
{
	cleanup_container struct container *container = NULL;
	struct progress *progress;
	enum progress_mode mode;
	bool is_service = app_is_service(app, name);
	bool quiet = options->quiet || !strcmp(sides->local, "-") || !is_service;
	int r = progress_mode_choose(app, &mode, err);

	if (r == 0 && !is_service)
		r = container_find(&app->engine, name, &container, err);
	if (r < 0)
		return r;
	progress = progress_new(quiet ? PROGRESS_QUIET : mode, app->global.dry_run);
	r = is_service ? copy_service(app, options, name, sides, progress, err)
		       : copy_told(app, options, container, sides, progress, err);
	progress_free(progress);
	return r;
}

static int run_cp(struct app *app, void *options, char **args, struct error *err)
{
	cleanup_free char *source = NULL;
	cleanup_free char *target = NULL;
	struct sides sides = { 0 };
	const char *from, *to;
	int r = app_need_operands(app, args, 2, 2, err);

	if (r < 0)
		return r;
	from = split_target(args[0], &source);
	to = split_target(args[1], &target);
	if (from && to)
		return error_set(err, -EINVAL, "copying between containers is not supported");
	if (!from && !to)
		return error_set(err, -EINVAL,
			"neither %s nor %s is a place in a container (SERVICE:PATH)", args[0],
			args[1]);
	sides.to_container = to != NULL;
	sides.path = to ? to : from;
	sides.local = to ? args[0] : args[1];
	return copy(app, options, to ? target : source, &sides, err);
}

const struct verb verb_cp = {
	.name = "cp",
	.usage = "[OPTIONS] SERVICE|CONTAINER:SOURCE DESTINATION|-\n"
		 "        mycompose cp [OPTIONS] SOURCE|- SERVICE|CONTAINER:DESTINATION",
	.summary = "Copy files between containers and the host, or tar streams (-)",
	.flags = cp_flags,
	.options_size = sizeof(struct cp_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT,
	.flags_anywhere = true,
	.run = run_cp,
};
