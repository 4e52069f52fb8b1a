/* SPDX-License-Identifier: GPL-2.0-or-later
 * container.c - make a container's record, give it another name. */
#include "engine/container/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/event_log.h"
#include "engine/container/grant.h"
#include "engine/container/hostname.h"
#include "engine/container/id_mapping.h"
#include "engine/container/records.h"
#include "engine/image/image.h"

#define STOP_TIMEOUT_NS (10 * NS_PER_SEC)

struct container *container_new(void)
{
	struct container *container = xcalloc(1, sizeof(*container));

	id_random(container->id);
	container->created_ns = time_now();
	container->stop_signal = SIGTERM;
	container->stop_timeout_ns = STOP_TIMEOUT_NS;
	container->log_max_file = 1;
	container->spec.capabilities = CAPABILITIES_DEFAULT;
	return container;
}

void container_free(struct container *container)
{
	if (container)
		fields_release(&container_field_type, container);
	free(container);
}

void container_cleanup(struct container **container)
{
	container_free(*container);
	*container = NULL;
}

void container_add_chains(const struct container *container, char ***chains)
{
	strv_extend(chains, container->chain_ids);
	for (size_t i = 0; i < container->spec.mount_count; i++)
		strv_extend(chains, container->spec.mounts[i].layers);
}

const char *container_label(const struct container *container, const char *key)
{
	return env_get(container->labels, key);
}

/* The root directory that the container sees is upper's own: it takes mode and owner of the topmost
 * layer's. Without layers to look at, those of any root. */
static int make_upper(const struct engine *engine, int dir_fd, const struct container *container,
	struct error *err)
{
	cleanup_strv char **layers = NULL;
	struct stat st = { .st_mode = 0755 };
	int r = image_chain_paths(engine, container->chain_ids, &layers, err);

