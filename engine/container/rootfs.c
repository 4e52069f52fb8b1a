/* SPDX-License-Identifier: GPL-2.0-or-later
 * rootfs.c - the container's root: overlay of its layers, and the move into it.
 *
 * Overlay takes its directories as text in one page, with ':' ',' and '\' as syntax. The child
 * therefore opens them, goes to /proc/self/fd and names them by number: 500 layers (the kernel's
 * bound) fit, nothing needs escaping, and the container's mountinfo shows numbers instead of host
 * paths. Works the same on every kernel we support; fsconfig's lowerdir+ (6.5) would do it as well.
 */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/paths.h"

#define LAYERS_MAX	 500  /* fs/overlayfs/params.h */
#define MOUNT_DATA_LIMIT 4095 /* one page with its NUL; mount(2) cuts off the rest silently */

struct overlay {
	int containers_fd; /* <data>/containers, in the child's mount namespace */
	int top_fd;	   /* <data>/containers/ID: also where the root is mounted for a moment */
	int upper_fd;
	int work_fd;
	int layer_fds[LAYERS_MAX];
	size_t layer_count;
};

static void overlay_close(struct overlay *overlay)
{
	close_fd(&overlay->containers_fd);
	close_fd(&overlay->top_fd);
	close_fd(&overlay->upper_fd);
	close_fd(&overlay->work_fd);
	for (size_t i = 0; i < overlay->layer_count; i++)
		close_fd(&overlay->layer_fds[i]);
}

static int open_directory(int dir_fd, const char *path, struct error *err)
{
	return file_open(dir_fd, path, O_PATH | O_DIRECTORY, 0, err);
}

static int open_layers(struct overlay *overlay, char *const *layers, struct error *err)
{
	for (size_t i = 0; layers && layers[i]; i++) {
		int fd;

		if (i == LAYERS_MAX)
			return error_set(
				err, -E2BIG, "the image has more than %d layers", LAYERS_MAX);
		fd = open_directory(AT_FDCWD, layers[i], err);
		if (fd < 0)
			return fd;
		overlay->layer_fds[overlay->layer_count++] = fd;
	}
	return overlay->layer_count ? 0 : error_set(err, -EINVAL, "the image has no layers");
}

/* The container's "/" is upper's own directory: a new one takes mode and owner of the image's. */
static int make_upper(struct overlay *overlay, struct error *err)
{
	struct stat st;

	if (mkdirat(overlay->top_fd, "work", 0700) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "make work directory");
	if (mkdirat(overlay->top_fd, "upper", 0755) < 0)
		return errno == EEXIST ? 0 : error_sys(err, -errno, "make writable layer");
	if (fstat(overlay->layer_fds[0], &st) < 0 ||
		fchownat(overlay->top_fd, "upper", st.st_uid, st.st_gid, 0) < 0 ||
		fchmodat(overlay->top_fd, "upper", st.st_mode & 07777, 0) < 0)
		return error_sys(err, -errno, "make writable layer");
	return 0;
}

/* By path and not by engine->data_fd: that fd's mount lies in the parent's mount namespace, and
 * overlay takes only directories of its caller's. */
static int overlay_open(struct overlay *overlay, const struct setup *setup, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/containers", setup->engine->data_path);
	cleanup_free char *own = xasprintf("containers/%s", setup->container->id);
	int r = open_layers(overlay, setup->layers, err);

	if (r == 0)
		r = dir_make(setup->engine->data_fd, own, 0700, err);
	if (r < 0)
		return r;
	overlay->containers_fd = open_directory(AT_FDCWD, path, err);
	if (overlay->containers_fd < 0)
		return overlay->containers_fd;
	overlay->top_fd = open_directory(overlay->containers_fd, setup->container->id, err);
	if (overlay->top_fd < 0)
		return overlay->top_fd;
	r = make_upper(overlay, err);
	if (r < 0)
		return r;
	overlay->upper_fd = open_directory(overlay->top_fd, "upper", err);
	if (overlay->upper_fd < 0)
		return overlay->upper_fd;
	overlay->work_fd = open_directory(overlay->top_fd, "work", err);
	return overlay->work_fd < 0 ? overlay->work_fd : 0;
}

