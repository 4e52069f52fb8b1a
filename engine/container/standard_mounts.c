/* SPDX-License-Identifier: GPL-2.0-or-later
 * standard_mounts.c - what every container finds mounted: /proc, /sys, /dev and what lies in them.
 *
 * OCI runtime-spec config-linux.md "Default Filesystems". A user's mount at the same path takes the
 * place of ours (never /proc, see mounts.c). The top directories must be directories: a link in the
 * image is refused, not followed. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/paths.h"

#define LOCKED_DOWN	 (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SHM_SIZE_DEFAULT (64ULL << 20)
#define PATH_SIZE	 32

static const struct mount_option dev_options[] = {
	{ "mode", "755" },
	{ "size", "65536k" },
};
/* newinstance: before 4.7 a devpts without it was the host's; gid 5 is tty's everywhere. */
static const struct mount_option pts_options[] = {
	{ "newinstance", NULL },
	{ "ptmxmode", "0666" },
	{ "mode", "0620" },
	{ "gid", "5" },
};

bool has_mount_at(const struct container *container, const char *path)
{
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		cleanup_free char *destination = path_clean(container->spec.mounts[i].destination);

		if (strcmp(destination, path) == 0)
			return true;
	}
	return false;
}

static int mount_proc(struct setup *setup, int target_fd, struct error *err)
{
	cleanup_fd int fd = mount_new("proc", NULL, 0, LOCKED_DOWN, err);

	(void)setup;
	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

/* sysfs shows the network of whoever mounts it; where the netns is the host's, so is what it shows.
 */
static int mount_sys(struct setup *setup, int target_fd, struct error *err)
{
	unsigned int read_only = setup->privileged ? 0 : MOUNT_ATTR_RDONLY;
	cleanup_fd int fd = mount_new("sysfs", NULL, 0, LOCKED_DOWN | read_only, err);

	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

static int mount_cgroup(struct setup *setup, int target_fd, struct error *err)
{
	int r = cgroup_mount_view(setup->host, target_fd, !setup->privileged);

	return r < 0 ? error_sys(err, r, "mount cgroup view") : 0;
}

static int mount_dev(struct setup *setup, int target_fd, struct error *err)
{
	cleanup_fd int fd = mount_new("tmpfs", dev_options, ARRAY_LEN(dev_options),
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, err);
	int r;

	if (fd < 0)
		return fd;
	/* Filled before anybody could see it. */
	r = devices_fill(fd, setup, err);
	return r < 0 ? r : mount_attach(fd, target_fd, err);
}

static int mount_pts(struct setup *setup, int target_fd, struct error *err)
{
	cleanup_fd int fd = mount_new("devpts", pts_options, ARRAY_LEN(pts_options),
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);

	(void)setup;
	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

/* Files in /dev/shm go with the IPC namespace: whoever shares that shares them. A copy of another
 * container's mount can be taken only inside its mount namespace. */
static int clone_shm_of(int pidfd, struct error *err)
{
	cleanup_fd int own_fd = file_open(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY, 0, err);
	cleanup_fd int shm_fd = -1;
	struct statfs fs;
	int tree_fd;

	if (own_fd < 0)
		return own_fd;
	if (setns(pidfd, CLONE_NEWNS) < 0)
		return error_sys(err, -errno, "enter the mount namespace of the shared container");
	shm_fd = open("/dev/shm", O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	if (shm_fd < 0 || fstatfs(shm_fd, &fs) < 0)
		tree_fd = error_sys(err, -errno, "/dev/shm of the shared container");
	else if (fs.f_type != TMPFS_MAGIC)
		tree_fd = error_set(err, -EINVAL, "/dev/shm of the shared container is no tmpfs");
	else
		tree_fd = mount_clone(shm_fd, false, err);
	if (setns(own_fd, CLONE_NEWNS) < 0) {
		if (tree_fd >= 0)
			close(tree_fd);
		return error_sys(err, -errno, "return to the own mount namespace");
	}
	return tree_fd;
}

static int clone_host_shm(struct error *err)
{
	cleanup_fd int fd = file_open(AT_FDCWD, "/dev/shm", O_PATH | O_DIRECTORY, 0, err);

	return fd < 0 ? fd : mount_clone(fd, false, err);
}

static int new_shm(uint64_t size, struct error *err)
{
	cleanup_free char *text =
		xasprintf("%llu", (unsigned long long)(size ? size : SHM_SIZE_DEFAULT));
	const struct mount_option options[] = { { "mode", "1777" }, { "size", text } };

	return mount_new("tmpfs", options, ARRAY_LEN(options), LOCKED_DOWN, err);
}

static int mount_shm(struct setup *setup, int target_fd, struct error *err)
{
	cleanup_fd int fd = -1;

	switch (setup->container->spec.ipc.mode) {
	case NAMESPACE_PRIVATE:
		fd = new_shm(setup->container->spec.shm_size, err);
		break;
	case NAMESPACE_HOST:
		fd = clone_host_shm(err);
		break;
	case NAMESPACE_CONTAINER:
		fd = clone_shm_of(setup->namespaces.join_ipc_fd, err);
		break;
	}
	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

static int mount_mqueue(struct setup *setup, int target_fd, struct error *err)
{
	cleanup_fd int fd = mount_new("mqueue", NULL, 0, LOCKED_DOWN, err);

	(void)setup;
	/* A kernel without POSIX queues has nothing to show. */
	if (fd == -ENODEV)
		return 0;
	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

/* In order: a row's directory may lie in an earlier row's mount. */
static const struct standard_mount {
	char path[PATH_SIZE];
	int (*mount)(struct setup *setup, int target_fd, struct error *err);
	bool optional; /* the directory is the kernel's, and may be missing */
} table[] = {
	{ "/proc", mount_proc, false },
	{ "/dev", mount_dev, false },
	{ "/dev/pts", mount_pts, false },
	{ "/dev/shm", mount_shm, false },
	{ "/dev/mqueue", mount_mqueue, false },
	{ "/sys", mount_sys, false },
	{ "/sys/fs/cgroup", mount_cgroup, true },
};

/* Below the top level the directory lies in a mount of ours, or in what a user's mount will cover.
 */
static int open_target(int root_fd, const struct standard_mount *row, struct error *err)
{
	if (strchr(row->path + 1, '/') == NULL)
		return in_root_plain_directory(root_fd, row->path + 1, err);
	return in_root_find(root_fd, row->path, err);
}

static bool is_replaced(const struct setup *setup, const char *path)
{
	cleanup_free char *above = xstrdup(path);

	for (;;) {
		char *slash;

		if (has_mount_at(setup->container, above))
			return true;
		slash = strrchr(above, '/');
		if (slash == above)
			return false;
		*slash = '\0';
	}
}

int standard_mounts(struct setup *setup, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct standard_mount *row = &table[i];
		cleanup_error struct error local = ERROR_INIT;
		cleanup_fd int target_fd = -1;

		if (is_replaced(setup, row->path))
			continue;
		target_fd = open_target(setup->root_fd, row, &local);
		if (target_fd == -ENOENT && row->optional)
			continue;
		if (target_fd < 0 || row->mount(setup, target_fd, &local) < 0) {
			error_wrap(&local, "%s", row->path);
			return error_move(err, &local);
		}
	}
	return 0;
}
