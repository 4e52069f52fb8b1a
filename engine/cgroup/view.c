/* SPDX-License-Identifier: GPL-2.0-or-later
 * view.c - a container's own /sys/fs/cgroup.
 *
 * Runs in the new child between clone3 and exec: no allocation, no error object, system calls only.
 * All by fd (fsopen, fsmount, move_mount), so no path of the image is walked. A mount made in a
 * cgroup namespace shows the namespace's own group as its root; read-only is set on each mount, so
 * that the hierarchy the host shares stays writable there. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cgroup/internal.h"

#define VIEW_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int set_flag(int fs_fd, const char *key)
{
	return fsconfig(fs_fd, FSCONFIG_SET_FLAG, key, NULL, 0) < 0 ? -errno : 0;
}

static int set_string(int fs_fd, const char *key, const char *value)
{
	return fsconfig(fs_fd, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

/* The same options as the host's mount, so that the kernel finds the same hierarchy. */
static int set_v1_options(int fs_fd, const struct hierarchy *hierarchy)
{
	int r = 0;

	for (size_t i = 0; r == 0 && hierarchy->controllers && hierarchy->controllers[i]; i++)
		r = set_flag(fs_fd, hierarchy->controllers[i]);
	if (r == 0 && !hierarchy->controllers)
		r = set_flag(fs_fd, "none");
	if (r == 0 && hierarchy->name)
		r = set_string(fs_fd, "name", hierarchy->name);
	return r;
}

static int create_mount(int fs_fd, unsigned int attributes)
{
	int mount_fd;

	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount_fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
	return mount_fd < 0 ? -errno : mount_fd;
}

static int open_hierarchy(const struct hierarchy *hierarchy, unsigned int attributes)
{
	bool v2 = hierarchy->driver == &cgroup_driver_v2;
	cleanup_fd int fs_fd = fsopen(v2 ? "cgroup2" : "cgroup", FSOPEN_CLOEXEC);
	int r = 0;

	if (fs_fd < 0)
		return -errno;
	if (!v2)
		r = set_v1_options(fs_fd, hierarchy);
	return r < 0 ? r : create_mount(fs_fd, attributes);
}

static int move_onto(int mount_fd, int dir_fd, const char *path)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);

	return move_mount(mount_fd, "", dir_fd, path, flags) < 0 ? -errno : 0;
}

static int mount_hierarchy(
	const struct hierarchy *hierarchy, int dir_fd, const char *path, unsigned int attributes)
{
	cleanup_fd int mount_fd = open_hierarchy(hierarchy, attributes);

	return mount_fd < 0 ? mount_fd : move_onto(mount_fd, dir_fd, path);
}

/* "cpu" and "cpuacct" beside "cpu,cpuacct", as every distribution has them. */
static int make_links(const struct hierarchy *hierarchy, int dir_fd)
{
	char *const *controllers = hierarchy->controllers;

	if (hierarchy->driver == &cgroup_driver_v2 || !controllers || !controllers[1])
		return 0;
	for (size_t i = 0; controllers[i]; i++) {
		if (symlinkat(hierarchy->view_name, dir_fd, controllers[i]) < 0)
			return -errno;
	}
	return 0;
}

static int open_tmpfs(void)
{
	cleanup_fd int fs_fd = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int r;

	if (fs_fd < 0)
		return -errno;
	r = set_string(fs_fd, "mode", "755");
	if (r == 0)
		r = set_string(fs_fd, "size", "64k");
	return r < 0 ? r : create_mount(fs_fd, VIEW_ATTRIBUTES);
}

static int fill(const struct cgroup_host *host, int dir_fd, unsigned int attributes)
{
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &host->hierarchies[i];
		int r;

		if (mkdirat(dir_fd, hierarchy->view_name, 0755) < 0)
			return -errno;
		r = mount_hierarchy(hierarchy, dir_fd, hierarchy->view_name, attributes);
		if (r == 0)
			r = make_links(hierarchy, dir_fd);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_mount_view(const struct cgroup_host *host, int target_fd, bool read_only)
{
	unsigned int attributes = VIEW_ATTRIBUTES | (read_only ? MOUNT_ATTR_RDONLY : 0);
	struct mount_attr to_read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	cleanup_fd int tmpfs_fd = -1;
	int r;

	if (cgroup_host_is_v2(host))
		return mount_hierarchy(&host->hierarchies[0], target_fd, "", attributes);
	tmpfs_fd = open_tmpfs();
	if (tmpfs_fd < 0)
		return tmpfs_fd;
	/* Attached first: before Linux 6.15 nothing may be mounted on a detached mount. */
	r = move_onto(tmpfs_fd, target_fd, "");
	if (r == 0)
		r = fill(host, tmpfs_fd, attributes);
	/* Always: there is nothing to write in the frame around the hierarchies. */
	if (r == 0 &&
		mount_setattr(tmpfs_fd, "", AT_EMPTY_PATH, &to_read_only, sizeof(to_read_only)) < 0)
		r = -errno;
	return r;
}
