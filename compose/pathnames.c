/* SPDX-License-Identifier: GPL-2.0-or-later
 * pathnames.c - path names as texts. */
#include "compose/pathnames.h"

#include <stdbool.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

char *pathname_clean(struct arena *arena, const char *path)
{
	size_t length = strlen(path);
	char *out = arena_alloc(arena, length + 2);
	size_t used = 0;
	bool is_rooted = path[0] == '/';
	size_t floor; /* what ".." must not eat: the root, or a leading row of ".." */

	if (is_rooted)
		out[used++] = '/';
	floor = used;
	for (const char *s = path; *s;) {
		size_t part = (size_t)(strchrnul(s, '/') - s);

		if (part == 0 || (part == 1 && s[0] == '.')) {
			/* nothing to add */
		} else if (part == 2 && s[0] == '.' && s[1] == '.') {
			if (used > floor) {
				used--;
				while (used > floor && out[used] != '/')
					used--;
			} else if (!is_rooted) {
				if (used > 0)
					out[used++] = '/';
				out[used++] = '.';
				out[used++] = '.';
				floor = used;
			}
		} else {
			if (used > (size_t)is_rooted)
				out[used++] = '/';
			memcpy(out + used, s, part);
			used += part;
		}
		s += part;
		s += *s == '/';
	}
	if (used == 0)
		out[used++] = '.';
	out[used] = '\0';
	return out;
}

char *path_absolute(struct arena *arena, const char *base, const char *path)
{
	if (path[0] == '/')
		return pathname_clean(arena, path);
	return pathname_clean(arena, arena_join(arena, base, "/", path));
}

char *path_directory(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return arena_strdup(arena, ".");
	return pathname_clean(
		arena, slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path)));
}

const char *path_relative(struct arena *arena, const char *from, const char *to)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t same = 0, i = 0;

	/* How far both go the same way, up to the end of a part. */
	for (;; i++) {
		bool ends = (!from[i] || from[i] == '/') && (!to[i] || to[i] == '/');

		if (ends)
			same = i;
		if (!from[i] || from[i] != to[i])
			break;
	}
	for (const char *s = from + same; *s; s++)
		if (*s == '/' && s[1])
			strbuf_add_str(&out, "../");
	strbuf_add_str(&out, to + same + (to[same] == '/'));
	return pathname_clean(arena, strbuf_text(&out));
}

const char *path_base_name(struct arena *arena, const char *path)
{
	const char *clean = pathname_clean(arena, path);
	const char *slash = strrchr(clean, '/');

	return slash && slash[1] ? slash + 1 : clean;
}

const char *path_expand_home(struct arena *arena, const char *home, const char *path)
{
	if (!home || path[0] != '~' || (path[1] && path[1] != '/'))
		return path;
	return arena_join(arena, home, path + 1);
}
