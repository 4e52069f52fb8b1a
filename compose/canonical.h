/* SPDX-License-Identifier: GPL-2.0-or-later
 * canonical.h - bring a document to the one form everything after works on: every key known, every
 * value of its type, short syntax written out. Driven by the key tables. May depend on:
 * engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_CANONICAL_H
#define MYCOMPOSE_COMPOSE_CANONICAL_H

#include "compose/keys.h"

/* Work on the root of one document, in place. Problems are collected; entries with problems are
 * dropped. */
void canonical_document(struct canon *c, struct node *root);
/* The same for a mapping with the keys of `table`. */
void canonical_mapping(
	struct canon *c, const struct key_table *table, struct node *node, const struct path *path);

#endif
