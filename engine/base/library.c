/* SPDX-License-Identifier: GPL-2.0-or-later
 * library.c - look up the calls of a loaded library. */
#include "engine/base/library.h"

#include <dlfcn.h>

#include "engine/base/memory.h"

const char *library_resolve(void *handle, const char *prefix, const struct library_call *calls,
	size_t count, void *table)
{
	for (size_t i = count; i-- > 0;) {
		cleanup_free char *name = xasprintf("%s%s", prefix, calls[i].name);
		void *call = dlsym(handle, name);

		if (!call)
			return dlerror();
		*(void **)((char *)table + calls[i].offset) = call;
	}
	return NULL;
}
