/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_service.c - dependencies first, then one container of the service with the flags on top. */
#include "cmd/run_service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/converge.h"
#include "cmd/env_options.h"
#include "cmd/exec_session.h"
#include "cmd/project_run.h"
#include "cmd/run_session.h"
#include "compose/apply.h"
#include "compose/labels.h"
#include "compose/service_namespaces.h"
#include "compose/service_volumes_from.h"
#include "compose/words.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static int make_plan(struct project_run *run, const struct service *service,
	const struct run_options *options, struct error *err)
{
	char *names[] = { (char *)service->name, NULL };
	struct plan_up_options wanted = {
		.services = names,
		.recreate = PLAN_RECREATE_NEVER,
		.recreate_dependencies = PLAN_RECREATE_DIVERGED,
		.no_deps = options->no_deps,
		.remove_orphans = options->remove_orphans,
		.one_off_of = service->name,
	};

	return project_run_plan_up(run, &wanted, err);
}

static int prepare(struct app *app, const struct service *service,
	const struct run_options *options, struct error *err)
{
	struct project_run run = { 0 };
	int r = project_run_begin(&run, app, err);

	run.stop_timeout_ns = -1;
	if (r == 0)
		r = make_plan(&run, service, options, err);
	if (r == 0)
		r = project_run_apply(&run, CONTROL_DETACHABLE, err);
	return project_run_finish(&run, r, err);
}

/* In a process of its own: whoever starts the dependencies may become their supervisor, and this
 * one has a container to mind. */
static int prepare_apart(struct app *app, const struct service *service,
	const struct run_options *options, struct error *err)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "fork");
	if (pid == 0) {
		cleanup_error struct error own = ERROR_INIT;
		int r = prepare(app, service, options, &own);

		if (r < 0) {
			app_print_error(app, &own);
			r = own.exit_code ? own.exit_code : 1;
		}
		fflush(NULL);
		_exit(r);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	error_set(err, -ECHILD, "%s", ""); /* told by the child */
	err->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return -ECHILD;
}

static char **copy_to_arena(struct arena *arena, char *const *strv)
{
	size_t count = strv_length(strv);
	char **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(arena, strv[i]);
	return copy;
}

static char **joined(struct arena *arena, char *const *first, char *const *second)
{
	cleanup_strv char **both = strv_copy(first);

	strv_extend(&both, second);
	return copy_to_arena(arena, both);
}

/* --entrypoint takes a whole command line, and the service's command goes with its entrypoint. */
static int split_entrypoint(
	struct arena *arena, const char *text, struct service *service, struct error *err)
{
	const struct mark nowhere = { 0 };
	struct node *list = node_new(arena, NODE_SEQUENCE, nowhere);
	const char *rest = NULL;
	char **argv;

	if (words_split_command(arena, node_string(arena, text, nowhere), list, &rest) < 0 || rest)
		return error_set(err, -EINVAL, "invalid --entrypoint: %s", text);
	argv = arena_alloc(arena, (list->count + 1) * sizeof(*argv));
	for (size_t i = 0; i < list->count; i++)
		argv[i] = arena_strdup(arena, list->entries[i].value->text);
	service->entrypoint = (struct command_line){ true, argv };
	service->command = (struct command_line){ true, NULL };
	return 0;
}

/* The service as the flags change it, before it is combined with the image. */
static int change_service(const struct app *app, const struct run_options *options, char **command,
	struct arena *arena, struct service *service, struct error *err)
{
	cleanup_strv char **env = strv_copy(service->environment);
	int r = env_options_collect(options->env_files, options->env, app->environ, &env, err);

	if (r < 0)
		return r;
	service->environment = copy_to_arena(arena, env);
	if (options->entrypoint_given) {
		r = split_entrypoint(arena, options->entrypoint, service, err);
		if (r < 0)
			return r;
	}
	if (command[0])
		service->command = (struct command_line){ true, copy_to_arena(arena, command) };
	if (options->user)
		service->user = options->user;
	if (options->workdir)
		service->working_dir = options->workdir;
	service->cap_add = joined(arena, service->cap_add, options->cap_add);
	service->cap_drop = joined(arena, service->cap_drop, options->cap_drop);
	service->privileged |= options->privileged;
	service->stdin_open = options->interactive_given ? options->interactive : true;
	service->tty = !options->detach && !options->no_tty &&
		       (!options->tty_given || options->tty) && isatty(STDIN_FILENO) &&
		       isatty(STDOUT_FILENO);
	return 0;
}

