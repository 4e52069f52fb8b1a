/* SPDX-License-Identifier: GPL-2.0-or-later
 * node_values.h - values of the checked canonical tree, as the model wants them. Internal to the
 * loader's own files. May depend on: engine/base/.
 *
 * By then every value has the type its row says, so a missing key and a key of another type are the
 * same thing: not given. Texts are the tree's own, vectors the arena's. */
#ifndef MYCOMPOSE_COMPOSE_NODE_VALUES_H
#define MYCOMPOSE_COMPOSE_NODE_VALUES_H

#include "compose/loader.h"

const char *value_text(const struct node *node, const char *key); /* NULL when empty, too */
int64_t value_int(const struct node *node, const char *key, int64_t fallback);
int64_t value_size(const struct node *node, const char *key, int64_t fallback); /* bytes, or -1 */
int64_t value_duration(const struct node *node, const char *key, int64_t fallback); /* ns */
uint64_t value_permille(
	const struct node *node, const char *key); /* thousandths of a number; 0 when not given */
char **value_list(struct loader *l, const struct node *node, const char *key); /* NULL when empty */
/* A mapping as sorted "key=value" texts, values that are null left out; NULL when empty. */
char **value_pairs(struct loader *l, const struct node *node, const char *key);
struct command_line value_command(struct loader *l, const struct node *node, const char *key);
/* The place of a text among `names`, which end with NULL. */
unsigned int value_index(const char *const *names, const char *text, unsigned int fallback);

#endif
