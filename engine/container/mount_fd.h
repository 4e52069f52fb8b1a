/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_fd.h - mounts by fd: made detached, given their flags, then attached to an fd.
 * May depend on: engine/base/. Nothing is walked by name a second time, so nothing that changes in
 * an image or a volume meanwhile can send a mount elsewhere. fsopen(2), open_tree(2),
 * mount_setattr(2), move_mount(2). All fds are O_PATH-like and the caller's. */
#ifndef MYCOMPOSE_CONTAINER_MOUNT_FD_H
#define MYCOMPOSE_CONTAINER_MOUNT_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

#include "engine/base/errors.h"

struct mount_option {
	const char *key;
	const char *value; /* NULL: a flag */
};

/* A new file system of `type`; attributes are MOUNT_ATTR_*. Returns the detached mount. */
int mount_new(const char *type, const struct mount_option *options, size_t count,
	unsigned int attributes, struct error *err);
/* The same in steps, which different processes may do: a context belongs to the user and network
 * namespace of whoever opened it. */
int mount_context_open(const char *type, struct error *err);
int mount_context_set(
	int context_fd, const char *type, const char *key, const char *value, struct error *err);
int mount_context_create(
	int context_fd, const char *type, unsigned int attributes, struct error *err);
/* A detached copy of what is seen at `fd` (a bind mount to be). The mount must be in the caller's
 * mount namespace. */
int mount_clone(int fd, bool recursive, struct error *err);
/* propagation: MS_PRIVATE, MS_SLAVE, MS_SHARED or 0. Flags that are not named stay as they are. */
int mount_change(
	int fd, uint64_t set, unsigned long propagation, bool recursive, struct error *err);
/* Show files of a detached mount with the owners that a user namespace gives them: id N there where
 * the disk says N. `path` is for messages. What belongs to the kernel itself (proc, sysfs,
 * devtmpfs) is left as it is. -EINVAL names the file system that cannot do it. */
int mount_map_owners(int fd, int user_fd, bool recursive, const char *path, struct error *err);
/* A directory over itself with mapped owners, in this mount namespace: by its name it is seen so
 * from now on, without what is mounted below it. */
int mount_map_over(const char *path, int user_fd, struct error *err);
int mount_attach(int mount_fd, int target_fd, struct error *err);
/* Take the mount whose root directory `fd` shows out of the tree again; its copies stay. Leaves the
 * process in "/". */
int mount_detach(int fd, struct error *err);
/* Make what is seen at `fd` read-only by binding it over itself. */
int mount_read_only_over(int fd, struct error *err);

#endif
