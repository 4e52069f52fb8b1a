/* SPDX-License-Identifier: GPL-2.0-or-later
 * interpolate.h - ${VARIABLE} in values.
 *
 * $V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+r} ${V+r}, arguments may nest, $$ is a literal $. A $
 * that begins none of these stays as it is, except "${": that is an error. One pass: what a
 * variable holds is not looked at again. An argument is evaluated whether it is needed or not, so
 * that a wrong one is seen on every machine. Depth and size are bounded. May depend on:
 * engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_INTERPOLATE_H
#define MYCOMPOSE_COMPOSE_INTERPOLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "compose/node.h"
#include "engine/base/strmap.h"

#define INTERPOLATE_DEPTH_LIMIT 50
#define INTERPOLATE_SIZE_LIMIT	(4u << 20) /* bytes one value may grow to */

/* A variable a document mentions, for `config --variables`. */
struct variable {
	const char *name;
	bool is_required;
	const char *default_value;   /* NULL: none */
	const char *alternate_value; /* of ${V:+r} */
};

struct interpolation {
	struct arena *arena;
	const struct strmap *environment; /* name -> const char * */
	/* Tried when `environment` has no such name (dotenv: the lines above); may be NULL. */
	const struct strmap *fallback;
	struct strmap *unset; /* names that were not set and had no default; NULL: do not care */
	struct variable *variables; /* every mention, in order; kept only when wants_variables */
	size_t variable_count;
	bool wants_variables;
};

/* Expand `text`. 0 and *ret (the text itself when it holds no $, else in the arena), or -EINVAL and
 * *ret_problem. */
int interpolate_text(
	struct interpolation *in, const char *text, const char **ret, const char **ret_problem);

/* Expand every string value below `node`, in place; keys are left alone. Problems carry node and
 * path. */
void interpolate_tree(struct interpolation *in, struct node *node, const struct path *path,
	struct problems *problems);

#endif
