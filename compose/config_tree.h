/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_tree.h - the canonical tree as it is shown: in the tables' order, without what says
 * nothing. */
#ifndef MYCOMPOSE_COMPOSE_CONFIG_TREE_H
#define MYCOMPOSE_COMPOSE_CONFIG_TREE_H

#include "compose/config.h"
#include "compose/node.h"

/* A new tree in `arena`; texts are shared with the project's. `is_raw`: not interpolated, so
 * dollars stay single and everything is shown, sorted. */
struct node *config_tree(
	struct arena *arena, const struct project *project, enum config_format format);

#endif
