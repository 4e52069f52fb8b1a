/* SPDX-License-Identifier: GPL-2.0-or-later
 * main.c - find the verb, hand it its options, print its error. The table below is the whole
 * program at a glance. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/complete.h"
#include "cmd/event_watch.h"
#include "cmd/help.h"
#include "cmd/progress_screen.h"
#include "cmd/verbs.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/self_exe.h"

extern char **environ;

#define G(field) offsetof(struct global_options, field)
static const struct flag global_flags[] = {
	{ 'f', "file", FLAG_LIST, G(files), "FILE",
		"Compose file (repeat to merge several; - is standard input)", 0 },
	{ 'p', "project-name", FLAG_STRING, G(project_name), "NAME", "Project name", 0 },
	{ 0, "project-directory", FLAG_STRING, G(project_directory), "DIR",
		"Base of relative paths (default: the folder of the first file)", 0 },
	{ 0, "workdir", FLAG_STRING, G(project_directory), "DIR", NULL, 0 },
	{ 0, "env-file", FLAG_LIST, G(env_files), "FILE",
		"Environment file for interpolation (default: .env)", 0 },
	{ 0, "profile", FLAG_LIST, G(profiles), "NAME", "Enable a profile (* for all)", 0 },
	{ 0, "ansi", FLAG_STRING, G(ansi), "WHEN",
		"Colours and cursor movement: never, always or auto", 0 },
	{ 0, "no-ansi", FLAG_BOOL, G(no_ansi), NULL, NULL, 0 },
	{ 0, "progress", FLAG_STRING, G(progress), "MODE",
		"Progress display: auto, tty, plain, json or quiet", 0 },
	{ 0, "parallel", FLAG_INT, G(parallel), "N", "Engine operations at once, -1 for no bound",
		0 },
	{ 0, "dry-run", FLAG_BOOL, G(dry_run), NULL, "Print what would be done, change nothing",
		0 },
	{ 0, "compatibility", FLAG_BOOL, G(compatibility), NULL, NULL, 0 },
	{ 0, "all-resources", FLAG_BOOL, G(all_resources), NULL,
		"Keep networks and volumes that no enabled service uses", 0 },
	{ 0, "verbose", FLAG_BOOL, G(verbose), NULL, NULL, 0 },
	{ 'v', "version", FLAG_BOOL, G(version), NULL, "Show the version", 0 },
	{ 0, "root", FLAG_STRING, G(root), "DIR",
		"Data root (default: /var/lib/mycompose, or $MYCOMPOSE_ROOT)", 0 },
	{ 0, "run", FLAG_STRING, G(run), "DIR",
		"Run root (default: /run/mycompose, or $MYCOMPOSE_RUN)", 0 },
	FLAG_END,
};

static const struct verb *const verbs[] = {
	&verb_attach,
	&verb_check,
	&verb_commit,
	&verb_config,
	&verb_container,
	&verb_cp,
	&verb_create,
	&verb_down,
	&verb_events,
	&verb_exec,
	&verb_export,
	&verb_image,
	&verb_images,
	&verb_import,
	&verb_info,
	&verb_kill,
	&verb_load,
	&verb_logs,
	&verb_ls,
	&verb_network,
	&verb_pause,
	&verb_port,
	&verb_ps,
	&verb_restart,
	&verb_rm,
	&verb_rmi,
	&verb_run,
	&verb_save,
	&verb_scale,
	&verb_start,
	&verb_stats,
	&verb_stop,
	&verb_top,
	&verb_unpause,
	&verb_up,
	&verb_version,
	&verb_volume,
	&verb_volumes,
	&verb_wait,
	NULL,
};

static const struct verb *find_verb(const struct verb *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp((*list)->name, name) ||
			((*list)->alias && !strcmp((*list)->alias, name)))
			return *list;
	return NULL;
}

/* Walk from the table down to the verb that has a run function. *ret_path is "network create",
 * heap. */
static const struct verb *resolve_verb(
	struct app *app, char **words, char ***ret_rest, char **ret_path, struct error *err)
{
	const struct verb *const *list = verbs;
	cleanup_free char *path = NULL;

	for (; *words; words++) {
		const struct verb *verb = find_verb(list, *words);
		char *longer;

		if (!verb) {
			error_set(err, -EINVAL,
				"unknown command \"%s\" for \"mycompose%s%s\"\nRun 'mycompose%s%s "
				"--help' for the commands there are",
				*words, path ? " " : "", path ? path : "", path ? " " : "",
				path ? path : "");
			return NULL;
		}
		longer = path ? xasprintf("%s %s", path, verb->name) : xstrdup(verb->name);
		free(path);
		path = longer;
		if (verb->run) {
			*ret_rest = words + 1;
			*ret_path = steal_ptr(path);
			return verb;
		}
		if (!words[1] || !strcmp(words[1], "--help") || !strcmp(words[1], "-h")) {
			help_group(verb, path, stdout);
			return NULL;
		}
		list = verb->children;
		app->ad_hoc_only |= verb->ad_hoc_children;
	}
	return NULL;
}

