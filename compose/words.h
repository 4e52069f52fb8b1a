/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.h - a command given as one string, split into words as Compose splits it.
 *
 * Like a shell: blanks, quotes, backslashes. Unlike one: nothing is expanded, in double quotes a
 * backslash takes the meaning of any character away, and at an unquoted ; & | < > the command
 * simply ends. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_WORDS_H
#define MYCOMPOSE_COMPOSE_WORDS_H

#include "compose/node.h"

/* Split text's string; the words are appended to `list`. *ret_rest is what was left out behind an
 * operator, or NULL. -EINVAL when a quote or a parenthesis does not end. */
int words_split_command(
	struct arena *arena, const struct node *text, struct node *list, const char **ret_rest);

#endif