/* A one-off does not stand in for its service: no names of it, no ports of it, unless asked. */
static void set_apart(const struct run_options *options, const struct service *service,
	struct container *container)
{
	if (!options->publish_all) {
		for (size_t i = 0; i < container->port_count; i++)
			free(container->ports[i].host_ip);
		free(container->ports);
		container->ports = NULL;
		container->port_count = 0;
	}
	for (size_t i = 0; i < container->attachment_count; i++) {
		char ***aliases = &container->attachments[i].aliases;

		if (options->use_aliases) {
			strv_add(aliases, service->name);
		} else {
			strv_free(*aliases);
			*aliases = NULL;
		}
	}
	container->restart = RESTART_NO;
}

static void name_container(const struct app *app, const struct run_options *options,
	const struct service *service, struct container *container)
{
	char slug[ID_LENGTH + 1];

	id_random(slug);
	free(container->group);
	container->group = xasprintf("_%.*s", ID_SHORT_LENGTH, container->id);
	free(container->name);
	container->name = options->name ? xstrdup(options->name)
					: xasprintf("%s-%s-run-%.*s", app->project_name,
						  service->name, ID_SHORT_LENGTH, slug);
	env_set(&container->labels, LABEL_SLUG, slug);
	strv_sort(container->labels);
}

static int make_container(struct app *app, const struct run_options *options, char **words,
	struct container **ret, struct error *err)
{
	struct service service = *project_find_service(app->project, words[0]);
	cleanup_container struct container *container = NULL;
	cleanup_arena struct arena *arena = arena_new();
	cleanup_service_images struct service_images images = { .engine = &app->engine };
	int r = change_service(app, options, words + 1, arena, &service, err);

	if (r == 0)
		r = service_to_container(&images, app->project, &service, 0, &container, err);
	if (r < 0)
		return r;
	session_window_size(&container->spec.console_rows, &container->spec.console_columns);
	set_apart(options, &service, container);
	name_container(app, options, &service, container);
	r = service_add_volumes_from(&app->engine, app->project, &service, container, err);
	if (r == 0)
		r = service_join_namespaces(&app->engine, app->project, &service, container, err);
	if (r < 0)
		return r;
	r = run_options_apply(options, app, container, err);
	if (r == 0)
		*ret = steal_ptr(container);
	return r;
}

int run_service(struct app *app, const struct run_options *options, char **words, struct error *err)
{
	const struct service *service;
	cleanup_container struct container *container = NULL;
	char *names[] = { words[0], NULL };
	bool interactive;
	int r = run_options_check(options, true, err);

	if (r < 0)
		return r;
	service = app->project ? project_find_service(app->project, words[0]) : NULL;
	if (!service && !app->project)
		return error_set(err, -EINVAL,
			"run needs the Compose file of project \"%s\": give it with -f",
			app->project_name);
	if (!service)
		return error_set(err, -EINVAL, "no such service: %s", words[0]);
	if (options->quiet) {
		free(app->global.progress);
		app->global.progress = xstrdup("quiet");
	}
	r = options->build ? converge_check_build(app, err) : 0;
	if (r == 0)
		r = project_check_refusals(app->project, names, err);
	if (r == 0)
		r = prepare_apart(app, service, options, err);
	if (r == 0)
		r = make_container(app, options, words, &container, err);
	if (r == 0)
		r = container_create(&app->engine, container, err);
	if (r < 0)
		return r;
	cgroup_resources_warn(&container->spec.resources);
	interactive = container->spec.stdin_open;
	if (options->detach)
		return run_session_detached(app, container, err);
	return run_session_attached(app, container, interactive, err);
}
