/* SPDX-License-Identifier: GPL-2.0-or-later
 * paths.h - paths inside a container as text. Whoever opens one still resolves it inside the root.
 */
#ifndef MYCOMPOSE_CONTAINER_PATHS_H
#define MYCOMPOSE_CONTAINER_PATHS_H

#include <stdbool.h>

/* Go's path.Clean("/" + path): absolute, no "//", "." or trailing slash; ".." ends at the root.
 * Heap. */
char *path_clean(const char *path);
/* Is clean path `path` the clean path `top`, or below it? */
bool path_is_below(const char *path, const char *top);

#endif