	if (r < 0)
		return r;
	if (layers && *layers && stat(*layers, &st) < 0)
		return error_sys(err, -errno, "image layer %s", *layers);
	r = dir_make(dir_fd, "upper", st.st_mode & 07777, err);
	if (r == 0 && fchownat(dir_fd, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = error_sys(err, -errno, "set the owner of the writable layer");
	return r;
}

/* The new directory with all it holds, still under a name that makes it a leftover. */
static int fill_directory(const struct engine *engine, int containers_fd, const char *temporary,
	const struct container *container, struct error *err)
{
	cleanup_fd int dir_fd = dir_make_open(containers_fd, temporary, 0700, err);
	int r = dir_fd < 0 ? dir_fd : make_upper(engine, dir_fd, container, err);

	if (r == 0)
		r = dir_make(dir_fd, "work", 0700, err);
	if (r == 0)
		r = fields_write_file(&container_field_type, CONTAINER_VERSION, container, dir_fd,
			"config.json", FILE_DURABLE, err);
	return r;
}

/* The record is whole on disk before anything that it names is made: a kill from here on leaves a
 * directory from which the sweep knows what to take back. */
static int create_directory(const struct engine *engine, int containers_fd,
	const struct container *container, struct error *err)
{
	cleanup_free char *temporary = xasprintf(CREATING_PREFIX "%s", container->id);
	cleanup_strv char **made_volumes = NULL;
	int r = fill_directory(engine, containers_fd, temporary, container, err);

	if (r == 0)
		r = ids_claim(engine, container, err);
	if (r == 0)
		r = grants_store(engine, container, err);
	if (r == 0)
		r = volumes_make_for(engine, container, &made_volumes, err);
	if (r == 0 && renameat(containers_fd, temporary, containers_fd, container->id) < 0)
		r = error_sys(err, -errno, "create container directory");
	if (r < 0) {
		for (char **name = made_volumes; name && *name; name++)
			volume_drop(engine, *name, NULL, NULL);
		volumes_purge(engine, NULL);
		grants_remove(engine, container->id, NULL);
		if (spec_is_mapped(&container->spec))
			ids_drop(engine, container->id);
		tree_remove(containers_fd, temporary, NULL);
		return r;
	}
	if (fsync(containers_fd) < 0)
		return error_sys(err, -errno, "sync container directory");
	return 0;
}

/* The record keeps which layers an image mount shows, so that a start does not depend on what the
 * name means by then. */
static int resolve_images(
	const struct engine *engine, struct container *container, struct error *err)
{
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		struct spec_mount *mount = &container->spec.mounts[i];
		cleanup_image struct image *image = NULL;
		int r;

		if (mount->type != MOUNT_IMAGE || mount->layers)
			continue;
		r = image_find(engine, mount->source, &image, err);
		if (r < 0)
			return error_wrap(err, "mount '%s'", mount->destination);
		mount->layers = strv_copy(image->chain_ids);
	}
	return 0;
}

int container_create(const struct engine *engine, struct container *container, struct error *err)
{
	cleanup_fd int lock_fd = -1, containers_fd = -1;
	int r = container_check(container, err);

	if (r == 0)
		r = hostname_fill(engine, container, err);
	if (r == 0)
		r = spec_check(&container->spec, err);
	if (r == 0)
		r = resolve_images(engine, container, err);
	if (r < 0)
		return r;
	lock_fd = records_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	containers_fd = containers_open(engine, err);
	if (containers_fd < 0)
		return containers_fd;
	/* First, for it is the one that usually fails; a link without a container is no name yet.
	 */
	r = name_claim(engine, container->name, container->id, err);
	if (r < 0)
		return r;
	r = ids_pick(engine, container, err);
	if (r == 0)
		r = create_directory(engine, containers_fd, container, err);
	if (r < 0)
		name_drop(engine, container->name, container->id, NULL);
	else
		event_log_add(engine, container, "create", NULL);
	return r;
}

/* On disk before the record says it: a record whose name has no link, but whose old name has one,
 * could not be found by either. */
static int claim_durably(
	const struct engine *engine, const char *name, const char *id, struct error *err)
{
	cleanup_fd int names_fd = names_open(engine, err);
	int r = names_fd < 0 ? names_fd : name_claim(engine, name, id, err);

	if (r == 0 && fsync(names_fd) < 0)
		r = error_sys(err, -errno, "sync container names");
	return r;
}

static void tell_rename(
	const struct engine *engine, const struct container *container, const char *old_name)
{
	cleanup_free char *attribute = xasprintf("oldName=%s", old_name);

	event_log_add(engine, container, "rename", attribute);
}

/* Both names lead to the container until the record, which has the last word, says the new one. */
int container_rename(const struct engine *engine, struct container *container, const char *name,
	struct error *err)
{
	cleanup_fd int lock_fd = -1, dir_fd = -1;
	cleanup_free char *directory = xasprintf("containers/%s", container->id);
	cleanup_free char *old_name = container->name;
	int r;

	container->name = xstrdup(name);
	r = container_check(container, err);
	if (r == 0)
		r = lock_fd = records_lock(engine, err);
	if (r >= 0)
		r = claim_durably(engine, name, container->id, err);
	if (r < 0)
		goto restore;

	r = dir_fd = file_open(engine->data_fd, directory, O_RDONLY | O_DIRECTORY, 0, err);
	if (r == -ENOENT)
		error_set(err, r, "No such container: %s", container->id);
	if (r >= 0)
		r = fields_write_file(&container_field_type, CONTAINER_VERSION, container, dir_fd,
			"config.json", FILE_DURABLE, err);
	if (r < 0) {
		name_drop(engine, name, container->id, NULL);
		goto restore;
	}
	if (strcmp(old_name, name) == 0)
		return 0;
	tell_rename(engine, container, old_name);
	return name_drop(engine, old_name, container->id, err);

restore:
	free(container->name);
	container->name = steal_ptr(old_name);
	return r;
}
