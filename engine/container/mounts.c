/* SPDX-License-Identifier: GPL-2.0-or-later
 * mounts.c - the user's mounts at their places.
 *
 * What the parent has opened (mount_sources.c) and what only the child can make (tmpfs, images) is
 * attached by fd to targets that are found or made inside the root. */
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
#include "engine/container/mount_kinds.h"
#include "engine/container/paths.h"
#include "engine/container/volume.h"
#include "engine/container/volume_device.h"

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

/* Not in a command that looks at a stopped container: it has no child's record; nor in a builder,
 * which has done so. */
static void expect_to_wait(const struct setup *setup)
{
	if (setup->status_fd >= 0)
		inherited_close(setup);
}

/* A new volume takes over what the image has at that place. */
static int populate(const struct setup *setup, const struct spec_mount *mount, int content_fd,
	int target_fd, struct error *err)
{
	cleanup_fd int dir_fd = openat(target_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return error_sys(err, -errno, "read the image's content");
	expect_to_wait(setup); /* it may be much */
	if (content_fd >= 0)
		return volume_fill(setup->engine, mount->source, dir_fd, content_fd, err);
	return volume_populate(setup->engine, mount->source, dir_fd, err);
}

/* What may have to wait for a server, for minutes. */
static int mount_remote(
	const struct setup *setup, const struct mount_source *source, struct error *err)
{
	int r = 0;

	expect_to_wait(setup);
	if (source->server)
		r = volume_device_find_server(
			source->device_fd, source->server, source->netns_fd, err);
	return r < 0 ? r : volume_device_mount(source->device_fd, source->attributes, err);
}

/* The device of a volume: with its first content as long as it can be written. */
static int mount_device(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, const char *place, struct error *err)
{
	cleanup_fd int fd = -1;

	if (!source->device_mounted)
		fd = mount_remote(setup, source, err);
	else if ((fd = fcntl(source->device_fd, F_DUPFD_CLOEXEC, 0)) < 0)
		return error_sys(err, -errno, "duplicate descriptor");
	if (fd < 0 || !mount->subpath)
		return steal_fd(&fd);
	return subpath_tree(mount, fd, place, err);
}

/* What the child makes itself. An image lies for a moment over the directory of the name files, of
 * which nothing is used before or meanwhile. */
static int make_tree(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, int *ret_fd, struct error *err)
{
	cleanup_free char *place =
		xasprintf("%s/containers/%s", setup->engine->run_path, setup->container->id);
	int fd;

	if (mount->type == MOUNT_TMPFS)
		fd = tmpfs_new(&setup->container->spec, mount, err);
	else if (mount->type == MOUNT_IMAGE)
		fd = image_tree(mount, source->layers, place, err);
	else if (source->device_fd >= 0)
		fd = mount_device(setup, mount, source, place, err);
	else
		return 0;
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int is_directory(int fd, bool *ret, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "stat");
	*ret = S_ISDIR(st.st_mode);
	return 0;
}

static int fill(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, int tree_fd, int target_fd, struct error *err)
{
	/* With mapped owners what fill_fd shows is a mount of its own, too. */
	const int content_fd = setup->user_fd >= 0 && source->fill_fd >= 0 ? source->fill_fd
			       : source->device_fd >= 0			   ? tree_fd
									   : -1;
	cleanup_fd int own_fd = -1;

	if (source->attributes & MOUNT_ATTR_RDONLY)
		return 0;
	if (content_fd >= 0) {
		own_fd = file_open(content_fd, ".", O_RDONLY | O_DIRECTORY, 0, err);
		if (own_fd < 0)
			return own_fd;
	}
	return populate(setup, mount, own_fd >= 0 ? own_fd : source->fill_fd, target_fd, err);
}

/* Not what the builder has made from what has mapped owners already: tmpfs, images. */
static int map_owners(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, int tree_fd, struct error *err)
{
	const char *path = mount->source;
	int r = 0;

	if (setup->user_fd < 0 || mount->type == MOUNT_TMPFS || mount->type == MOUNT_IMAGE)
		return 0;
	if (source->fill_fd >= 0)
		r = mount_map_owners(source->fill_fd, setup->user_fd, false, path, err);
	return r < 0 ? r
		     : mount_map_owners(tree_fd, setup->user_fd,
			       mount->recursion != MOUNT_RECURSE_NOT, path, err);
}

static int attach_one(const struct setup *setup, const struct spec_mount *mount,
	const struct mount_source *source, struct error *err)
{
	cleanup_free char *path = path_clean(mount->destination);
	cleanup_fd int target_fd = -1, made_fd = -1;
	bool was_there, directory = true;
	int r = make_tree(setup, mount, source, &made_fd, err);
	int tree_fd = made_fd >= 0 ? made_fd : source->tree_fd;

	if (r == 0)
		r = map_owners(setup, mount, source, tree_fd, err);
	if (r == 0)
		r = is_directory(tree_fd, &directory, err);
	if (r < 0)
		return r;
	target_fd = in_root_find(setup->root_fd, path, NULL);
	was_there = target_fd >= 0;
	close_fd(&target_fd);
	target_fd = in_root_make(setup->root_fd, path, directory, err);
	if (target_fd < 0)
		return target_fd;
	r = mount_check_target(setup->root_fd, target_fd, err);
	if (r == 0 && source->populate && was_there)
		r = fill(setup, mount, source, tree_fd, target_fd, err);
	if (r == 0 && source->device_fd >= 0 && mount->read_only)
		r = mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, false, err);
	return r < 0 ? r : mount_attach(tree_fd, target_fd, err);
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