/* --dry-run is a global flag that may also follow the verb. */
static void take_dry_run(struct app *app, char **words)
{
	for (; *words && strcmp(*words, "--"); words++) {
		if ((*words)[0] != '-' && !app->verb->flags_anywhere)
			return;
		if (!strcmp(*words, "--dry-run")) {
			app->global.dry_run = true;
			for (char **w = words; *w; w++)
				*w = w[1];
			return;
		}
	}
}

static int run_verb(struct app *app, char **words, const char *path, struct error *err)
{
	const struct verb *verb = app->verb;
	void *options = xcalloc(1, verb->options_size + 1);
	cleanup_strv char **operands = NULL;
	int r;

	if (verb->defaults)
		verb->defaults(options);
	take_dry_run(app, words);
	r = flags_parse(verb->flags, options, words, verb->flags_anywhere, &operands, err);
	if (r == -EAGAIN) {
		help_verb(verb, path, stdout);
		r = 0;
	} else if (r < 0) {
		if (verb->ad_hoc_exit)
			err->exit_code = 125;
	} else {
		if ((verb->needs & STARTS_PROCESSES) && geteuid() == 0)
			r = self_exe_protect(app->argv, err);
		if (r == 0)
			r = app_prepare(app, operands, err);
		if (r == 0)
			r = verb->run(app, options, operands, err);
	}
	flags_release(verb->flags, options);
	free(options);
	return r;
}

static int dispatch(struct app *app, char **argv, struct error *err)
{
	cleanup_strv char **words = NULL;
	cleanup_free char *path = NULL;
	char **rest = NULL;
	int r;

	r = flags_parse(global_flags, &app->global, argv + 1, false, &words, err);
	if (r < 0 && r != -EAGAIN)
		return r;
	if (app->global.verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (app->global.version) {
		printf("mycompose version %s\n", MYCOMPOSE_VERSION);
		return 0;
	}
	if (r == -EAGAIN || !words[0]) {
		help_program(verbs, global_flags, stdout);
		return 0;
	}
	if (!strcmp(words[0], COMPLETE_WORD))
		return complete_words(app, verbs, global_flags, words + 1, err);
	app->verb = resolve_verb(app, words, &rest, &path, err);
	if (!app->verb)
		return err->code;
	app->verb_path = path;
	return run_verb(app, rest, path, err);
}

/* Whatever a terminal's progress display has hidden is shown again; off a terminal nothing is sent.
 * tcgetattr, write and _exit are async-signal-safe (signal-safety(7)). */
static void on_interrupt(int signal)
{
	struct termios mode;

	(void)signal;
	if (tcgetattr(STDERR_FILENO, &mode) == 0 &&
		write(STDERR_FILENO, SCREEN_SHOW_CURSOR, strlen(SCREEN_SHOW_CURSOR)) < 0)
		_exit(1);
	_exit(EXIT_INTERRUPTED);
}

/* Every command ends with 130; those that do something else first read the signals by their event
 * loop, which blocks them here. Who has us started with a signal ignored wants it so. */
static void exit_on_interrupts(void)
{
	static const int signals[] = { SIGINT, SIGTERM };

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction action = { .sa_handler = on_interrupt }, old;

		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

/* What could not be written is not done, though all else succeeded. A reader that went away wants
 * to hear nothing. Returns the exit code. */
static int finish_output(int code)
{
	bool is_lost = ferror(stdout) != 0;

	errno = 0;
	is_lost |= fflush(stdout) != 0;
	if (!is_lost || code != 0)
		return code;
	if (errno != EPIPE)
		fprintf(stderr, "Error: write to the standard output: %s\n",
			errno ? strerror(errno) : "failed");
	return 1;
}

int main(int argc, char **argv)
{
	struct app app = { .engine = ENGINE_INIT, .global.parallel = -1 };
	struct error err = ERROR_INIT;
	int r;

	(void)argc;
	exit_on_interrupts();
	/* A reader that goes away is an error of write(2), told like any other. */
	signal(SIGPIPE, SIG_IGN);
	app.argv = argv;
	app.environ = strv_copy(environ);
	app.cwd = getcwd(NULL, 0);
	r = dispatch(&app, argv, &err);
	if (r < 0) {
		app_print_error(&app, &err);
		r = err.exit_code ? err.exit_code : 1;
	}
	r = finish_output(r);
	error_release(&err);
	flags_release(global_flags, &app.global);
	app_release(&app);
	return r;
}
