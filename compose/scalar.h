/* SPDX-License-Identifier: GPL-2.0-or-later
 * scalar.h - what a plain YAML scalar means.
 *
 * Compose files are read by a library between YAML 1.1 and 1.2, and users rely on what it makes of
 * their scalars: `0644` is octal, `1e3` a number, `2001-01-01` a time; `yes`, `on` and `22:22` are
 * strings (a boolean key then takes them). May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_SCALAR_H
#define MYCOMPOSE_COMPOSE_SCALAR_H

#include "compose/node.h"

/* Decide the kind of a plain scalar and set node->kind, value and (for times) text. node->text
 * holds the scalar. */
void scalar_resolve(struct arena *arena, struct node *node);

/* Would the text, written plain, be read as something else than that string? Also true for what
 * YAML 1.1 calls booleans
 * ("yes", "n") and base-60 numbers: a printer quotes those. */
bool scalar_needs_quotes(const char *text);

/* Texts that mean a truth value where one is expected: true/false and the YAML 1.1 words, any case.
 */
bool scalar_parse_bool(const char *text, bool *ret);
/* A whole number as Compose reads one from a string: base 10. */
bool scalar_parse_int(const char *text, int64_t *ret);
bool scalar_parse_float(const char *text, double *ret);

#endif
