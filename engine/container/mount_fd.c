/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_fd.c - the new mount API with this project's errors. */
#include "engine/container/mount_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"

/* The kernel explains a refused option in the context itself, one "e text" a read(2). */
static int context_error(int fs_fd, int code, const char *type, struct error *err)
{
	char text[256];
	ssize_t n = read(fs_fd, text, sizeof(text) - 1);

	if (n <= 2)
		return error_sys(err, code, "mount %s", type);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_sys(err, code, "mount %s: %s", type, text + 2);
}

int mount_context_open(const char *type, struct error *err)
{
	int fs_fd = fsopen(type, FSOPEN_CLOEXEC);

	return fs_fd < 0 ? error_sys(err, -errno, "mount %s", type) : fs_fd;
}

int mount_context_set(
	int context_fd, const char *type, const char *key, const char *value, struct error *err)
{
	unsigned int command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	if (fsconfig(context_fd, command, key, value, 0) < 0)
		return context_error(context_fd, -errno, type, err);
	return 0;
}

int mount_context_create(
	int context_fd, const char *type, unsigned int attributes, struct error *err)
{
	int fd;

	if (fsconfig(context_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(context_fd, -errno, type, err);
	fd = fsmount(context_fd, FSMOUNT_CLOEXEC, attributes);
	return fd < 0 ? context_error(context_fd, -errno, type, err) : fd;
}

int mount_new(const char *type, const struct mount_option *options, size_t count,
	unsigned int attributes, struct error *err)
{
	cleanup_fd int context_fd = mount_context_open(type, err);
	int r;

	if (context_fd < 0)
		return context_fd;
	/* What df and /proc/mounts show first. */
	r = mount_context_set(context_fd, type, "source", type, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = mount_context_set(context_fd, type, options[i].key, options[i].value, err);
	return r < 0 ? r : mount_context_create(context_fd, type, attributes, err);
}

int mount_clone(int fd, bool recursive, struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	int tree_fd = open_tree(fd, "", flags | (recursive ? AT_RECURSIVE : 0));

	return tree_fd < 0 ? error_sys(err, -errno, "bind mount") : tree_fd;
}

int mount_change(int fd, uint64_t set, unsigned long propagation, bool recursive, struct error *err)
{
	struct mount_attr attr = { .attr_set = set, .propagation = propagation };

	/* One of several, so it cannot be added to what is there. */
	if (set & MOUNT_ATTR__ATIME)
		attr.attr_clr = MOUNT_ATTR__ATIME;
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

	if (mount_setattr(fd, "", flags, &attr, sizeof(attr)) < 0)
		return error_sys(err, -errno, "change mount flags");
	return 0;
}

int mount_attach(int mount_fd, int target_fd, struct error *err)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	if (move_mount(mount_fd, "", target_fd, "", flags) < 0)
		return error_sys(err, -errno, "attach mount");
	return 0;
}

int mount_detach(int fd, struct error *err)
{
	int r = 0;

	if (fchdir(fd) < 0)
		return error_sys(err, -errno, "enter the mount");
	if (umount2(".", MNT_DETACH) < 0)
		r = error_sys(err, -errno, "detach mount");
	if (chdir("/") < 0 && r == 0)
		r = error_sys(err, -errno, "chdir /");
	return r;
}

int mount_read_only_over(int fd, struct error *err)
{
	cleanup_fd int tree_fd = mount_clone(fd, true, err);
	int r;

	if (tree_fd < 0)
		return tree_fd;
	r = mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, true, err);
	return r < 0 ? r : mount_attach(tree_fd, fd, err);
}
