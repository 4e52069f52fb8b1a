/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_subpath.c - a part of a volume or image instead of all of it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"

/* Does "a/../b" stay below where it begins? */
static bool stays_inside(const char *path)
{
	size_t depth = 0;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0) {
			if (depth == 0)
				return false;
			depth--;
		} else if (length > 0 && !(length == 1 && *path == '.')) {
			depth++;
		}
		path += length;
		path += *path == '/';
	}
	return true;
}

int subpath_check(const struct spec_mount *mount, struct error *err)
{
	if (!mount->subpath)
		return 0;
	if (mount->type != MOUNT_VOLUME && mount->type != MOUNT_IMAGE)
		return error_set(err, -EINVAL, "only volumes and images have a subpath");
	if (mount->subpath[0] == '/' || !stays_inside(mount->subpath))
		return error_set(err, -EINVAL,
			"invalid mount config: subpath must be a relative path within the volume: "
			"%s",
			mount->subpath);
	return 0;
}

int subpath_open(const struct spec_mount *mount, int root_fd, struct error *err)
{
	int fd = in_root_find(root_fd, mount->subpath, err);

	return fd < 0 ? error_wrap(err, "subpath '%s' of %s '%s'", mount->subpath,
				mount->type == MOUNT_IMAGE ? "image" : "volume", mount->source)
		      : fd;
}

int subpath_tree(const struct spec_mount *mount, int root_fd, const char *place, struct error *err)
{
	cleanup_fd int place_fd = file_open(AT_FDCWD, place, O_PATH | O_DIRECTORY, 0, err);
	cleanup_fd int part_fd = -1, tree_fd = -1;
	int r = place_fd < 0 ? place_fd : mount_attach(root_fd, place_fd, err);

	if (r < 0)
		return r;
	part_fd = subpath_open(mount, root_fd, err);
	if (part_fd < 0)
		return part_fd;
	tree_fd = mount_clone(part_fd, false, err);
	if (tree_fd < 0)
		return tree_fd;
	r = mount_detach(root_fd, err);
	return r < 0 ? r : steal_fd(&tree_fd);
}
