/* SPDX-License-Identifier: GPL-2.0-or-later
 * user_namespace.h - the start of a container that has a user namespace. Internal to launch.
 *
 * Three processes: the parent, the child, which is to become the container's first process, and the
 * builder, which has the host's rights and ends before the container runs.
 *
 * The child is born by one clone3 into a new user namespace and a new pid namespace; whatever else
 * it makes (mount, network, IPC, UTS and cgroup namespaces) belongs to that user namespace, and
 * there alone it has rights. The parent writes both maps, each with one write(2), sets what only it
 * may set of a process of there (priority, OOM score, hard limits), and starts the builder.
 *
 *   child                                          builder, in a mount namespace of its own
 *   cgroup
 *                          <- READY: maps are there
 *   becomes root of the user namespace             data root bound over itself with mapped owners
 *   namespaces, which are thereby that root's      root: overlay of mapped layers, mapped upper
 *   makes proc, sysfs, devpts, mqueue, cgroup view
 *                          views, netns ->
 *                                                  all mounts at their places: the views, /dev,
 *                                                  volumes and binds with mapped owners, secrets
 *                                                  links into the netns
 *                          <- the whole tree, detached; then it ends
 *   addresses, sysctls, masks, pivot_root, execve
 *
 * Mounts of the host's side are made by the builder because their file systems (overlay with
 * trusted.* attributes, tmpfs with device nodes, disks) take rights in the initial user namespace;
 * the views by the child because they show the namespaces of who makes them, and belong to it. The
 * tree comes to the child as one detached mount, so nothing of it is locked there, as nothing is in
 * a container without mapping: who has CAP_SYS_ADMIN in it may take its masks away, and then sees
 * files that only root of the host may use.
 *
 * On disk nothing is shifted: the mounts are, by MOUNT_ATTR_IDMAP. Whatever the builder creates it
 * creates as the mapped root (its fsuid), who is 0 on the disk below a mapped mount; overlay works
 * with the identity of who mounted it, so its own files are, too.
 *
 * The child and the builder are undumpable from birth, and their memory belongs to the initial user
 * namespace until execve: no process of the container can trace them (HARDENING 5.4), whatever
 * capabilities it has in there. So is a process of exec, which enters all namespaces by one
 * setns(2), the user namespace first. */
#ifndef MYCOMPOSE_CONTAINER_USER_NAMESPACE_H
#define MYCOMPOSE_CONTAINER_USER_NAMESPACE_H

#include "engine/container/setup.h"

/* parent: maps and attributes of the child, then the builder, whose pidfd goes into launch. */
int user_namespace_begin(struct setup *setup, struct launch *launch, struct error *err);
/* In it: become its root. */
int user_namespace_take_root(struct setup *setup, struct error *err);

/* child_mapped.c */
int mapped_await_maps(struct setup *setup, struct error *err);
int mapped_give_views(struct setup *setup, struct error *err);
int mapped_take_root_tree(struct setup *setup, struct error *err);

/* builder.c: before the steps, and between them. */
int builder_begin(struct setup *setup, struct error *err);
int builder_take_views(struct setup *setup, struct error *err);
int builder_give_tree(struct setup *setup, struct error *err);
/* Tell the child why there is none. */
void builder_fail(struct setup *setup, const struct report *report);

#endif
