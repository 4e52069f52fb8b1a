/* SPDX-License-Identifier: GPL-2.0-or-later
 * devices.c - the nodes and links of a container's /dev, and the devices it was given.
 *
 * OCI runtime-spec config-linux.md "Default Devices". Which of them may be opened is the cgroup's
 * matter. */
#include "engine/container/setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"
#include "engine/container/in_root.h"

static const struct node_row {
	const char *name;
	unsigned int major;
	unsigned int minor;
} nodes[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
	{ "tty", 5, 0 },
};

static const struct link_row {
	const char *name;
	const char *target;
	const char *needs; /* made only where the host has this */
} links[] = {
	{ "fd", "/proc/self/fd", NULL },
	{ "stdin", "/proc/self/fd/0", NULL },
	{ "stdout", "/proc/self/fd/1", NULL },
	{ "stderr", "/proc/self/fd/2", NULL },
	{ "ptmx", "pts/ptmx", NULL },
	{ "core", "/proc/kcore", "/proc/kcore" },
};

static const char *const directories[] = { "pts", "shm", "mqueue" };

static int make_node(int dir_fd, const char *name, mode_t mode, dev_t device, struct error *err)
{
	struct stat st;

	if (mknodat(dir_fd, name, mode, device) == 0)
		return 0;
	if (errno == EEXIST && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(st.st_mode & S_IFMT) == (mode & S_IFMT) && st.st_rdev == device)
		return 0;
	return error_sys(err, -errno, "make device '%s'", name);
}

static int make_directories_and_links(int dev_fd, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		if (mkdirat(dev_fd, directories[i], 0755) < 0)
			return error_sys(err, -errno, "make '%s'", directories[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (links[i].needs && access(links[i].needs, F_OK) < 0)
			continue;
		if (symlinkat(links[i].target, dev_fd, links[i].name) < 0)
			return error_sys(err, -errno, "link '%s'", links[i].name);
	}
	return 0;
}

/* What else is in the host's /dev, for privileged containers. Directories with a mount of their own
 * (pts, shm, mqueue, hugepages) are not entered, and terminals of the host are left out. */
struct host_dev {
	dev_t file_system;
	int depth;
};
#define HOST_DEV_DEPTH 8

static bool is_left_out(const char *name)
{
	static const char *const names[] = { ".", "..", "console", "ptmx", ".udev", ".lxc" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int copy_host_dev(int from_fd, int to_fd, struct host_dev walk, struct error *err);

static int copy_host_directory(
	int from_fd, int to_fd, const char *name, struct host_dev walk, struct error *err)
{
	cleanup_fd int below_fd = -1;
	int fd, r;

	if (--walk.depth == 0)
		return 0;
	if (mkdirat(to_fd, name, 0755) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "make '%s'", name);
	below_fd = openat(to_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = openat(from_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below_fd < 0 || fd < 0) {
		r = error_sys(err, -errno, "open '%s'", name);
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = copy_host_dev(fd, below_fd, walk, err);
	close(fd);
	return r;
}

static int copy_host_entry(
	int from_fd, int to_fd, const char *name, struct host_dev walk, struct error *err)
{
	struct stat st;
	int r;

	if (is_left_out(name) || fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode) && st.st_dev == walk.file_system)
		return copy_host_directory(from_fd, to_fd, name, walk, err);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return 0;
	r = make_node(to_fd, name, st.st_mode, st.st_rdev, err);
	if (r == 0 && fchownat(to_fd, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = error_sys(err, -errno, "chown '%s'", name);
	return r;
}

/* HOST_DEV_DEPTH bounds the recursion. Takes from_fd's position, not the fd. */
static int copy_host_dev(int from_fd, int to_fd, struct host_dev walk, struct error *err)
{
	int own_fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_sys(err, -errno, "read the host's /dev");
	while (r == 0 && (entry = readdir(dir)))
		r = copy_host_entry(from_fd, to_fd, entry->d_name, walk, err);
	closedir(dir);
	return r;
}

static int add_host_devices(int dev_fd, struct error *err)
{
	cleanup_fd int host_fd = file_open(AT_FDCWD, "/dev", O_RDONLY | O_DIRECTORY, 0, err);
	struct stat st;

	if (host_fd < 0)
		return host_fd;
	if (fstat(host_fd, &st) < 0)
		return error_sys(err, -errno, "/dev");
	return copy_host_dev(host_fd, dev_fd, (struct host_dev){ st.st_dev, HOST_DEV_DEPTH }, err);
}

/* The umask is 0 in the child at this time. */
int devices_fill(int dev_fd, const struct setup *setup, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(nodes); i++)
		r = make_node(dev_fd, nodes[i].name, S_IFCHR | 0666,
			makedev(nodes[i].major, nodes[i].minor), err);
	if (r == 0)
		r = make_directories_and_links(dev_fd, err);
	if (r == 0 && setup->privileged)
		r = add_host_devices(dev_fd, err);
	return r;
}

/* A node that an earlier start left in the writable layer may have had another number. */
static int remove_stale(int dir_fd, const char *name, const struct device_node *node)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		(!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) ||
		((st.st_mode & S_IFMT) == (node->mode & S_IFMT) && st.st_rdev == node->number))
		return 0;
	return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

/* Permissions and owner are those that the host gives it. */
static int add_device(
	const struct spec *spec, int root_fd, const struct device_node *node, struct error *err)
{
	cleanup_free char *path = xstrdup(node->path);
	char *slash = strrchr(path, '/');
	cleanup_fd int dir_fd = -1;
	uint32_t uid = node->uid, gid = node->gid;
	int r;

	*slash = '\0';
	dir_fd = in_root_make(root_fd, path[0] ? path : "/", true, err);
	if (dir_fd < 0)
		return dir_fd;
	r = remove_stale(dir_fd, slash + 1, node);
	if (r < 0)
		return error_sys(err, r, "replace device '%s'", node->path);
	r = make_node(dir_fd, slash + 1, node->mode, node->number, err);
	/* An owner that the container has no id for is nobody there. */
	id_map_find(spec->uid_map, spec->uid_map_count, node->uid, &uid);
	id_map_find(spec->gid_map, spec->gid_map_count, node->gid, &gid);
	if (r == 0 && fchownat(dir_fd, slash + 1, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = error_sys(err, -errno, "chown device '%s'", node->path);
	return r;
}

int devices_add(struct setup *setup, struct error *err)
{
	for (size_t i = 0; i < setup->device_count; i++) {
		int r = add_device(
			&setup->container->spec, setup->root_fd, &setup->devices[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}
