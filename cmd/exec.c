/* SPDX-License-Identifier: GPL-2.0-or-later
 * exec.c - `exec`: a command inside a running container, of a service or by name. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/env_options.h"
#include "cmd/exec_session.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct exec_options {
	bool detach;
	bool interactive;
	bool interactive_given;
	bool tty;
	bool tty_given;
	bool no_tty;
	bool privileged;
	int64_t index;
	char **env;
	char **env_files;
	char *user;
	char *workdir;
};

#define E(field) offsetof(struct exec_options, field)
static const struct flag exec_flags[] = {
	{ 'd', "detach", FLAG_BOOL, E(detach), NULL, "Return once the command runs", 0 },
	{ 'e', "env", FLAG_LIST, E(env), "KEY[=VALUE]", "Set an environment variable", 0 },
	{ 0, "env-file", FLAG_LIST, E(env_files), "FILE", "Set the environment variables of a file",
		0 },
	{ 0, "index", FLAG_INT, E(index), "N", "The service's container with this number", 0 },
	{ 'i', "interactive", FLAG_BOOL, E(interactive), NULL,
		"Pass standard input on (services: on unless --interactive=false)",
		E(interactive_given) },
	{ 't', "tty", FLAG_BOOL, E(tty), NULL,
		"Give the command a terminal (services: on where there is one)", E(tty_given) },
	{ 'T', "no-tty", FLAG_BOOL, E(no_tty), NULL, "No terminal", 0 },
	{ 0, "no-TTY", FLAG_BOOL, E(no_tty), NULL, NULL, 0 },
	{ 0, "privileged", FLAG_BOOL, E(privileged), NULL, "With all capabilities", 0 },
	{ 'u', "user", FLAG_STRING, E(user), "USER[:GROUP]", "Run as this user", 0 },
	{ 'w', "workdir", FLAG_STRING, E(workdir), "DIR", "Working directory in the container", 0 },
	FLAG_END,
};

/* Compose: both on where they make sense. docker: what was said, checked. */
static int choose_streams(const struct exec_options *options, bool is_service,
	struct exec_session_options *session, struct error *err)
{
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	if (is_service) {
		session->interactive = options->interactive_given ? options->interactive : true;
		session->request.terminal =
			terminal && !options->no_tty && (!options->tty_given || options->tty);
		return 0;
	}
	session->interactive = options->interactive;
	session->request.terminal = options->tty && !options->no_tty;
	if (session->request.terminal && session->interactive && !options->detach &&
		!isatty(STDIN_FILENO))
		return error_set(err, -ENOTTY, "the input device is not a TTY");
	return 0;
}

static int run_exec(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct exec_options *options = opaque;
	struct service_pick pick = { args[0], options->index, true };
	cleanup_container struct container *container = NULL;
	cleanup_strv char **env = NULL;
	struct exec_session_options session = {
		.request = { .args = args + 1,
			.cwd = options->workdir,
			.user = options->user,
			.privileged = options->privileged },
		.detach = options->detach,
	};
	enum target_kind kind;
	int r;

	r = app_need_operands(app, args, 2, SIZE_MAX, err);
	if (r == 0)
		r = target_kind_of(app, args[0], &kind, err);
	if (r == 0)
		r = choose_streams(options, kind == TARGET_SERVICES, &session, err);
	if (r == 0)
		r = env_options_collect(options->env_files, options->env, app->environ, &env, err);
	if (r < 0)
		return r;
	session.request.env = env;
	session_window_size(&session.request.console_rows, &session.request.console_columns);
	r = kind == TARGET_SERVICES ? service_pick(app, &pick, &container, err)
				    : container_find(&app->engine, args[0], &container, err);
	return r < 0 ? r : exec_session_run(app, container, &session, err);
}

const struct verb verb_exec = {
	.name = "exec",
	.usage = "[OPTIONS] SERVICE|CONTAINER COMMAND [ARG...]",
	.summary = "Run a command inside a running container",
	.flags = exec_flags,
	.options_size = sizeof(struct exec_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN | STARTS_PROCESSES | MAY_USE_PROJECT |
		 OPERANDS_ARE_SERVICES,
	.run = run_exec,
};
