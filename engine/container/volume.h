/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume.h - named and anonymous volumes: <data>/volumes/NAME/_data with volume.json beside it.
 * May depend on: engine/base/. Removed only when asked, and never while a container's record names
 * it. */
#ifndef MYCOMPOSE_CONTAINER_VOLUME_H
#define MYCOMPOSE_CONTAINER_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

struct volume {
	char *name;
	char **labels;
	char **options; /* "type=…", "o=…", "device=…": see volume_device.h; NULL = a plain one */
	bool anonymous;
	bool populated; /* the image's content has been taken over (or there was none) */
	int64_t created_ns;
	char *mountpoint; /* absolute host path of _data */
};
void volume_free(struct volume *volume);

/* Existing: success, left as it is. */
int volume_create(const struct engine *engine, const char *name, char *const *labels,
	bool anonymous, struct error *err);
/* A named one with the options of docker's local driver. -EINVAL. */
int volume_create_with_options(const struct engine *engine, const char *name, char *const *labels,
	char *const *options, struct error *err);
int volume_find(const struct engine *engine, const char *name, struct volume **ret,
	struct error *err); /* -ENOENT */
int volume_list(
	const struct engine *engine, struct volume ***ret, size_t *ret_count, struct error *err);
void volume_list_free(struct volume **volumes, size_t count);
/* What a series of removals remembers of the containers' records, so that each is read once and not
 * once for every volume. Never out of date: a record that has changed is read again. A function
 * that takes one takes NULL as well. */
struct volume_users;
struct volume_users *volume_users_new(void);
void volume_users_free(struct volume_users *users); /* NULL is fine */
void volume_users_cleanup(struct volume_users **users);
#define cleanup_volume_users __attribute__((cleanup(volume_users_cleanup)))

/* 0 when no container's record names it, -EBUSY (which one) when one does or might: data
 * that may be in use counts as used, so also when a record cannot be read. */
int volume_check_unused(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err);
/* -EBUSY names the container that uses it; -ENOENT. The data is renamed away first, so a kill
 * leaves whole or gone. */
int volume_remove(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err);
/* A run of the container has ended: of volumes that are mounted for those who use them, it is no
 * user any more. What fails becomes a warning. */
struct container;
void volumes_leave(const struct engine *engine, const struct container *container);
/* fd of _data. */
int volume_open(const struct engine *engine, const char *name, struct error *err);
/* Fill a new volume from the directory src_fd (image content at the mount point), once: ownership,
 * modes, xattrs, links and special files as such, nothing followed out of either side; marks it
 * populated. Mode and owner of the directory itself are taken over too. */
int volume_populate(const struct engine *engine, const char *name, int src_fd, struct error *err);
/* The same where the volume's content lies elsewhere, in the directory dst_fd: filled if empty. */
int volume_fill(
	const struct engine *engine, const char *name, int src_fd, int dst_fd, struct error *err);

#endif
