/* SPDX-License-Identifier: GPL-2.0-or-later
 * print.h - nodes to text: whole, or entry by entry where the whole would be too much to hold.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_PRINT_H
#define MYCOMPOSE_COMPOSE_PRINT_H

#include "compose/node.h"
#include "engine/base/strbuf.h"

/* Block style, 2 spaces, list items indented under their key; strings that would be read as
 * something else are quoted. */
void print_yaml(const struct node *node, struct strbuf *out);
/* 2 spaces, no newline at the end; < > & escaped as Go does. */
void print_json(const struct node *node, struct strbuf *out);

/* A document written from its beginning to its end; what is in `out` may be taken away at any time.
 */
struct printer {
	struct strbuf *out;
	unsigned int depth; /* mappings that are open */
	bool has_entries;   /* the innermost of them */
};

struct print_format {
	/* Begin a mapping that will have entries; `key` of the one around it, NULL for the
	 * document. */
	void (*open)(struct printer *printer, const char *key);
	void (*entry)(struct printer *printer, const char *key, const struct node *value);
	void (*close)(struct printer *printer);
};
extern const struct print_format print_format_yaml, print_format_json;

#endif
