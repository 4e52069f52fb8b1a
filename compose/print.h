/* SPDX-License-Identifier: GPL-2.0-or-later
 * print.h - nodes to text. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_PRINT_H
#define MYCOMPOSE_COMPOSE_PRINT_H

#include "compose/node.h"
#include "engine/base/strbuf.h"

/* Block style, 2 spaces, list items indented under their key; strings that would be read as
 * something else are quoted. */
void print_yaml(const struct node *node, struct strbuf *out);
/* 2 spaces, no newline at the end; < > & escaped as Go does. */
void print_json(const struct node *node, struct strbuf *out);

#endif
