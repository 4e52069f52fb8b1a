/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.h - from the user's files to a project.
 *
 * find files -> document -> interpolate -> canonical form -> extends, include, merge -> checks ->
 * project. May depend on: engine/base/ only. Reads files; touches nothing, asks no environment: the
 * caller hands it in. */
#ifndef MYCOMPOSE_COMPOSE_LOAD_H
#define MYCOMPOSE_COMPOSE_LOAD_H

#include <stdbool.h>

#include "compose/model.h"
#include "compose/problems.h"
#include "engine/base/errors.h"

struct compose_options {
	char *const *files; /* -f, in order, "-" = stdin; NULL: COMPOSE_FILE, else searched upwards
			       from cwd */
	const char *project_name;      /* -p; NULL: COMPOSE_PROJECT_NAME, `name:`, folder */
	const char *project_directory; /* NULL: folder of the first file */
	char *const *env_files;	       /* --env-file; NULL: COMPOSE_ENV_FILES, else .env */
	char *const *profiles;	       /* --profile; NULL: COMPOSE_PROFILES */
	char *const *services; /* named on the command line: enabled whatever their profiles say */
	char *const *environ;  /* the process environment, "KEY=value" */
	const char *cwd;       /* absolute */
	int stdin_fd;	       /* read for "-" */
	bool no_interpolate;
	bool no_normalize;
	bool no_path_resolution;
	bool no_consistency;
	bool no_env_resolution;
	bool all_resources; /* keep networks, volumes … that no enabled service uses */
	bool only_tree;	   /* enough to print the document: no services, networks … , no hashes */
	bool all_services; /* as if every profile were active (down, config --no-interpolate) */
	struct problems *problems; /* may be NULL; receives the single problems of a failed load,
				      for excerpts */
};

/* On failure err holds "FILE:LINE:COL: path.in.document: what is wrong", one line per problem.
 * -ENOENT with "no configuration file provided: not found" when there is no file at all. */
int compose_load(
	const struct compose_options *options, struct project **ret_project, struct error *err);

/* The environment that global flags see before any file is read: `environ` over --env-file/.env.
 * COMPOSE_* keys of .env count through it. Heap vector; the caller frees it with strv_free. */
int compose_environment(
	const struct compose_options *options, char ***ret_environment, struct error *err);

#endif
