/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.h - split the argument of a Dockerfile instruction into words, as docker's builder does:
 * "..." and
 * '...' quote, a backslash quotes one character, $NAME, ${NAME}, ${NAME:-word} and ${NAME:+word}
 * are replaced outside of '...'. */
#ifndef MYCOMPOSE_IMAGE_WORDS_H
#define MYCOMPOSE_IMAGE_WORDS_H

#include "engine/base/errors.h"

/* Heap strv of at least one word; -EINVAL for none. Variables come from `env` ("KEY=value"). */
int words_expand(const char *text, char *const *env, char ***ret, struct error *err);

#endif