static int overlay_mount(const struct overlay *overlay, bool mapped, struct error *err)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT;
	cleanup_free char *target = xasprintf("%d", overlay->top_fd);

	/* redirect_dir and metacopy would put into the upper layer what no image format can say. */
	strbuf_addf(&options,
		"index=off,redirect_dir=off,metacopy=off,upperdir=%d,workdir=%d,lowerdir=",
		overlay->upper_fd, overlay->work_fd);
	for (size_t i = 0; i < overlay->layer_count; i++)
		strbuf_addf(&options, "%s%d", i ? ":" : "", overlay->layer_fds[i]);
	if (options.length > MOUNT_DATA_LIMIT)
		return error_set(err, -E2BIG, "overlay: too many layers");
	if (chdir("/proc/self/fd") < 0)
		return error_sys(err, -errno, "chdir /proc/self/fd");
	if (mount("overlay", target, "overlay", 0, options.data) < 0)
		return error_sys(err, -errno, "mount overlay%s",
			errno == ENODEV		    ? " (the kernel has no overlay file system)"
			: errno == EINVAL && mapped ? " of layers with mapped owners (Linux 5.19 "
						      "is needed for that)"
						    : "");
	return chdir("/") < 0 ? error_sys(err, -errno, "chdir /") : 0;
}

static int rootfs_mount_from(struct overlay *overlay, struct setup *setup, struct error *err)
{
	int r = overlay_open(overlay, setup, err);

	if (r == 0)
		r = overlay_mount(overlay, setup->user_fd >= 0, err);
	if (r < 0)
		return r;
	/* top_fd still shows what the mount covers: look again from above. */
	setup->root_fd = open_directory(overlay->containers_fd, setup->container->id, err);
	return setup->root_fd < 0 ? setup->root_fd : 0;
}

int rootfs_mount(struct setup *setup, struct error *err)
{
	struct overlay *overlay = xcalloc(1, sizeof(*overlay));
	int r;

	overlay->containers_fd = overlay->top_fd = overlay->upper_fd = overlay->work_fd = -1;
	/* pivot_root(2) refuses shared mounts, and nothing below may reach the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = error_sys(err, -errno, "make the mount tree private");
	else
		r = rootfs_mount_from(overlay, setup, err);
	overlay_close(overlay);
	free(overlay);
	return r;
}

/* Docker makes the image's WORKDIR; whether the user may enter is decided later. */
int rootfs_make_cwd(struct setup *setup, struct error *err)
{
	cleanup_free char *path = path_clean(setup->cwd);
	int fd = in_root_make(setup->root_fd, path, true, err);

	if (fd < 0) {
		error_wrap(err, "working directory '%s'", setup->cwd);
		return fd;
	}
	close(fd);
	return 0;
}

int rootfs_make_read_only(struct setup *setup, struct error *err)
{
	if (!setup->container->spec.read_only)
		return 0;
	/* Of this mount alone: volumes and tmpfs below it stay as they are. */
	return mount_change(setup->root_fd, MOUNT_ATTR_RDONLY, 0, false, err);
}

/* Not chroot(2), which root can climb out of. With both names the same directory the old root comes
 * to lie on top of the new one; it is detached with all its mounts. pivot_root(2), "pivot_root(".",
 * ".")". */
int rootfs_pivot(struct setup *setup, struct error *err)
{
	if (fchdir(setup->root_fd) < 0)
		return error_sys(err, -errno, "enter the new root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return error_sys(err, -errno, "pivot_root%s",
			errno == EINVAL ? " (is the host's root the initramfs?)" : "");
	if (umount2(".", MNT_DETACH) < 0)
		return error_sys(err, -errno, "detach the old root");
	return chdir("/") < 0 ? error_sys(err, -errno, "chdir /") : 0;
}
