/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_image.c - a container from an image and the flags, in a group of its own. */
#include "cmd/run_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/env_options.h"
#include "cmd/exec_session.h"
#include "cmd/port_options.h"
#include "cmd/run_session.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/image_defaults.h"
#include "engine/image/image.h"

#define EXIT_ENGINE	125
#define DEFAULT_NETWORK "bridge"
#define NAME_ID_DIGITS	6

static int find_image(
	const struct engine *engine, const char *text, struct image **ret, struct error *err)
{
	struct image_ref ref = { 0 };
	int r = image_find(engine, text, ret, err);

	if (r != -ENOENT)
		return r;
	error_release(err);
	r = image_ref_parse(text, &ref, err);
	if (r < 0)
		return r;
	r = -ENOENT;
	error_set(err, r,
		"Unable to find image '%s' locally; images come by `mycompose import` and "
		"`mycompose load`",
		ref.familiar);
	image_ref_release(&ref);
	return r;
}

/* "nginx-3f2a1b": what it runs, and the beginning of its id. */
static char *make_name(const char *image, const char *id)
{
	const char *slash = strrchr(image, '/');
	struct strbuf name = STRBUF_INIT;

	for (const char *c = slash ? slash + 1 : image; *c && *c != ':' && *c != '@'; c++)
		if (ascii_is_alnum(*c) || (name.length && strchr("_.-", *c)))
			strbuf_add_char(&name, *c);
	strbuf_addf(&name, "%s%.*s", name.length ? "-" : "c", NAME_ID_DIGITS, id);
	return strbuf_steal(&name);
}

static void join_default_network(const struct run_options *options, struct container *container)
{
	struct container_attachment *attachment;

	if (strv_length(options->networks))
		return;
	attachment = array_add(container->attachments, container->attachment_count);
	attachment->network = xstrdup(DEFAULT_NETWORK);
}

static int apply_image(const struct app *app, const struct run_options *options,
	const struct image *image, char **words, struct container *container, struct error *err)
{
	char *entrypoint[] = { options->entrypoint, NULL };
	cleanup_strv char **env = NULL;
	struct spec_overrides overrides = {
		.entrypoint = entrypoint,
		.entrypoint_set = options->entrypoint_given,
		.command = words + 1,
		.command_set = words[1] != NULL,
		.cwd = options->workdir,
		.user = options->user,
		.stop_signal = options->stop_signal,
	};
	int r = env_options_collect(options->env_files, options->env, app->environ, &env, err);

	if (r < 0)
		return r;
	overrides.env = env;
	r = container_apply_image(container, image, &overrides, err);
	if (r == 0 && options->publish_all)
		port_options_publish_exposed(container);
	return r;
}

static int make_container(const struct app *app, const struct run_options *options, char **words,
	struct container **ret, struct error *err)
{
	cleanup_container struct container *container = container_new();
	cleanup_image struct image *image = NULL;
	struct spec *spec = &container->spec;
	int r = find_image(&app->engine, words[0], &image, err);

	if (r < 0)
		return r;
	container->group = xasprintf("_%.*s", ID_SHORT_LENGTH, container->id);
	container->name =
		options->name ? xstrdup(options->name) : make_name(words[0], container->id);
	container->image_ref = xstrdup(words[0]);
	spec->terminal = options->tty && !options->no_tty;
	session_window_size(&spec->console_rows, &spec->console_columns);
	spec->stdin_open = options->interactive;
	spec->privileged = options->privileged;
	spec->resources.all_devices = options->privileged;
	cgroup_default_devices(&spec->resources);
	join_default_network(options, container);
	r = capabilities_combine(options->privileged ? capabilities_all() : CAPABILITIES_DEFAULT,
		options->cap_add, options->cap_drop, &spec->capabilities, err);
	if (r == 0)
		r = run_options_apply(options, app, container, err);
	if (r == 0)
		r = apply_image(app, options, image, words, container, err);
	if (r == 0)
		*ret = steal_ptr(container);
	return r;
}

/* What docker says, in our name: the message, where to read more, and 125 unless the command itself
 * was at fault. */
static int fail(struct error *err)
{
	cleanup_free char *text = xstrdup(error_text(err));
	int code = err->code, exit_code = err->exit_code ? err->exit_code : EXIT_ENGINE;

	error_set(err, code, "mycompose: %s\n\nRun 'mycompose run --help' for more information",
		text);
	err->exit_code = exit_code;
	return code;
}

static int run(struct app *app, const struct run_options *options, char **words, struct error *err)
{
	cleanup_container struct container *container = NULL;
	int r;

	r = make_container(app, options, words, &container, err);
	if (r == 0)
		r = container_create(&app->engine, container, err);
	if (r < 0)
		return r;
	cgroup_resources_warn(&container->spec.resources);
	if (options->detach)
		return run_session_detached(app, container, err);
	return run_session_attached(app, container, options->interactive, err);
}

int run_image(struct app *app, const struct run_options *options, char **words, struct error *err)
{
	int r = run_options_check(options, false, err);

	if (r == 0 && options->tty && options->interactive && !options->no_tty &&
		!options->detach && !isatty(STDIN_FILENO))
		return error_set(err, -ENOTTY, "the input device is not a TTY");
	if (r == 0)
		r = run(app, options, words, err);
	return r < 0 ? fail(err) : r;
}
