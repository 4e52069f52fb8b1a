/* SPDX-License-Identifier: GPL-2.0-or-later
 * host_probe.h - try what a container will need of this host, in a process of its own, and undo it.
 * May depend on: engine/base/. Each returns 0, or a negative errno with the reason. What is tried
 * in the data root is a directory that is removed again. */
#ifndef MYCOMPOSE_CONTAINER_HOST_PROBE_H
#define MYCOMPOSE_CONTAINER_HOST_PROBE_H

#include "engine/engine.h"

/* An overlay of directories of the data root, and deleting a file of its lower layer. */
int host_probe_overlay(const struct engine *engine, struct error *err);
/* Types in directory listings, and attributes of the kind that overlay keeps: trusted.*. */
int host_probe_file_types(const struct engine *engine, struct error *err);
int host_probe_attributes(const struct engine *engine, struct error *err);
/* All namespaces that a container gets. */
int host_probe_namespaces(struct error *err);
int host_probe_user_namespace(struct error *err);
/* The data root's mount with other owners, and an overlay of directories there. */
int host_probe_idmapped_mount(const struct engine *engine, struct error *err);
int host_probe_seccomp(struct error *err);

#endif
