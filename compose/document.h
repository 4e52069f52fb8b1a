/* SPDX-License-Identifier: GPL-2.0-or-later
 * document.h - YAML text to nodes; libyaml is spoken to here and nowhere else.
 *
 * Bounded in every direction: size of the text, nesting (counted on the event stream, because
 * libyaml has no limit of its own), nodes that aliases unfold to. Duplicate keys, keys that are no
 * strings, bytes that are no UTF-8, NUL and an anchor inside itself are refused with their place.
 * `<<` never overrides. !reset and !override stay on the nodes. */
#ifndef MYCOMPOSE_COMPOSE_DOCUMENT_H
#define MYCOMPOSE_COMPOSE_DOCUMENT_H

#include "compose/node.h"

#define DOCUMENT_SIZE_LIMIT  (8u << 20)
#define DOCUMENT_DEPTH_LIMIT 100
#define DOCUMENT_NODE_LIMIT  1000000 /* nodes that stand in one file */
#define DOCUMENT_ALIAS_LIMIT 200000  /* nodes that its aliases unfold to, beyond those */

/* Parse all documents of `text`; the roots (empty documents left out) are appended to *ret_roots
 * (arena). `file` is the name for marks and must live as long as the nodes. Problems are added to
 * `problems`; returns 0 or -EINVAL. */
int document_parse(struct arena *arena, const char *file, const char *text, size_t length,
	struct problems *problems, struct node ***ret_roots, size_t *ret_count);

#endif
