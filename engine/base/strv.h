/* SPDX-License-Identifier: GPL-2.0-or-later
 * strv.h - NULL-terminated vectors of heap strings (argv, environment, lists of names).
 *
 * A `char **` that is NULL counts as an empty vector everywhere. Ownership: the vector owns its
 * strings. */
#ifndef MYCOMPOSE_BASE_STRV_H
#define MYCOMPOSE_BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

#define cleanup_strv __attribute__((cleanup(strv_cleanup)))
void strv_cleanup(char ***strv);

size_t strv_length(char *const *strv);
void strv_free(char **strv);
char **strv_copy(char *const *strv);
void strv_add(char ***strv, const char *s); /* copies s */
void strv_take(char ***strv, char *s);	    /* takes s over */
void strv_extend(char ***strv, char *const *more);
bool strv_contains(char *const *strv, const char *s);
bool strv_equal(char *const *a, char *const *b);
void strv_remove(char **strv, const char *s); /* every occurrence */
void strv_sort(char **strv);		      /* byte order */
char *strv_join(char *const *strv, const char *separator);
char **strv_split(const char *s, const char *separators); /* drops empty fields */

/* Environment vectors ("KEY=value"). */
const char *env_get(char *const *env, const char *key);	       /* value or NULL */
void env_set(char ***env, const char *key, const char *value); /* value NULL removes the key */
/* Set every "KEY=value" of `more` in `env` (later wins). */
void env_merge(char ***env, char *const *more);

#endif
