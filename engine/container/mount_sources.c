/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_sources.c - the parent's half of the user's mounts: each source is opened and its mount
 * copied detached, so that what was checked is what gets mounted, and a bad source is told before
 * anything is made. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"
#include "engine/container/volume.h"
#include "engine/container/volume_device.h"
#include "engine/image/image.h"

static int open_bind_source(const struct spec_mount *mount, struct error *err)
{
	int fd = open(mount->source, O_PATH | O_CLOEXEC);
	int r;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return error_sys(err, -errno, "bind source '%s'", mount->source);
	if (!mount->create_host_path)
		return error_set(err, -ENOENT,
			"invalid mount config for type \"bind\": bind source path does not exist: "
			"%s",
			mount->source);
	r = dir_make(AT_FDCWD, mount->source, 0755, err);
	return r < 0 ? r : file_open(AT_FDCWD, mount->source, O_PATH, 0, err);
}

/* A disk is mounted here, for the child may not open it: its cgroup allows no such device. What
 * may have to wait for a server is left to the child. */
static int open_other(
	const struct volume_device *device, struct mount_source *source, struct error *err)
{
	cleanup_fd int context_fd = volume_device_open(device, &source->server, err);
	struct stat st;

	if (context_fd < 0)
		return context_fd;
	if (source->server) {
		source->netns_fd = file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0, err);
		if (source->netns_fd < 0)
			return source->netns_fd;
	}
	source->device_mounted = stat(device->device, &st) == 0 && S_ISBLK(st.st_mode);
	source->device_fd = source->device_mounted
				    ? volume_device_mount(context_fd, device->attributes, err)
				    : steal_fd(&context_fd);
	return source->device_fd < 0 ? source->device_fd : 0;
}

/* Where a volume's content is that its options put elsewhere. -ENODATA: with the child's mount. */
static int open_device(const struct setup *setup, const struct volume *volume,
	const struct volume_device *device, struct mount_source *source, struct error *err)
{
	int r;

	switch (device->kind) {
	case VOLUME_BIND:
		return file_open(AT_FDCWD, device->device, O_RDONLY | O_DIRECTORY, 0, err);
	case VOLUME_MEMORY:
		r = volume_memory_join(
			setup->engine, volume->name, device, setup->container->id, err);
		return r < 0 ? r
			     : file_open(AT_FDCWD, volume->mountpoint, O_RDONLY | O_DIRECTORY, 0,
				       err);
	case VOLUME_OTHER:
		r = open_other(device, source, err);
		return r < 0 ? r : -ENODATA;
	case VOLUME_PLAIN:
		break;
	}
	return volume_open(setup->engine, volume->name, err);
}

/* A container with a user namespace has its volumes mounted with other owners: to be filled, a copy
 * of the mount is needed that nobody has made read-only. */
static int open_to_fill(const struct setup *setup, int fd, struct error *err)
{
	int copy;

	if (spec_is_mapped(&setup->container->spec))
		return mount_clone(fd, false, err);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy < 0 ? error_sys(err, -errno, "duplicate descriptor") : copy;
}

static int open_content(const struct setup *setup, const struct volume *volume,
	struct mount_source *source, struct error *err)
{
	struct volume_device device = { 0 };
	int r = volume_device_parse(volume->options, &device, err);
	int fd;

	if (r < 0)
		return error_wrap(err, "volume '%s'", volume->name);
	source->attributes = device.attributes;
	fd = open_device(setup, volume, &device, source, err);
	if (fd >= 0 && device.kind != VOLUME_PLAIN && source->populate) {
		source->fill_fd = open_to_fill(setup, fd, err);
		if (source->fill_fd < 0) {
			close(fd);
			fd = source->fill_fd;
		}
	}
	volume_device_release(&device);
	return fd;
}

/* Only a whole volume takes over what the image has at its place: a part of it is there already. */
static int open_volume_source(const struct setup *setup, const struct spec_mount *mount,
	struct mount_source *source, struct error *err)
{
	struct volume *volume = NULL;
	cleanup_fd int fd = -1;
	int r = volume_find(setup->engine, mount->source, &volume, err);

	if (r < 0)
		return r;
	source->populate = !volume->populated && !mount->no_copy && !mount->subpath;
	r = fd = open_content(setup, volume, source, err);
	volume_free(volume);
	if (r < 0)
		return r;
	return mount->subpath ? subpath_open(mount, fd, err) : steal_fd(&fd);
}

/* Flags that the source has (nosuid, nodev, noexec, atime) stay: a copied mount keeps them and
 * mount_setattr adds to them. */
static int detach_source(
	const struct spec_mount *mount, int fd, struct mount_source *source, struct error *err)
{
	const bool recurse = mount->recursion != MOUNT_RECURSE_NOT;
	const bool all_read_only = recurse && mount->recursion != MOUNT_RECURSE_WRITABLE;
	cleanup_fd int tree_fd = mount_clone(fd, recurse, err);
	int r;

	if (tree_fd < 0)
		return tree_fd;
	r = propagation_set(mount, fd, tree_fd, err);
	if (r == 0 && source->attributes)
		r = mount_change(tree_fd, source->attributes, 0, false, err);
	if (r == 0 && mount->read_only)
		r = mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, all_read_only, err);
	if (r < 0)
		return r;
	source->tree_fd = steal_fd(&tree_fd);
	return 0;
}

static int open_source(const struct setup *setup, const struct spec_mount *mount,
	struct mount_source *source, struct error *err)
{
	cleanup_fd int fd = -1;

	switch (mount->type) {
	case MOUNT_TMPFS:
		return 0;
	case MOUNT_IMAGE:
		return image_chain_paths(setup->engine, mount->layers, &source->layers, err);
	case MOUNT_BIND:
		fd = open_bind_source(mount, err);
		break;
	case MOUNT_VOLUME:
		fd = open_volume_source(setup, mount, source, err);
		break;
	}
	if (fd == -ENODATA && source->device_fd >= 0)
		return 0;
	return fd < 0 ? fd : detach_source(mount, fd, source, err);
}

int mounts_open_sources(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;

	setup->sources = xcalloc(spec->mount_count + 1, sizeof(*setup->sources));
	for (size_t i = 0; i < spec->mount_count; i++)
		setup->sources[i] = (struct mount_source){
			.tree_fd = -1, .fill_fd = -1, .device_fd = -1, .netns_fd = -1
		};
	for (size_t i = 0; i < spec->mount_count; i++) {
		cleanup_error struct error local = ERROR_INIT;

		if (open_source(setup, &spec->mounts[i], &setup->sources[i], &local) < 0) {
			error_wrap(&local, "mount '%s'", spec->mounts[i].destination);
			return error_move(err, &local);
		}
	}
	return 0;
}

void mounts_close_sources(struct setup *setup)
{
	for (size_t i = 0; setup->sources && i < setup->container->spec.mount_count; i++) {
		close_fd(&setup->sources[i].tree_fd);
		close_fd(&setup->sources[i].fill_fd);
		close_fd(&setup->sources[i].device_fd);
		close_fd(&setup->sources[i].netns_fd);
		free(setup->sources[i].server);
		strv_free(setup->sources[i].layers);
	}
	free(setup->sources);
}
