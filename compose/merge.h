/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.h - one canonical document on top of another.
 *
 * Mappings recurse, scalars are replaced, lists grow by what is new; the key tables name the
 * exceptions (replaced whole, same thing by target or by name). !reset drops, !override replaces.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_MERGE_H
#define MYCOMPOSE_COMPOSE_MERGE_H

#include "compose/keys.h"

/* `base` takes `over` up, in place; both are mappings with the keys of `table`. Nodes of `over`
 * move into `base`. */
void merge_mapping(struct canon *c, const struct key_table *table, struct node *base,
	struct node *over, const struct path *path);
/* After the last merge: drop what !reset left, let each list hold a thing once, refuse the nulls
 * that nothing replaced. */
void merge_finish(struct canon *c, struct node *root);

#endif
