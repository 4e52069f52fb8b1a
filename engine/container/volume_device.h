/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_device.h - what the options of docker's local volume driver ask for: `type`, `o`,
 * `device`. May depend on: engine/base/. Meaning: docker volume create.
 *
 * Nothing stays mounted on the host for such a volume, with one exception:
 *   bind   (o: bind)  the directory `device` is bound, no more
 *   memory (tmpfs, ramfs)  containers that use it at one time must see the same, so it lies on the
 *          volume's _data while somebody does; <run>/volumes/NAME/ID says who
 *   other  (nfs, ext4 …)  a mount of each container's own: the kernel gives all of them the same
 *          file system. Opened by the parent, so that it belongs to the host's network; mounted by
 *          the child, so that a server that does not answer holds nobody else up (a disk by the
 *          parent, see mount_sources.c) */
#ifndef MYCOMPOSE_CONTAINER_VOLUME_DEVICE_H
#define MYCOMPOSE_CONTAINER_VOLUME_DEVICE_H

#include <stdbool.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

enum volume_kind { VOLUME_PLAIN, VOLUME_BIND, VOLUME_MEMORY, VOLUME_OTHER };

struct volume_device {
	enum volume_kind kind;
	const char *type;
	const char *device;
	char **options;		 /* "size=100m", for the file system; heap */
	unsigned int attributes; /* MOUNT_ATTR_* */
};

/* Options are "type=…", "o=…", "device=…"; none is a plain volume. -EINVAL in docker's words. *ret
 * points into them. */
int volume_device_parse(char *const *options, struct volume_device *ret, struct error *err);
void volume_device_release(struct volume_device *device);

/* VOLUME_MEMORY: mounted on _data for this container if it is not yet; the last one's leaving
 * unmounts it. Safe to repeat. `id` NULL: whoever it is that uses it. */
int volume_memory_join(const struct engine *engine, const char *name,
	const struct volume_device *device, const char *id, struct error *err);
int volume_memory_leave(
	const struct engine *engine, const char *name, const char *id, struct error *err);

/* VOLUME_OTHER: a context of the file system that knows its options; then, in whatever process, the
 * detached mount. *ret_server is the name of a server whose address the context still lacks (heap),
 * or NULL: looking it up may take long, so it is done by who mounts, in the network of netns_fd. */
int volume_device_open(const struct volume_device *device, char **ret_server, struct error *err);
int volume_device_find_server(int context_fd, const char *server, int netns_fd, struct error *err);
int volume_device_mount(int context_fd, unsigned int attributes, struct error *err);

#endif
