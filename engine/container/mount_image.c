/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_image.c - an image as a read-only mount of a container.
 *
 * Its layers lie on one another by overlay, without a writable one. As in rootfs.c they are named
 * by descriptor, so that any number fits and nothing needs escaping. A single layer needs no
 * overlay (which takes two at least): it is bound. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"

#define LAYERS_MAX	 500
#define MOUNT_DATA_LIMIT 4095

static int open_layer(const char *path, struct error *err)
{
	return file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, err);
}

static int mount_overlay(const char *place, const char *lower, struct error *err)
{
	cleanup_free char *data = xasprintf("index=off,redirect_dir=off,metacopy=off,%s", lower);

	if (strlen(data) > MOUNT_DATA_LIMIT)
		return error_set(err, -E2BIG, "overlay: too many layers");
	if (chdir("/proc/self/fd") < 0)
		return error_sys(err, -errno, "chdir /proc/self/fd");
	if (mount("overlay", place, "overlay", MS_RDONLY, data) < 0)
		return error_sys(err, -errno, "mount overlay");
	return chdir("/") < 0 ? error_sys(err, -errno, "chdir /") : 0;
}

static int mount_layers(char *const *layers, const char *place, struct error *err)
{
	cleanup_strbuf struct strbuf lower = STRBUF_INIT;
	const size_t count = strv_length(layers);
	cleanup_free int *fds = xcalloc(count + 1, sizeof(*fds));
	size_t opened = 0;
	int r = 0;

	if (count > LAYERS_MAX)
		return error_set(err, -E2BIG, "the image has more than %d layers", LAYERS_MAX);
	strbuf_add_str(&lower, "lowerdir=");
	for (; r == 0 && opened < count; opened++) {
		fds[opened] = open_layer(layers[opened], err);
		if (fds[opened] < 0)
			r = fds[opened];
		strbuf_addf(&lower, "%s%d", opened ? ":" : "", fds[opened]);
	}
	if (r == 0)
		r = mount_overlay(place, strbuf_text(&lower), err);
	for (size_t i = 0; i < opened; i++)
		close_fd(&fds[i]);
	return r;
}

/* A detached read-only copy of what fd shows, or of the part of it that is wanted. */
static int copy_wanted(const struct spec_mount *mount, int fd, struct error *err)
{
	cleanup_fd int part_fd = mount->subpath ? subpath_open(mount, fd, err) : -1;
	cleanup_fd int tree_fd = -1;
	int r;

	if (mount->subpath && part_fd < 0)
		return part_fd;
	tree_fd = mount_clone(mount->subpath ? part_fd : fd, false, err);
	r = tree_fd < 0 ? tree_fd : mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, false, err);
	return r < 0 ? r : steal_fd(&tree_fd);
}

int image_tree(
	const struct spec_mount *mount, char *const *layers, const char *place, struct error *err)
{
	const size_t count = strv_length(layers);
	cleanup_fd int root_fd = -1, tree_fd = -1;
	int r = 0;

	if (count == 0)
		return error_set(err, -EINVAL, "image '%s' has no layers", mount->source);
	if (count > 1)
		r = mount_layers(layers, place, err);
	if (r < 0)
		return r;
	root_fd = open_layer(count > 1 ? place : layers[0], err);
	if (root_fd < 0)
		return root_fd;
	tree_fd = copy_wanted(mount, root_fd, err);
	if (tree_fd >= 0 && count > 1)
		r = mount_detach(root_fd, err);
	return r < 0 ? r : steal_fd(&tree_fd);
}
