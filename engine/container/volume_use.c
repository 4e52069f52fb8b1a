/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_use.c - make the volumes that a container needs; remove those that none needs any more. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/records.h"
#include "engine/container/volume_device.h"

/* Hex digits: two volumes of one name may go one after another. */
#define LEFTOVER_SUFFIX_LENGTH 16

int volume_drop(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err)
{
	cleanup_fd int volumes_fd = dir_make_open(engine->data_fd, "volumes", 0700, err);
	cleanup_free char *leftover = NULL;
	char id[ID_LENGTH + 1];
	int r;

	if (volumes_fd < 0)
		return volumes_fd;
	if (!name_is_safe(name) || faccessat(volumes_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set(err, -ENOENT, "get %s: no such volume", name);
	r = volume_check_unused(engine, name, users, err);
	/* What a killed process left mounted there; a rename would carry it along. */
	if (r == 0)
		r = volume_memory_leave(engine, name, NULL, err);
	if (r < 0)
		return r;
	id_random(id);
	leftover = xasprintf(REMOVING_PREFIX "%.*s", LEFTOVER_SUFFIX_LENGTH, id);
	if (renameat(volumes_fd, name, volumes_fd, leftover) < 0)
		return error_sys(err, -errno, "remove %s", name);
	return 0;
}

int volume_remove(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err)
{
	cleanup_fd int lock_fd = records_lock(engine, err);
	int r = lock_fd < 0 ? lock_fd : volume_drop(engine, name, users, err);

	close_fd(&lock_fd);
	return r < 0 ? r : volumes_purge(engine, err);
}

int volumes_make_for(const struct engine *engine, const struct container *container,
	char ***ret_made, struct error *err)
{
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		const struct spec_mount *mount = &container->spec.mounts[i];
		struct volume_device device = { 0 };
		bool made;
		int r;

		if (mount->type != MOUNT_VOLUME)
			continue;
		r = volume_device_parse(mount->driver_options, &device, err);
		volume_device_release(&device);
		if (r < 0)
			return error_wrap(err, "create %s", mount->source);
		r = volume_make(engine, mount->source, mount->labels, mount->driver_options,
			mount->anonymous, &made, err);
		if (r < 0)
			return r;
		if (made)
			strv_add(ret_made, mount->source);
	}
	return 0;
}

int volumes_drop_anonymous(const struct engine *engine, const struct container *container,
	struct volume_users *users, struct error *err)
{
	cleanup_volume_users struct volume_users *own = users ? NULL : volume_users_new();

	for (size_t i = 0; i < container->spec.mount_count; i++) {
		const struct spec_mount *mount = &container->spec.mounts[i];
		cleanup_error struct error problem = ERROR_INIT;

		if (mount->type != MOUNT_VOLUME || !mount->anonymous)
			continue;
		int r = volume_drop(engine, mount->source, users ? users : own, &problem);

		/* Used by another (volumes_from): it goes with the last. */
		if (r == -EBUSY)
			log_debug("volume is kept: %s", error_text(&problem));
		else if (r < 0 && r != -ENOENT)
			return error_move(err, &problem);
	}
	return 0;
}

static int each_leftover(const struct engine *engine, const char *prefix,
	int (*act)(int volumes_fd, const char *name, struct error *err), struct error *err)
{
	cleanup_strv char **names = NULL;
	cleanup_fd int volumes_fd = -1;
	int r = dir_list(engine->data_fd, "volumes", &names, err);

	if (r < 0 || !names)
		return r;
	volumes_fd = dir_make_open(engine->data_fd, "volumes", 0700, err);
	if (volumes_fd < 0)
		return volumes_fd;
	for (char **name = names; *name && r == 0; name++) {
		if (strncmp(*name, prefix, strlen(prefix)) == 0)
			r = act(volumes_fd, *name, err);
	}
	return r;
}

static int remove_leftover(int volumes_fd, const char *name, struct error *err)
{
	int r = tree_remove(volumes_fd, name, err);

	if (r < 0)
		error_wrap(err, "remove volume data");
	return r;
}

int volumes_sweep(const struct engine *engine, struct error *err)
{
	return each_leftover(engine, CREATING_PREFIX, remove_leftover, err);
}

int volumes_purge(const struct engine *engine, struct error *err)
{
	return each_leftover(engine, REMOVING_PREFIX, remove_leftover, err);
}

void volumes_leave(const struct engine *engine, const struct container *container)
{
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		const struct spec_mount *mount = &container->spec.mounts[i];
		cleanup_free char *users = NULL;
		cleanup_error struct error problem = ERROR_INIT;

		if (mount->type != MOUNT_VOLUME)
			continue;
		users = xasprintf("volumes/%s", mount->source);
		if (faccessat(engine->run_fd, users, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (volume_memory_leave(engine, mount->source, container->id, &problem) < 0)
			log_warning("%s", error_text(&problem));
	}
}
