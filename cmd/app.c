/* SPDX-License-Identifier: GPL-2.0-or-later
 * app.c - prepare what a verb needs, in one place for all. */
#include "cmd/app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cmd/escape.h"
#include "compose/load.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"

#define DATA_ROOT "/var/lib/mycompose"
#define RUN_ROOT  "/run/mycompose"

const char *app_getenv(const struct app *app, const char *name)
{
	return env_get(app->environ, name);
}

bool app_env_true(const struct app *app, const char *name)
{
	static const char *const yes[] = { "1", "t", "true", "y" };
	const char *value = app_getenv(app, name);

	for (size_t i = 0; value && i < ARRAY_LEN(yes); i++)
		if (!strcasecmp(value, yes[i]))
			return true;
	return false;
}

int app_ansi_choose(const struct app *app, int fd, enum ansi *ret, struct error *err)
{
	const char *wanted = app->global.ansi ? app->global.ansi : app_getenv(app, "COMPOSE_ANSI");
	const char *no_color = app_getenv(app, "NO_COLOR");

	if (app->global.no_ansi)
		wanted = "never";
	if (!wanted || !*wanted || !strcmp(wanted, "auto")) {
		*ret = !isatty(fd) ? ANSI_NEVER : no_color && *no_color ? ANSI_MONO : ANSI_COLOR;
		return 0;
	}
	if (strcmp(wanted, "always") && strcmp(wanted, "never"))
		return error_set(err, -EINVAL, "invalid value for --ansi: \"%s\"", wanted);
	*ret = !strcmp(wanted, "always") ? ANSI_COLOR : ANSI_NEVER;
	return 0;
}

bool app_word_is_no_service(const char *word)
{
	return strpbrk(word, "/:@") != NULL || word[0] == '.';
}

int app_open_engine(struct app *app, struct error *err)
{
	const char *root = app->global.root, *run = app->global.run;

	if (!root)
		root = app_getenv(app, "MYCOMPOSE_ROOT");
	if (!run)
		run = app_getenv(app, "MYCOMPOSE_RUN");
	return engine_open(&app->engine, root ? root : DATA_ROOT, run ? run : RUN_ROOT, err);
}

static void print_excerpts(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		problem_excerpt(&problems->items[i], &text);
		if (text.length)
			fprintf(stderr, "%s:%u:%u: %s\n%s", problems->items[i].file,
				problems->items[i].line, problems->items[i].column,
				problems->items[i].text, strbuf_text(&text));
		else if (problems->items[i].file)
			fprintf(stderr, "%s:%u:%u: %s\n", problems->items[i].file,
				problems->items[i].line, problems->items[i].column,
				problems->items[i].text);
		else
			fprintf(stderr, "%s\n", problems->items[i].text);
	}
}

void app_compose_options(const struct app *app, char *const *services, struct compose_options *ret)
{
	const struct global_options *global = &app->global;

	*ret = (struct compose_options){
		.files = global->files,
		.project_name = global->project_name,
		.project_directory = global->project_directory,
		.env_files = global->env_files,
		.profiles = global->profiles,
		.services = services,
		.environ = app->environ,
		.cwd = app->cwd,
		.stdin_fd = STDIN_FILENO,
		.all_resources = global->all_resources,
	};
}

int app_load(
	struct app *app, struct compose_options *options, bool show_excerpts, struct error *err)
{
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	int r;

	options->problems = &problems;
	r = compose_load(options, &app->project, err);
	options->problems = NULL;
	if (r < 0) {
		if (show_excerpts && problems.count && isatty(STDERR_FILENO)) {
			print_excerpts(&problems);
			error_set(err, r, "%s", ""); /* told already, at its place */
		}
		return r;
	}
	for (size_t i = 0; i < strv_length(app->project->warnings); i++)
		log_warning("%s", app->project->warnings[i]);
	app->project_name = xstrdup(app->project->name);
	return 0;
}

static int load_project(
	struct app *app, char *const *operands, bool show_excerpts, struct error *err)
{
	struct compose_options options;

	app_compose_options(
		app, app->verb->needs & OPERANDS_ARE_SERVICES ? operands : NULL, &options);
	return app_load(app, &options, show_excerpts, err);
}

/* COMPOSE_* keys of environment files count like those of the real environment, which wins. What is
 * wrong with a file is told when the project is loaded. */
static void take_env_files(struct app *app)
{
	cleanup_strv char **environment = NULL;
	struct compose_options options;

	app_compose_options(app, NULL, &options);
	if (compose_environment(&options, &environment, NULL) < 0)
		return;
	for (char **variable = environment; variable && *variable; variable++) {
		cleanup_free char *key = xstrndup(*variable, strcspn(*variable, "="));

		if (!strncmp(key, "COMPOSE_", strlen("COMPOSE_")) && !app_getenv(app, key))
			env_set(&app->environ, key, env_get(environment, key));
	}
}

