/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume.c - volumes: <data>/volumes/NAME/{_data,volume.json}, appearing and vanishing by rename.
 */
#include "engine/container/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/records.h"
#include "engine/container/tree_copy.h"
#include "engine/container/volume_copy.h"
#include "engine/container/volume_device.h"

#define VOLUME_VERSION 1
#define VOLUME_FILE    "volume.json"
#define DATA_DIR       "_data"

#define ROW(key, kind, member) FIELD_ROW(key, kind, 0, struct volume, member)

static const struct field volume_fields[] = {
	FIELD_ROW("name", FIELD_STRING, FIELD_REQUIRED, struct volume, name),
	FIELD_ROW("created", FIELD_TIME, FIELD_REQUIRED, struct volume, created_ns),
	ROW("labels", FIELD_STRV, labels),
	ROW("options", FIELD_STRV, options),
	ROW("anonymous", FIELD_BOOL, anonymous),
	ROW("populated", FIELD_BOOL, populated),
};
static const struct field_type volume_field_type = FIELD_TYPE(struct volume, volume_fields);

void volume_free(struct volume *volume)
{
	if (!volume)
		return;
	free(volume->mountpoint);
	fields_release(&volume_field_type, volume);
	free(volume);
}

static void volume_cleanup(struct volume **volume)
{
	volume_free(*volume);
}
#define cleanup_volume __attribute__((cleanup(volume_cleanup)))

static int volumes_open(const struct engine *engine, struct error *err)
{
	return dir_make_open(engine->data_fd, "volumes", 0700, err);
}

static int no_such(const char *name, struct error *err)
{
	return error_set(err, -ENOENT, "get %s: no such volume", name);
}

