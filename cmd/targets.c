/* SPDX-License-Identifier: GPL-2.0-or-later
 * targets.c - tell services from containers, and act on containers by name. */
#include "cmd/targets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/app.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* By name only there is no file: a service is what a container of the project says. */
static bool is_observed_service(const struct app *app, const char *word)
{
	struct container **containers = NULL;
	size_t count = 0;
	bool found = false;

	if (container_list(&app->engine, NULL, &containers, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count && !found; i++) {
		const char *project = container_label(containers[i], LABEL_PROJECT);
		const char *service = container_label(containers[i], LABEL_SERVICE);

		found = project && service && !strcmp(project, app->project_name) &&
			!strcmp(service, word);
	}
	container_list_free(containers, count);
	return found;
}

bool app_is_service(const struct app *app, const char *word)
{
	if (app_word_is_no_service(word) || !app->project_name)
		return false;
	if (app->project)
		return project_find_service(app->project, word) ||
		       strv_contains(app->project->disabled_services, word);
	return is_observed_service(app, word);
}

int target_kind_of(struct app *app, const char *word, enum target_kind *ret, struct error *err)
{
	cleanup_container struct container *container = NULL;

	if (!word) {
		if (app->project_name) {
			*ret = TARGET_SERVICES;
			return 0;
		}
		if (app->project_error.code)
			return error_move(err, &app->project_error);
		return error_set(err, -EINVAL,
			"'mycompose %s' requires at least 1 argument where there is no Compose "
			"file",
			app->verb->name);
	}
	if (app_is_service(app, word)) {
		*ret = TARGET_SERVICES;
		return 0;
	}
	*ret = TARGET_CONTAINERS;
	if (container_find(&app->engine, word, &container, NULL) == 0)
		return 0;
	/* Neither: a broken file matters now, since it could have declared the service. */
	if (app->project_error.code && !app_word_is_no_service(word))
		return error_move(err, &app->project_error);
	if (app->project_name && !app_word_is_no_service(word))
		return error_set(err, -EINVAL, "no such service: %s", word);
	return 0;
}

/* The process that minds the group from now on: answers its parent, then lives as long as something
 * of the group runs. */
static void become_supervisor(struct app *app, const char *group, const struct request *request)
{
	struct supervisor_hooks hooks = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	struct control *control = NULL;
	int r;

	project_free(app->project);
	app->project = NULL;
	r = control_open(&app->engine, group, CONTROL_DETACHABLE, &hooks, &control, &err);
	if (r == 0 && request)
		r = control_call(control, request, &err);
	if (r < 0) {
		app_print_error(app, &err);
		r = err.exit_code ? err.exit_code : 1;
	}
	if (control)
		r = control_finish(control, r, NULL, NULL);
	_exit(r);
}

static int fork_supervisor(
	struct app *app, const char *group, const struct request *request, struct error *err)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "fork");
	if (pid == 0)
		become_supervisor(app, group, request);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	error_set(err, -ECHILD, "%s", ""); /* told by the child */
	err->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	return -ECHILD;
}

int target_mind(struct app *app, const char *group, struct error *err)
{
	return fork_supervisor(app, group, NULL, err);
}

int target_request(struct app *app, const struct container *container,
	const struct request *request, struct error *err)
{
	struct supervisor_hooks hooks = { 0 };
	struct control *control = NULL;
	int r;

	r = control_open(
		&app->engine, container->group, CONTROL_CONNECT_ONLY, &hooks, &control, err);
	if (r == 0) {
		r = control_call(control, request, err);
		control_free(control);
		return r;
	}
	if (r != -ENOENT)
		return r;
	error_release(err);
	return fork_supervisor(app, container->group, request, err);
}

int targets_each(struct app *app, char *const *names,
	int (*act)(
		struct app *app, const struct container *container, void *arg, struct error *err),
	void *arg)
{
	int code = 0;

	for (; *names; names++) {
		cleanup_container struct container *container = NULL;
		cleanup_error struct error err = ERROR_INIT;
		int r = container_find(&app->engine, *names, &container, &err);

		if (r == 0 && app->global.dry_run) {
			printf("DRY-RUN MODE - %s container %s\n", app->verb->name,
				container->name);
			continue;
		}
		if (r == 0)
			r = act(app, container, arg, &err);
		if (r < 0) {
			app_print_error(app, &err);
			code = err.exit_code ? err.exit_code : 1;
			continue;
		}
		printf("%s\n", *names);
		fflush(stdout);
	}
	return code;
}
