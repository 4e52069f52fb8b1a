/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_memory.c - a volume that is a tmpfs: on the volume's _data while a container uses it.
 *
 * Who does is a file for each in <run>/volumes/NAME, written before the mount and taken away before
 * the unmount, all under a lock: a kill in between leaves a mount that the next to join uses and
 * the next to leave, or the removal of the volume, ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/volume.h"
#include "engine/container/volume_device.h"

static char *users_path(const char *name)
{
	return xasprintf("volumes/%s", name);
}

static int lock(const struct engine *engine, struct error *err)
{
	return lock_take(engine->run_fd, "volumes.lock", -1, NULL, err);
}

/* _data as the paths of this mount namespace lead to it, and whether something is mounted there. */
static int look(const struct engine *engine, const char *name, bool *ret_mounted, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/volumes/%s/_data", engine->data_path, name);
	cleanup_fd int fd = file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, err);
	struct statx stx;

	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
		return error_sys(err, -errno, "stat '%s'", path);
	*ret_mounted = stx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return steal_fd(&fd);
}

static int mount_over(const struct volume_device *device, int place_fd, struct error *err)
{
	cleanup_free char *server = NULL;
	cleanup_fd int context_fd = volume_device_open(device, &server, err);
	cleanup_fd int fd = -1;

	if (context_fd < 0)
		return context_fd;
	fd = volume_device_mount(context_fd, device->attributes, err);
	return fd < 0 ? fd : mount_attach(fd, place_fd, err);
}

int volume_memory_join(const struct engine *engine, const char *name,
	const struct volume_device *device, const char *id, struct error *err)
{
	cleanup_free char *path = users_path(name);
	cleanup_fd int lock_fd = lock(engine, err);
	cleanup_fd int users_fd = -1, place_fd = -1;
	bool mounted = false;
	int r;

	if (lock_fd < 0)
		return lock_fd;
	users_fd = dir_make_open(engine->run_fd, path, 0700, err);
	if (users_fd < 0)
		return users_fd;
	r = file_replace(users_fd, id, "", 0, 0600, FILE_VOLATILE, err);
	if (r < 0)
		return r;
	place_fd = look(engine, name, &mounted, err);
	if (place_fd < 0)
		return place_fd;
	return mounted ? 0 : mount_over(device, place_fd, err);
}

static int unmount(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/volumes/%s/_data", engine->data_path, name);

	/* Copies of the mount in containers stay whole. */
	if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
		return error_sys(err, -errno, "unmount '%s'", path);
	return 0;
}

int volume_memory_leave(
	const struct engine *engine, const char *name, const char *id, struct error *err)
{
	cleanup_free char *path = users_path(name);
	cleanup_strv char **users = NULL;
	cleanup_fd int lock_fd = lock(engine, err);
	cleanup_fd int place_fd = -1;
	bool mounted = false;
	int r;

	if (lock_fd < 0)
		return lock_fd;
	if (id) {
		cleanup_free char *user = xasprintf("%s/%s", path, id);

		if (unlinkat(engine->run_fd, user, 0) < 0 && errno != ENOENT && errno != ENOTDIR)
			return error_sys(err, -errno, "leave volume '%s'", name);
		r = dir_list(engine->run_fd, path, &users, err);
		if (r < 0 || strv_length(users) > 0)
			return r;
	}
	r = tree_remove(engine->run_fd, path, err);
	place_fd = r < 0 ? r : look(engine, name, &mounted, err);
	if (place_fd == -ENOENT) {
		error_release(err);
		return 0; /* the volume is gone */
	}
	if (place_fd < 0)
		return place_fd;
	close_fd(&place_fd);
	return mounted ? unmount(engine, name, err) : 0;
}
