/* SPDX-License-Identifier: GPL-2.0-or-later
 * pathnames.h - path names as texts: nothing here looks at a file system. May depend on:
 * engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_PATHNAMES_H
#define MYCOMPOSE_COMPOSE_PATHNAMES_H

#include "engine/base/arena.h"

/* Drop ".", double and trailing slashes, and "x/.."; "" becomes ".". */
char *pathname_clean(struct arena *arena, const char *path);
/* `path` itself when absolute, else below `base`; cleaned. */
char *path_absolute(struct arena *arena, const char *base, const char *path);
/* From one folder to another, both absolute and clean: "../x", "." when they are the same. */
const char *path_relative(struct arena *arena, const char *from, const char *to);
/* The folder a path is in ("." for a bare name), and its last component. */
char *path_directory(struct arena *arena, const char *path);
const char *path_base_name(struct arena *arena, const char *path);
/* "~" and "~/x" by `home` (NULL: left alone). */
const char *path_expand_home(struct arena *arena, const char *home, const char *path);

#endif
