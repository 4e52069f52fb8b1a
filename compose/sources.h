/* SPDX-License-Identifier: GPL-2.0-or-later
 * sources.h - files as the loader meets them: given by the user, extended, included. Internal to
 * the loader. */
#ifndef MYCOMPOSE_COMPOSE_SOURCES_H
#define MYCOMPOSE_COMPOSE_SOURCES_H

#include "compose/interpolate.h"
#include "compose/loader.h"

/* What values of a file refer to: its own project folder and environment. An included project has
 * its own. */
struct scope {
	const struct scope *up; /* of the project that includes this one; NULL: the user's own */
	const char *file;	/* absolute path of the project's first file */
	const char *directory;	/* base of relative paths */
	const struct strmap *environment;
};

/* One file's documents. */
struct source {
	const char *path; /* absolute, or "-" */
	const char *name; /* for marks: as the user knows it */
	struct node **roots;
	size_t count;
};

/* A file named by another one: relative names are below `directory`. */
struct source source_at(struct loader *l, const char *directory, const char *name);
/* Read and parse. A file that cannot be read is an error; what is wrong inside becomes problems
 * (and no roots). */
int source_parse(struct loader *l, struct source *source, struct error *err);
void source_interpolate(struct loader *l, const struct scope *scope, struct node *root);
struct interpolation loader_interpolation(struct loader *l, const struct scope *scope);

/* Merge files to one tree, extends and includes applied and paths absolute. *ret_tree stays as it
 * is when there are problems. */
int sources_load(struct loader *l, const struct scope *scope, struct source *sources, size_t count,
	struct node **ret_tree, struct error *err);

/* extends.c: every service of a canonical document takes up what it extends. */
int extends_apply(struct loader *l, const struct scope *scope, const struct source *source,
	struct node *root, struct error *err);
/* include.c: load what `include` names and add it to the document. */
int includes_apply(
	struct loader *l, const struct scope *scope, struct node *root, struct error *err);

#endif