/* With -p (or COMPOSE_PROJECT_NAME) and no file named, existing containers are enough. */
static bool by_name_only(struct app *app)
{
	return app->global.project_name && !app->global.files && !app_getenv(app, "COMPOSE_FILE");
}

static int prepare_project(struct app *app, char *const *operands, struct error *err)
{
	unsigned int needs = app->verb->needs;
	int r;

	if ((needs & (NEEDS_NAME | MAY_USE_PROJECT)) && !(needs & NEEDS_DECLARATIONS) &&
		by_name_only(app)) {
		app->project_name = xstrdup(app->global.project_name);
		return 0;
	}
	if (needs & MAY_USE_PROJECT) {
		r = load_project(app, operands, false, &app->project_error);
		if (r == -ENOENT)
			error_release(&app->project_error);
		return 0;
	}
	r = load_project(app, operands, true, err);
	if (r < 0 && (needs & NEEDS_NAME) && app_getenv(app, "COMPOSE_PROJECT_NAME")) {
		error_release(err);
		app->project_name = xstrdup(app_getenv(app, "COMPOSE_PROJECT_NAME"));
		return 0;
	}
	return r;
}

int app_prepare(struct app *app, char *const *operands, struct error *err)
{
	unsigned int needs = app->verb->needs;
	enum ansi ansi;
	int r;

	if (app->global.dry_run && (needs & NO_DRY_RUN))
		return error_set(err, -EINVAL, "'mycompose %s' has no --dry-run", app->verb_path);
	if (app->ad_hoc_only)
		needs &= ~(unsigned int)(MAY_USE_PROJECT | NEEDS_HONOURED);
	if (needs & (NEEDS_PROJECT | NEEDS_NAME | MAY_USE_PROJECT)) {
		take_env_files(app);
		r = prepare_project(app, operands, err);
		if (r < 0)
			return r;
	}
	if (app->project && (needs & NEEDS_HONOURED)) {
		r = project_check_refusals(
			app->project, strv_length(operands) ? operands : NULL, err);
		if (r < 0)
			return r;
	}
	r = app_ansi_choose(app, STDERR_FILENO, &ansi, err);
	if (r < 0)
		return r;
	return needs & NEEDS_ENGINE ? app_open_engine(app, err) : 0;
}

void app_release(struct app *app)
{
	project_free(app->project);
	free(app->project_name);
	error_release(&app->project_error);
	engine_release(&app->engine);
	strv_free(app->environ);
	free(app->cwd);
}

void app_print_error(const struct app *app, const struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *progress = app->global.progress;
	const char *text = error_text(err);

	if (!*text)
		return;
	if (!progress)
		progress = app_getenv(app, "COMPOSE_PROGRESS");
	if (progress && !strcmp(progress, "json")) {
		strbuf_add_str(&out, "{\"error\":true,\"message\":");
		json_quote(&out, text, strlen(text));
		strbuf_add_char(&out, '}');
	} else {
		escape_add(&out, text, "\n\t");
	}
	fprintf(stderr, "%s\n", strbuf_text(&out));
}

int app_remove_orphans(const struct app *app, bool flag, bool *ret, struct error *err)
{
	*ret = flag || app_env_true(app, "COMPOSE_REMOVE_ORPHANS");
	if (*ret && app_env_true(app, "COMPOSE_IGNORE_ORPHANS"))
		return error_set(
			err, -EINVAL, "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans");
	return 0;
}

void app_tell_status(const struct app *app, const char *text)
{
	fprintf(app_env_true(app, "COMPOSE_STATUS_STDOUT") ? stdout : stderr, "%s\n", text);
}

int app_need_operands(
	const struct app *app, char *const *operands, size_t least, size_t most, struct error *err)
{
	size_t count = strv_length(operands);
	const char *path = app->verb_path;

	if (count < least && least == most)
		return error_set(err, -EINVAL, "'mycompose %s' requires %zu argument%s", path,
			least, least == 1 ? "" : "s");
	if (count < least)
		return error_set(err, -EINVAL, "'mycompose %s' requires at least %zu argument%s",
			path, least, least == 1 ? "" : "s");
	if (count > most && most == 0)
		return error_set(err, -EINVAL, "'mycompose %s' accepts no arguments", path);
	if (count > most)
		return error_set(err, -EINVAL, "'mycompose %s' accepts at most %zu argument%s",
			path, most, most == 1 ? "" : "s");
	return 0;
}
