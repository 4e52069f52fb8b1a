/* SPDX-License-Identifier: GPL-2.0-or-later
 * converge.h - what up, create and scale have in common: options, the plan, an update that fails.
 */
#ifndef MYCOMPOSE_CMD_CONVERGE_H
#define MYCOMPOSE_CMD_CONVERGE_H

#include "cmd/project_run.h"

struct converge_options {
	bool force_recreate;
	bool no_recreate;
	bool always_recreate_deps;
	bool renew_anon_volumes;
	bool no_deps;
	bool no_start;
	bool remove_orphans;
	bool build;
	bool no_build;
	char *pull;
	bool quiet_pull;
	bool yes;
	char **scale; /* "SERVICE=N" */
	int64_t timeout;
	bool wait;
	int64_t wait_timeout;
	char *format;
	bool detailed_exitcode;
};

#define CONVERGE_EXIT_CHANGES 2

/* The flags of both up and create; `options_type` has a member `common`. */
#define CONVERGE_FLAG(options_type, field) offsetof(options_type, common.field)
#define CONVERGE_PLAN_FLAGS(type)                                                                \
	{ 0, "format", FLAG_STRING, CONVERGE_FLAG(type, format), "FORMAT",                       \
		"With --dry-run: text, or json for an array with one object an action", 0 },     \
	{                                                                                        \
		0, "detailed-exitcode", FLAG_BOOL, CONVERGE_FLAG(type, detailed_exitcode), NULL, \
			"Exit with 2 when something was changed, or with --dry-run would be; "   \
			"0: nothing to do",                                                      \
			0                                                                        \
	}
#define CONVERGE_CREATE_FLAGS(type)                                                             \
	CONVERGE_PLAN_FLAGS(type),                                                              \
		{ 0, "force-recreate", FLAG_BOOL, CONVERGE_FLAG(type, force_recreate), NULL,    \
			"Recreate containers even if nothing changed", 0 },                     \
		{ 0, "no-recreate", FLAG_BOOL, CONVERGE_FLAG(type, no_recreate), NULL,          \
			"Keep existing containers even if something changed", 0 },              \
		{ 0, "remove-orphans", FLAG_BOOL, CONVERGE_FLAG(type, remove_orphans), NULL,    \
			"Remove containers of services that the file does not declare", 0 },    \
		{ 0, "build", FLAG_BOOL, CONVERGE_FLAG(type, build), NULL,                      \
			"Build images first (an error where a service has a build section: "    \
			"images are loaded or imported)",                                       \
			0 },                                                                    \
		{ 0, "no-build", FLAG_BOOL, CONVERGE_FLAG(type, no_build), NULL,                \
			"Do not build images", 0 },                                             \
		{ 0, "pull", FLAG_STRING, CONVERGE_FLAG(type, pull), "POLICY",                  \
			"missing or never: images are local", 0 },                              \
		{ 0, "quiet-pull", FLAG_BOOL, CONVERGE_FLAG(type, quiet_pull), NULL,            \
			"Show no progress of pulls", 0 },                                       \
		{ 'y', "yes", FLAG_BOOL, CONVERGE_FLAG(type, yes), NULL,                        \
			"Ask nothing: volumes that the file describes otherwise are made anew", \
			0 },                                                                    \
	{                                                                                       \
		0, "scale", FLAG_LIST, CONVERGE_FLAG(type, scale), "SERVICE=N",                 \
			"Run N containers of a service, whatever the file says", 0              \
	}

void converge_defaults(struct converge_options *options);
/* Conflicts, and --scale as an override of the model, as if the file had said so. -EINVAL. */
int converge_check(struct app *app, const struct converge_options *options, struct error *err);
/* --build: images come from load, import and commit; a build section alone names one of them. The
 * first that has one is told. */
int converge_check_build(const struct app *app, struct error *err);
/* Begin the run, make its plan, warn. */
int converge_plan(struct project_run *run, struct app *app, const struct converge_options *options,
	char **services, struct error *err);
/* Carry the plan out; take a failed update back where deploy.update_config says so. */
int converge_apply(struct project_run *run, enum control_mode mode, struct error *err);
/* Apply and let go: up -d, create, scale. Returns the exit code. */
int converge_detached(
	struct project_run *run, const struct converge_options *options, int r, struct error *err);
/* "SERVICE=N" into the model. */
int converge_scale(struct project *project, char *const *scale, struct error *err);

#endif
