/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_users.c - which container's record names which volume.
 *
 * The records are the only truth, and each has to be looked at for every volume: one that has
 * become unreadable keeps all data. But reading one costs a hundred times what it costs to see that
 * it is still the file that was read before, so a series of removals remembers what it has read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/container/records.h"

struct user {
	struct stat record; /* the file that was read */
	char **volumes;
};

struct volume_users {
	struct strmap users; /* container id -> struct user */
};

static void user_free(void *value)
{
	struct user *user = value;

	strv_free(user->volumes);
	free(user);
}

struct volume_users *volume_users_new(void)
{
	return xcalloc(1, sizeof(struct volume_users));
}

void volume_users_free(struct volume_users *users)
{
	if (!users)
		return;
	strmap_release_with(&users->users, user_free);
	free(users);
}

void volume_users_cleanup(struct volume_users **users)
{
	volume_users_free(*users);
}

/* A record is replaced by rename; one that is damaged in place has another time of change. */
static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static char **volumes_of(const struct container *container)
{
	char **volumes = NULL;

	for (size_t i = 0; i < container->spec.mount_count; i++) {
		const struct spec_mount *mount = &container->spec.mounts[i];

		if (mount->type == MOUNT_VOLUME)
			strv_add(&volumes, mount->source);
	}
	return volumes;
}

/* -ENOENT: removed since the directory was read. */
static int look_up(struct volume_users *users, const struct engine *engine, const char *id,
	const struct user **ret, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s/config.json", id);
	cleanup_container struct container *container = NULL;
	struct user *user = strmap_get(&users->users, id);
	struct stat record;
	int r;

	if (fstatat(engine->data_fd, path, &record, AT_SYMLINK_NOFOLLOW) < 0)
		record = (struct stat){ 0 }; /* the load says what there is to say */
	else if (user && is_same_file(&user->record, &record)) {
		*ret = user;
		return 0;
	}
	r = container_load(engine, id, &container, err);
	if (r < 0)
		return r;
	user = xcalloc(1, sizeof(*user));
	user->record = record;
	user->volumes = volumes_of(container);
	*ret = user;
	user = strmap_set(&users->users, id, user);
	if (user)
		user_free(user);
	return 0;
}

int volume_check_unused(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err)
{
	cleanup_volume_users struct volume_users *own = users ? NULL : volume_users_new();
	cleanup_strv char **ids = NULL;
	int r = container_ids(engine, &ids, err);

	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++) {
		cleanup_error struct error problem = ERROR_INIT;
		const struct user *user;

		r = look_up(users ? users : own, engine, *id, &user, &problem);
		if (r < 0 && r != -ENOENT)
			return error_set(err, -EBUSY,
				"remove %s: a container that cannot be read may use it: %s", name,
				error_text(&problem));
		if (r == 0 && strv_contains(user->volumes, name))
			return error_set(
				err, -EBUSY, "remove %s: volume is in use - [%s]", name, *id);
	}
	return 0;
}
