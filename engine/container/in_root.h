/* SPDX-License-Identifier: GPL-2.0-or-later
 * in_root.h - paths of a container, resolved and made inside its root file system.
 * May depend on: engine/base/. Every step of the way is the kernel's own (openat2,
 * RESOLVE_IN_ROOT, no magic links): an absolute link or ".." leads to the container's root, never
 * to the host's. */
#ifndef MYCOMPOSE_CONTAINER_IN_ROOT_H
#define MYCOMPOSE_CONTAINER_IN_ROOT_H

#include <stdbool.h>

#include "engine/base/errors.h"

/* An O_PATH fd of `path`, links followed. -ENOENT without making anything. */
int in_root_find(int root_fd, const char *path, struct error *err);
/* The same, and what is missing is made: directories 0755, at the end a directory or an empty file.
 * A dangling link is followed and what it names is made. -ENOTDIR / -EISDIR when what is there is
 * of the other kind. */
int in_root_make(int root_fd, const char *path, bool directory, struct error *err);
/* A directory at the top level that must be one, not a link to one; made when missing. */
int in_root_plain_directory(int root_fd, const char *name, struct error *err);

#endif
