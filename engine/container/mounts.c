/* SPDX-License-Identifier: GPL-2.0-or-later
 * mounts.c - the user's mounts: bind, volume, tmpfs.
 *
 * The parent opens each source and copies its mount detached, so that what was checked is what gets
 * mounted and a bad source is told before anything is made. The child, where the root file system
 * is, finds or makes each target inside it and attaches by fd. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/paths.h"
#include "engine/container/volume.h"

#define TMPFS_MODE_DEFAULT 01777
#define TMPFS_ATTRIBUTES   (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct propagation_row {
	const char *name;
	unsigned long flag;
	bool recursive;
} propagations[] = {
	{ "private", MS_PRIVATE, false },
	{ "rprivate", MS_PRIVATE, true },
	{ "rshared", MS_SHARED, true },
	{ "rslave", MS_SLAVE, true },
	{ "shared", MS_SHARED, false },
	{ "slave", MS_SLAVE, false },
};

static const struct propagation_row *find_propagation(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++) {
		if (strcmp(propagations[i].name, name ? name : "rprivate") == 0)
			return &propagations[i];
	}
	return NULL;
}

static int check_one(const struct spec_mount *mount, struct error *err)
{
	cleanup_free char *path = path_clean(mount->destination);

	if (mount->destination[0] != '/')
		return error_set(
			err, -EINVAL, "mount destination '%s' is not absolute", mount->destination);
	if (strcmp(path, "/") == 0)
		return error_set(err, -EINVAL, "mount destination can't be '/'");
	if (path_is_below(path, "/proc"))
		return error_set(err, -EINVAL, "'%s' cannot be mounted: it is inside /proc", path);
	if (!find_propagation(mount->propagation))
		return error_set(err, -EINVAL, "mount '%s': unknown propagation '%s'", path,
			mount->propagation);
	return 0;
}

int mounts_check(const struct container *container, struct error *err)
{
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		int r = check_one(&container->spec.mounts[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

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

static int open_volume_source(const struct setup *setup, const struct spec_mount *mount,
	struct mount_source *source, struct error *err)
{
	struct volume *volume = NULL;
	int r = volume_find(setup->engine, mount->source, &volume, err);

	if (r < 0)
		return r;
	source->populate = !volume->populated && !mount->no_copy;
	volume_free(volume);
	return volume_open(setup->engine, mount->source, err);
}

/* Flags that the source has (nosuid, nodev, noexec, atime) stay: a copied mount keeps them and
 * mount_setattr adds to them. Read-only goes down to what is mounted below the source. */
static int detach_source(
	const struct spec_mount *mount, int fd, struct mount_source *source, struct error *err)
{
	const struct propagation_row *propagation = find_propagation(mount->propagation);
	cleanup_fd int tree_fd = -1;
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "stat");
	tree_fd = mount_clone(fd, true, err);
	if (tree_fd < 0)
		return tree_fd;
	r = mount_change(tree_fd, 0, propagation->flag, propagation->recursive, err);
	if (r == 0 && mount->read_only)
		r = mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, true, err);
	if (r < 0)
		return r;
	source->directory = S_ISDIR(st.st_mode);
	source->tree_fd = steal_fd(&tree_fd);
	return 0;
}

static int open_source(const struct setup *setup, const struct spec_mount *mount,
	struct mount_source *source, struct error *err)
{
	cleanup_fd int fd = -1;

	switch (mount->type) {
	case MOUNT_TMPFS:
		source->directory = true;
		return 0;
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

static int new_tmpfs(const struct spec_mount *mount, struct error *err)
{
	cleanup_free char *mode =
		xasprintf("%o", mount->tmpfs_mode ? mount->tmpfs_mode : TMPFS_MODE_DEFAULT);
	cleanup_free char *size = xasprintf("%llu", (unsigned long long)mount->tmpfs_size);
	const struct mount_option options[] = { { "mode", mode }, { "size", size } };
	unsigned int read_only = mount->read_only ? MOUNT_ATTR_RDONLY : 0;

	return mount_new(
		"tmpfs", options, mount->tmpfs_size ? 2 : 1, TMPFS_ATTRIBUTES | read_only, err);
}

/* The name was checked before; here what it leads to through the image's links. */
int mount_check_target(int root_fd, int target_fd, struct error *err)
{
	struct statx root, target;
	struct statfs fs;

	if (fstatfs(target_fd, &fs) < 0 ||
		statx(root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) < 0 ||
		statx(target_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &target) < 0)
		return error_sys(err, -errno, "stat of the mount point");
	if (fs.f_type == PROC_SUPER_MAGIC)
		return error_set(err, -EINVAL, "the image has a link there that leads into /proc");
	if (root.stx_mnt_id == target.stx_mnt_id && root.stx_ino == target.stx_ino)
		return error_set(err, -EINVAL, "the image has a link there that leads to /");
	return 0;
}

/* A new volume takes over what the image has at that place. */
static int populate(
	const struct setup *setup, const struct spec_mount *mount, int target_fd, struct error *err)
{
	cleanup_fd int dir_fd = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return error_sys(err, -errno, "read the image's content");
	return volume_populate(setup->engine, mount->source, dir_fd, err);
}

static int attach_one(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, struct error *err)
{
	cleanup_free char *path = path_clean(mount->destination);
	cleanup_fd int target_fd = -1, tmpfs_fd = -1;
	bool was_there;
	int r;

	target_fd = in_root_find(setup->root_fd, path, NULL);
	was_there = target_fd >= 0;
	close_fd(&target_fd);
	target_fd = in_root_make(setup->root_fd, path, source->directory, err);
	if (target_fd < 0)
		return target_fd;
	r = mount_check_target(setup->root_fd, target_fd, err);
	if (r == 0 && source->populate && was_there)
		r = populate(setup, mount, target_fd, err);
	if (r < 0)
		return r;
	if (mount->type != MOUNT_TMPFS)
		return mount_attach(source->tree_fd, target_fd, err);
	tmpfs_fd = new_tmpfs(mount, err);
	return tmpfs_fd < 0 ? tmpfs_fd : mount_attach(tmpfs_fd, target_fd, err);
}

static size_t depth(const char *path)
{
	size_t count = 0;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

struct ordered_mount {
	size_t index;
	size_t depth;
};

static int compare_depth(const void *a, const void *b)
{
	const struct ordered_mount *left = a, *right = b;

	if (left->depth != right->depth)
		return left->depth < right->depth ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

/* Outer before inner, else in the order given. Heap. */
static struct ordered_mount *mount_order(const struct spec *spec)
{
	struct ordered_mount *order = xcalloc(spec->mount_count + 1, sizeof(*order));

	for (size_t i = 0; i < spec->mount_count; i++) {
		cleanup_free char *path = path_clean(spec->mounts[i].destination);

		order[i] = (struct ordered_mount){ i, depth(path) };
	}
	qsort(order, spec->mount_count, sizeof(*order), compare_depth);
	return order;
}

int mounts_attach(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	cleanup_free struct ordered_mount *order = mount_order(spec);

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[order[i].index];
		cleanup_error struct error local = ERROR_INIT;

		if (attach_one(setup, mount, &setup->sources[order[i].index], &local) < 0) {
			error_wrap(&local, "mount '%s'", mount->destination);
			return error_move(err, &local);
		}
	}
	return 0;
}
