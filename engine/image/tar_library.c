/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_library.c - load libarchive when it is needed. */
#include "engine/image/tarball_libarchive.h"

#include <dlfcn.h>
#include <errno.h>

#include "engine/base/library.h"
#include "engine/base/memory.h"

/* The name that the library's ABI has had since libarchive 3.0. */
#define LIBRARY "libarchive.so.13"

struct libarchive libarchive;

static const struct library_call calls[] = {
#define LIBARCHIVE_ROW(name) { #name, offsetof(struct libarchive, name) },
	LIBARCHIVE_CALLS(LIBARCHIVE_ROW)
#undef LIBARCHIVE_ROW
};

int tarball_load(struct error *err)
{
	const char *missing;
	void *handle;

	if (libarchive.archive_errno)
		return 0;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_set(err, -ENOENT,
			"archives need libarchive (Debian: libarchive13): %s", dlerror());
	missing = library_resolve(handle, "", calls, ARRAY_LEN(calls), &libarchive);
	return missing ? error_set(err, -ENOSYS, "%s is too old: %s", LIBRARY, missing) : 0;
}
