/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_kinds.h - what the kinds of a user's mounts need beside mounts.c. Internal to the mounts of
 * a start and to spec_check. */
#ifndef MYCOMPOSE_CONTAINER_MOUNT_KINDS_H
#define MYCOMPOSE_CONTAINER_MOUNT_KINDS_H

#include <stdbool.h>

#include "engine/base/errors.h"
#include "engine/container/spec.h"

/* mount_propagation.c. NULL is rprivate. */
bool propagation_is_known(const char *name);
/* Give the detached copy tree_fd of what source_fd shows its propagation. As docker: -EINVAL when
 * the source's mount could not take part, being neither shared nor a slave. */
int propagation_set(const struct spec_mount *mount, int source_fd, int tree_fd, struct error *err);

/* mount_tmpfs.c: mount(8)'s words for a tmpfs, as docker allows them. */
int tmpfs_check(const struct spec_mount *mount, struct error *err);
int tmpfs_new(const struct spec *spec, const struct spec_mount *mount, struct error *err);

/* mount_image.c: the layers of an image (absolute paths, top first) as a detached read-only mount;
 * with a subpath the part that it names. `place` is a directory over which it lies for a moment. In
 * the child: overlay takes only directories of its caller's mount namespace. */
int image_tree(
	const struct spec_mount *mount, char *const *layers, const char *place, struct error *err);

/* mount_subpath.c: is it a relative path that stays inside, as text? */
int subpath_check(const struct spec_mount *mount, struct error *err);
/* What it names below root_fd, links resolved as if that were "/": an O_PATH fd. */
int subpath_open(const struct spec_mount *mount, int root_fd, struct error *err);
/* A detached copy of that part of the detached mount whose root is root_fd. Only of one that is
 * attached can a part be copied (before Linux 6.15), so it lies over the directory `place` for a
 * moment. */
int subpath_tree(const struct spec_mount *mount, int root_fd, const char *place, struct error *err);

#endif
