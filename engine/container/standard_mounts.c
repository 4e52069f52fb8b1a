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
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/paths.h"

#define LOCKED_DOWN	 (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SHM_SIZE_DEFAULT (64ULL << 20)
#define PATH_SIZE	 32
#define VIEW_PLACE	 "/sys" /* exists, may be entered by all, and is not needed meanwhile */
#define MOUNTINFO_LIMIT	 (16 << 20)

static const struct mount_option dev_options[] = {
	{ "mode", "755" },
	{ "size", "65536k" },
};
#define PTS_GROUP "5"
/* newinstance: before 4.7 a devpts without it was the host's; gid 5 is tty's everywhere. */
static const struct mount_option pts_options[] = {
	{ "newinstance", NULL },
	{ "ptmxmode", "0666" },
	{ "mode", "0620" },
	{ "gid", PTS_GROUP },
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
	const struct spec *spec = &setup->container->spec;
	uint32_t group;
	/* The last option: terminals belong to nobody's group where the group has no id. */
	const bool has_group =
		!spec_is_mapped(spec) || id_map_find(spec->gid_map, spec->gid_map_count, 5, &group);
	cleanup_fd int fd = mount_new("devpts", pts_options, ARRAY_LEN(pts_options) - !has_group,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);

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
	bool is_view;  /* of the namespaces of who makes it, see standard_views_make */
} table[] = {
	{ "/proc", mount_proc, false, true },
	{ "/dev", mount_dev, false, false },
	{ "/dev/pts", mount_pts, false, true },
	{ "/dev/shm", mount_shm, false, false },
	{ "/dev/mqueue", mount_mqueue, false, true },
	{ "/sys", mount_sys, false, true },
	{ "/sys/fs/cgroup", mount_cgroup, true, true },
};

/* Below the top level the directory lies in a mount of ours, or in what a user's mount will cover.
 */
static int open_target(int root_fd, const struct standard_mount *row, struct error *err)
{
	if (strchr(row->path + 1, '/') == NULL)
		return in_root_plain_directory(root_fd, row->path + 1, err);
	return in_root_find(root_fd, row->path, err);
}

/* What lies over parts of the host's /proc or /sys, in the way of a new one: HARDENING 4.7. */
static void list_covers(const char *path, struct strbuf *ret)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **lines = NULL;
	size_t length;

	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, &length, NULL) < 0)
		return;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		cleanup_strv char **fields = strv_split(lines[i], " ");

		if (strv_length(fields) > 4 && strcmp(fields[4], path) != 0 &&
			path_is_below(fields[4], path))
			strbuf_addf(ret, "%s%s", ret->length ? ", " : "", fields[4]);
	}
}

/* In a user namespace the kernel gives a new /proc or /sys only to who has one already of which
 * nothing is hidden: EPERM. */
static int view_failed(const struct standard_mount *row, int code, struct error *err)
{
	cleanup_strbuf struct strbuf covers = STRBUF_INIT;

	if (code != -EPERM || (strcmp(row->path, "/proc") != 0 && strcmp(row->path, "/sys") != 0))
		return error_wrap(err, "%s", row->path);
	list_covers(row->path, &covers);
	return error_set(err, code,
		"%s: the kernel mounts none in a user namespace when a part of the host's own %s "
		"is hidden, as in a container: mounted below it are %s; start without a user "
		"namespace (userns 'host') or on a host that hides nothing",
		row->path, row->path, covers.length ? strbuf_text(&covers) : "none");
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

/* What the row mounts, detached: over a directory of the host's, in this mount namespace alone, for
 * what consists of several mounts cannot be made elsewhere before Linux 6.15. -1: nothing. */
static int make_view(
	struct setup *setup, const struct standard_mount *row, int *ret_fd, struct error *err)
{
	cleanup_fd int place_fd = file_open(AT_FDCWD, VIEW_PLACE, O_PATH | O_DIRECTORY, 0, err);
	cleanup_fd int made_fd = -1;
	struct statx before, after;
	int r = place_fd < 0 ? place_fd : row->mount(setup, place_fd, err);

	if (r < 0)
		return r;
	made_fd = file_open(AT_FDCWD, VIEW_PLACE, O_PATH | O_DIRECTORY, 0, err);
	if (made_fd < 0)
		return made_fd;
	if (statx(place_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &before) < 0 ||
		statx(made_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &after) < 0)
		return error_sys(err, -errno, "stat of " VIEW_PLACE);
	if (before.stx_mnt_id == after.stx_mnt_id)
		return 0; /* not in this kernel */
	*ret_fd = mount_clone(made_fd, true, err);
	return *ret_fd < 0 ? *ret_fd : mount_detach(made_fd, err);
}

int standard_views_make(struct setup *setup, int ret_fds[static STANDARD_VIEWS], struct error *err)
{
	size_t view = 0;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct standard_mount *row = &table[i];
		int r;

		if (!row->is_view)
			continue;
		ret_fds[view] = -1;
		r = is_replaced(setup, row->path) ? 0 : make_view(setup, row, &ret_fds[view], err);
		if (r < 0)
			return view_failed(row, r, err);
		view++;
	}
	return 0;
}

static int mount_row(
	struct setup *setup, const struct standard_mount *row, int target_fd, struct error *err)
{
	size_t view = 0;

	if (!row->is_view || !setup->view_fds)
		return row->mount(setup, target_fd, err);
	for (size_t i = 0; &table[i] != row; i++)
		view += table[i].is_view;
	return setup->view_fds[view] < 0 ? 0 : mount_attach(setup->view_fds[view], target_fd, err);
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
		if (target_fd < 0 || mount_row(setup, row, target_fd, &local) < 0) {
			error_wrap(&local, "%s", row->path);
			return error_move(err, &local);
		}
	}
	return 0;
}
