/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach_keys.h - the keys that end our part of a session and nothing else. May depend on:
 * engine/base/. */
#ifndef MYCOMPOSE_CMD_DETACH_KEYS_H
#define MYCOMPOSE_CMD_DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"

#define DETACH_KEYS_MAX	    16
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	size_t count;
	size_t matched; /* typed so far and held back */
};

/* Docker's form: single characters and ctrl-X (X: a to z, @ [ \ ] ^ _), comma-separated. */
int detach_keys_parse(const char *text, struct detach_keys *ret, struct error *err);
/* What was typed, less what may be the beginning of the keys, which comes with the next bytes if it
 * is not: there must be room for DETACH_KEYS_MAX more. Returns the new length; *ret_detached: they
 * were all typed, and what comes after them is thrown away. */
size_t detach_keys_filter(struct detach_keys *keys, char *bytes, size_t length, bool *ret_detached);

#endif
