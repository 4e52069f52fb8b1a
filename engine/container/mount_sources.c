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

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"
#include "engine/container/volume.h"
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
	volume_free(volume);
	fd = volume_open(setup->engine, mount->source, err);
	if (fd < 0)
		return fd;
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
	return fd < 0 ? fd : detach_source(mount, fd, source, err);
}

int mounts_open_sources(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;

	setup->sources = xcalloc(spec->mount_count + 1, sizeof(*setup->sources));
	for (size_t i = 0; i < spec->mount_count; i++)
		setup->sources[i].tree_fd = -1;
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
		strv_free(setup->sources[i].layers);
	}
	free(setup->sources);
}
