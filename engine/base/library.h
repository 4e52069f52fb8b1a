/* SPDX-License-Identifier: GPL-2.0-or-later
 * library.h - the calls of a library that is loaded when it is first used, dlopen(3). */
#ifndef MYCOMPOSE_BASE_LIBRARY_H
#define MYCOMPOSE_BASE_LIBRARY_H

#include <stddef.h>

struct library_call {
	const char *name;
	size_t offset; /* of the pointer in the caller's table */
};

/* Fill `table` with the calls named PREFIX and the row's name, the first row last: where that is
 * set, all are. Returns NULL, or dlerror's text for the one that is missing. */
const char *library_resolve(void *handle, const char *prefix, const struct library_call *calls,
	size_t count, void *table);

#endif
