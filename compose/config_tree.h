/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_tree.h - the canonical tree as it is shown: in the tables' order, without what says
 * nothing. */
#ifndef MYCOMPOSE_COMPOSE_CONFIG_TREE_H
#define MYCOMPOSE_COMPOSE_CONFIG_TREE_H

#include "compose/config.h"
#include "compose/node.h"

/* The document with its sections (`services`, `networks`, …) in order, whose members are still the
 * project's own: what a project has many of is made one at a time, by config_member. New in
 * `arena`. `is_raw`: not interpolated, so dollars stay single and everything is shown, sorted. */
struct node *config_outline(
	struct arena *arena, const struct project *project, enum config_format format);
/* Is the value at this key of the outline such a section? */
bool config_is_section(const struct project *project, const char *key, const struct node *value);
/* A member as it is shown; new in `arena`, texts are shared with the project's. */
struct node *config_member(struct arena *arena, const struct project *project,
	enum config_format format, const char *section, const struct node *member);

#endif
