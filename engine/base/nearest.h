/* SPDX-License-Identifier: GPL-2.0-or-later
 * nearest.h - which of the known names was meant by a word that is none of them. libc only. */
#ifndef MYCOMPOSE_BASE_NEAREST_H
#define MYCOMPOSE_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
	const char *word; /* the caller's; `length` bytes of it */
	size_t length;
	size_t limit;	  /* a name must be fewer edits away */
	const char *name; /* the best so far, one of those offered; NULL = none is near enough */
};

/* An edit inserts, removes or replaces a letter or swaps two neighbours; the longer the word, the
 * more of them are allowed. */
void nearest_begin(struct nearest *nearest, const char *word, size_t length);
/* Of two that are as near the first offered stays. */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
