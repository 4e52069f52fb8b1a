/* SPDX-License-Identifier: GPL-2.0-or-later
 * verb.h - one verb, one file, one const row; main only lists and dispatches.
 *
 * To add a verb: write cmd/NAME.c with a `const struct verb verb_NAME`, declare it in cmd/verbs.h,
 * put it into the table in cmd/main.c; its test is tests/e2e/test_NAME.py. */
#ifndef MYCOMPOSE_CMD_VERB_H
#define MYCOMPOSE_CMD_VERB_H

#include <stdbool.h>

#include "cmd/flags.h"
#include "compose/load.h"
#include "engine/base/errors.h"
#include "engine/engine.h"

struct global_options {
	char **files;
	char *project_name;
	char *project_directory;
	char **env_files;
	char **profiles;
	char *ansi;
	bool no_ansi;
	char *progress;
	int64_t parallel;
	bool dry_run;
	bool compatibility;
	bool all_resources;
	bool verbose;
	bool version;
	char *root; /* --root: data root */
	char *run;  /* --run: run root */
};

/* What every verb gets: made in main, passed on. */
struct app {
	struct global_options global;
	char **environ; /* the process environment */
	char **argv;
	char *cwd;		    /* absolute */
	struct engine engine;	    /* open when the verb needs it */
	struct project *project;    /* loaded when the verb needs it; NULL by name only */
	char *project_name;	    /* set whenever a project is meant, with or without a file */
	struct error project_error; /* MAY_USE_PROJECT: why the file did not load */
	const struct verb *verb;
	const char *verb_path; /* "network create" */
	bool ad_hoc_only;      /* below `container` or `image`: never a service */
};

enum verb_needs {
	NEEDS_NOTHING = 0,
	NEEDS_ENGINE = 1 << 0,	/* the roots, so: root */
	NEEDS_PROJECT = 1 << 1, /* the file must load */
	NEEDS_NAME = 1 << 2,	/* the file, or with -p and no -f only the labels of what exists */
	MAY_USE_PROJECT =
		1 << 3, /* load it if there is one; a broken file goes to app->project_error */
	NEEDS_HONOURED = 1 << 4,	/* refusals of the file stop the verb */
	OPERANDS_ARE_SERVICES = 1 << 5, /* named services are enabled whatever their profiles say */
	STARTS_PROCESSES =
		1 << 6,	     /* inside containers, now or as their supervisor: see self_exe.h */
	NO_DRY_RUN = 1 << 7, /* it changes things without a plan: --dry-run is refused */
	NEEDS_DECLARATIONS = 1 << 8, /* of services, which the labels of what exists do not hold: -p
					does not stand for the file */
};

struct verb {
	const char *name;
	const char *alias;   /* NULL = none */
	const char *usage;   /* "[OPTIONS] [SERVICE...]" */
	const char *summary; /* one line, for the list of commands and the top of --help */
	const struct flag *flags;
	size_t options_size;
	unsigned int needs;   /* enum verb_needs */
	bool flags_anywhere;  /* flags may follow operands (not for run and exec) */
	bool ad_hoc_children; /* of a group: MAY_USE_PROJECT does not count, names are never
				 services */
	bool ad_hoc_exit;     /* usage errors exit 125, as docker's run */
	/* Fill in defaults that are not zero; may be NULL. */
	void (*defaults)(void *options);
	/* Returns the exit code, or a negative errno with err set. `args` are the operands. */
	int (*run)(struct app *app, void *options, char **args, struct error *err);
	const struct verb *const
		*children; /* "network" -> create, ls, rm; NULL-terminated; run is NULL then */
};

#endif
