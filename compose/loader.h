/* SPDX-License-Identifier: GPL-2.0-or-later
 * loader.h - what the stages of a load share. Internal to the loader's own files. May depend on:
 * engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_LOADER_H
#define MYCOMPOSE_COMPOSE_LOADER_H

#include "compose/keys.h"
#include "compose/load.h"
#include "engine/base/strmap.h"

struct variable; /* interpolate.h */

struct loader {
	const struct compose_options *options;
	struct arena *arena; /* the project's */
	struct project *project;
	struct problems *problems;
	struct warning_list warnings;
	struct strmap environment; /* what interpolation sees: name -> const char * */
	struct strmap unset;	   /* variables that were not set, in order */
	char **files;		   /* heap: as named by the user or found */
	const char *project_name;  /* by flag or environment; NULL: the files decide */
	struct node *tree;
	uint64_t unfolded_ports;
	size_t problems_of_sources;   /* of the problems, what was told before the checks */
	struct problems own_problems; /* where the caller keeps none */
	bool wants_variables;	      /* only the mentions of variables are asked for */
	struct variable *variables;
	size_t variable_count;
};

void loader_open(struct loader *l, const struct compose_options *options);
/* Give the project, with all it owns; the rest of the loader is freed. */
struct project *loader_finish(struct loader *l);
void loader_close(struct loader *l); /* free everything */

struct canon loader_canon(struct loader *l);
void loader_warn(struct loader *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The variable's value or NULL. */
const char *loader_getenv(const struct loader *l, const char *name);
/* Read a whole text file into the arena. */
int loader_read(struct loader *l, const char *path, size_t limit, const char **ret_text,
	size_t *ret_length, struct error *err);

/* Was something wrong at `path` or below before the checks began? Then what is missing there may be
 * missing for that reason. */
bool loader_was_told(const struct loader *l, const char *path);

/* search.c: environment, files, project directory and name. */
int loader_prepare(struct loader *l, struct error *err);
/* "[a-z0-9][a-z0-9_-]*" made of anything; "" when nothing is left. */
char *project_name_normalise(struct arena *arena, const char *text);

/* sources.c: parse, interpolate, canonicalise and merge the files into l->tree. */
int loader_read_sources(struct loader *l, struct error *err);

/* profiles.c: take the services no active profile enables out of the tree. */
void loader_apply_profiles(struct loader *l);

/* normal.c: fill in what the files left to rules. */
void loader_normalise(struct loader *l);
/* Take out the networks, volumes … that no enabled service uses. */
void loader_drop_unused(struct loader *l);
/* pathrules.c: relative paths of one file's tree become absolute. */
void loader_resolve_paths(struct loader *l, struct node *root, const char *base);
void loader_resolve_service_paths(struct loader *l, struct node *service, const char *base);
/* Add the variables of an env file to those of the files before. It may refer to the project's
 * environment, then to the files before; its own lines come last. */
void loader_parse_env_file(struct loader *l, const char *path, const char *text, size_t length,
	struct strmap *variables);
/* service_env.c: env_file, label_file and pass-through variables of one service. */
void loader_resolve_environment(struct loader *l, const char *name, struct node *service);
/* consistency.c: what top-level members say by themselves, used or not; before the unused are
 * dropped. */
void loader_check_declared(struct loader *l);
/* References, cycles, and the next two. */
void loader_check(struct loader *l);
/* collisions.c: names, ports and addresses that two containers cannot both have. */
void loader_check_collisions(struct loader *l);
/* consistency_addresses.c: are addresses well formed, and inside their subnets? */
void loader_check_addresses(struct loader *l);

/* refusals.c: what stands in the tree that the engine cannot do. */
void loader_note_refusals(struct loader *l);
/* build_model.c: tree to structs. */
void loader_build(struct loader *l);
/* confighash.c: fill the config_hash fields. */
void loader_hash(struct loader *l);

#endif