/* The volume's own directory, which holds _data. */
static int volume_dir_open(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_free char *path = xasprintf("volumes/%s", name);
	int fd;

	if (!name_is_safe(name))
		return no_such(name, err);
	fd = file_open(engine->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
	return fd == -ENOENT ? no_such(name, err) : fd;
}

static int fill_directory(
	int volumes_fd, const char *temporary, const struct volume *volume, struct error *err)
{
	cleanup_fd int dir_fd = dir_make_open(volumes_fd, temporary, 0700, err);

	if (dir_fd < 0)
		return dir_fd;
	int r = dir_make(dir_fd, DATA_DIR, 0755, err);

	return r < 0 ? r
		     : fields_write_file(&volume_field_type, VOLUME_VERSION, volume, dir_fd,
			       VOLUME_FILE, FILE_DURABLE, err);
}

int volume_make(const struct engine *engine, const char *name, char *const *labels,
	char *const *options, bool anonymous, bool *ret_made, struct error *err)
{
	cleanup_volume struct volume *volume = xcalloc(1, sizeof(*volume));
	cleanup_free char *temporary = xasprintf(CREATING_PREFIX "%s", name);
	cleanup_fd int volumes_fd = -1;
	int r;

	*ret_made = false;
	if (!name_is_safe(name))
		return error_set(err, -EINVAL,
			"\"%s\" includes invalid characters for a local volume name, only "
			"\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
			name);
	volumes_fd = volumes_open(engine, err);
	if (volumes_fd < 0)
		return volumes_fd;
	if (faccessat(volumes_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	volume->name = xstrdup(name);
	volume->labels = strv_copy(labels);
	volume->options = strv_copy(options);
	volume->anonymous = anonymous;
	volume->created_ns = time_now();
	/* The lock is held: what has this name is what a killed process left. */
	r = tree_remove(volumes_fd, temporary, err);
	if (r == 0)
		r = fill_directory(volumes_fd, temporary, volume, err);
	if (r == 0 && renameat(volumes_fd, temporary, volumes_fd, name) < 0)
		r = error_sys(err, -errno, "create volume directory");
	if (r < 0) {
		tree_remove(volumes_fd, temporary, NULL);
		error_wrap(err, "volume '%s'", name);
		return r;
	}
	if (fsync(volumes_fd) < 0)
		return error_sys(err, -errno, "sync volume directory");
	*ret_made = true;
	return 0;
}

int volume_create(const struct engine *engine, const char *name, char *const *labels,
	bool anonymous, struct error *err)
{
	cleanup_fd int lock_fd = records_lock(engine, err);
	bool made;

	return lock_fd < 0 ? lock_fd
			   : volume_make(engine, name, labels, NULL, anonymous, &made, err);
}

int volume_create_with_options(const struct engine *engine, const char *name, char *const *labels,
	char *const *options, struct error *err)
{
	struct volume_device device = { 0 };
	cleanup_fd int lock_fd = -1;
	bool made;
	int r = volume_device_parse(options, &device, err);

	volume_device_release(&device);
	if (r < 0)
		return error_wrap(err, "create %s", name);
	lock_fd = records_lock(engine, err);
	return lock_fd < 0 ? lock_fd
			   : volume_make(engine, name, labels, options, false, &made, err);
}

int volume_find(
	const struct engine *engine, const char *name, struct volume **ret, struct error *err)
{
	cleanup_fd int dir_fd = volume_dir_open(engine, name, err);
	cleanup_free char *path = xasprintf("%s/volumes/%s/" VOLUME_FILE, engine->data_path, name);
	cleanup_volume struct volume *volume = NULL;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	volume = xcalloc(1, sizeof(*volume));
	r = fields_read_file(
		&volume_field_type, VOLUME_VERSION, volume, dir_fd, VOLUME_FILE, path, err);
	if (r == -ENOENT) /* the directory is there, so the file ought to be */
		return error_set(err, -EBADMSG, "%s: missing", path);
	if (r < 0)
		return r;
	volume->mountpoint = xasprintf("%s/volumes/%s/" DATA_DIR, engine->data_path, name);
	*ret = steal_ptr(volume);
	return 0;
}

int volume_list(
	const struct engine *engine, struct volume ***ret, size_t *ret_count, struct error *err)
{
	cleanup_strv char **names = NULL;
	struct volume **list = NULL;
	size_t count = 0;
	int r = dir_list(engine->data_fd, "volumes", &names, err);

	if (r < 0)
		return r;
	for (char **name = names; name && *name; name++) {
		cleanup_error struct error problem = ERROR_INIT;
		cleanup_volume struct volume *volume = NULL;

		if (!name_is_safe(*name))
			continue;
		r = volume_find(engine, *name, &volume, &problem);
		if (r == 0)
			*array_add(list, count) = steal_ptr(volume);
		else if (r != -ENOENT) /* absent: removed since the directory was read */
			log_warning("volume %s is left out: %s", *name, error_text(&problem));
	}
	*ret = list;
	*ret_count = count;
	return 0;
}

void volume_list_free(struct volume **volumes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		volume_free(volumes[i]);
	free(volumes);
}

int volume_open(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_fd int dir_fd = volume_dir_open(engine, name, err);
	int fd;

	if (dir_fd < 0)
		return dir_fd;
	fd = file_open(dir_fd, DATA_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, err);
	if (fd < 0)
		error_wrap(err, "volume '%s'", name);
	return fd;
}

static int populate(struct volume *volume, int dir_fd, int src_fd, struct error *err)
{
	int r = volume_copy_into(dir_fd, DATA_DIR, src_fd, err);

	if (r < 0)
		return r;
	volume->populated = true;
	return fields_write_file(
		&volume_field_type, VOLUME_VERSION, volume, dir_fd, VOLUME_FILE, FILE_DURABLE, err);
}

int volume_populate(const struct engine *engine, const char *name, int src_fd, struct error *err)
{
	cleanup_volume struct volume *volume = NULL;
	cleanup_fd int dir_fd = volume_dir_open(engine, name, err);
	cleanup_fd int lock_fd = -1;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	/* Two containers that start at once share the volume: one fills it, the other waits. */
	lock_fd = lock_take(dir_fd, "lock", -1, NULL, err);
	r = lock_fd < 0 ? lock_fd : volume_find(engine, name, &volume, err);
	if (r < 0 || volume->populated)
		return r;
	r = populate(volume, dir_fd, src_fd, err);
	if (r < 0)
		error_wrap(err, "populate volume '%s'", name);
	return r;
}

int volume_fill(
	const struct engine *engine, const char *name, int src_fd, int dst_fd, struct error *err)
{
	cleanup_strv char **present = NULL;
	cleanup_fd int dir_fd = volume_dir_open(engine, name, err);
	cleanup_fd int lock_fd = dir_fd < 0 ? -1 : lock_take(dir_fd, "lock", -1, NULL, err);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = lock_fd < 0 ? lock_fd : dir_list(dst_fd, ".", &present, err);
	if (r < 0 || strv_length(present) > 0)
		return r;
	r = tree_copy(src_fd, dst_fd, err);
	if (r < 0)
		error_wrap(err, "populate volume '%s'", name);
	return r;
}
