/* SPDX-License-Identifier: GPL-2.0-or-later
 * paths.c - paths inside a container as text. */
#include "engine/container/paths.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

char *path_clean(const char *path)
{
	struct strbuf out = STRBUF_INIT;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.') {
			const char *slash = out.length ? strrchr(out.data, '/') : NULL;

			if (slash) {
				out.length = (size_t)(slash - out.data);
				out.data[out.length] = '\0';
			}
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			strbuf_add_char(&out, '/');
			strbuf_add(&out, path, length);
		}
		path += length;
		path += *path == '/';
	}
	if (out.length == 0)
		strbuf_add_char(&out, '/');
	return strbuf_steal(&out);
}

bool path_is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	if (strcmp(top, "/") == 0)
		return true;
	return strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
