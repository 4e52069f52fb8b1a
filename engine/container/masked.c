/* SPDX-License-Identifier: GPL-2.0-or-later
 * masked.c - kernel files that tell of the host or act on it are hidden or made read-only.
 *
 * The lists are Docker's. Files are covered by the host's /dev/null, taken before the root changes
 * and checked: a container's own null could be a link to something else (CVE-2025-31133). */
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
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"

static const char *const masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

static const char *const read_only[] = {
	"/proc/bus",
	"/proc/fs",
	"/proc/irq",
	"/proc/sys",
	"/proc/sysrq-trigger",
};

#define CPU_DIRECTORY "/sys/devices/system/cpu"

struct masks {
	int null_fd;	  /* the host's /dev/null */
	int directory_fd; /* the first empty directory that was attached; others are copies of it */
};

static int open_null(struct error *err)
{
	cleanup_fd int fd = file_open(AT_FDCWD, "/dev/null", O_PATH | O_NOFOLLOW, 0, err);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return error_set(err, -EINVAL, "the host's /dev/null is not the null device");
	return steal_fd(&fd);
}

static int mask_directory(struct masks *masks, int target_fd, struct error *err)
{
	cleanup_fd int fd = -1;
	int r;

	fd = masks->directory_fd >= 0 ? mount_clone(masks->directory_fd, false, err)
				      : mount_new("tmpfs", NULL, 0,
						MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
							MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
						err);
	if (fd < 0)
		return fd;
	r = mount_attach(fd, target_fd, err);
	if (r == 0 && masks->directory_fd < 0)
		masks->directory_fd = steal_fd(&fd);
	return r;
}

static int mask_file(const struct masks *masks, int target_fd, struct error *err)
{
	cleanup_fd int fd = mount_clone(masks->null_fd, false, err);

	return fd < 0 ? fd : mount_attach(fd, target_fd, err);
}

/* What the kernel does not have needs no mask. */
static int mask_path(struct masks *masks, int root_fd, const char *path, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	cleanup_fd int fd = in_root_find(root_fd, path, &local);
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return error_move(err, &local);
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "%s", path);
	r = S_ISDIR(st.st_mode) ? mask_directory(masks, fd, err) : mask_file(masks, fd, err);
	return r < 0 ? error_wrap(err, "hide %s", path) : 0;
}

/* Each processor counts how often it was throttled: a power side channel. */
static int mask_thermal(struct masks *masks, int root_fd, struct error *err)
{
	int dir_fd = file_open_in_root(root_fd, CPU_DIRECTORY, O_RDONLY | O_DIRECTORY, 0, NULL);
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		close_fd(&dir_fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(dir))) {
		const char *digits = entry->d_name + 3;
		cleanup_free char *path = NULL;

		if (strncmp(entry->d_name, "cpu", 3) != 0 || !*digits ||
			digits[strspn(digits, "0123456789")])
			continue;
		path = xasprintf(CPU_DIRECTORY "/%s/thermal_throttle", entry->d_name);
		r = mask_path(masks, root_fd, path, err);
	}
	closedir(dir);
	return r;
}

static int make_read_only(int root_fd, const char *path, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	cleanup_fd int fd = in_root_find(root_fd, path, &local);
	int r;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_move(err, &local);
	r = mount_read_only_over(fd, err);
	return r < 0 ? error_wrap(err, "make %s read-only", path) : 0;
}

static int mask_all(struct masks *masks, int root_fd, struct error *err)
{
	int r = mask_thermal(masks, root_fd, err);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(masked); i++)
		r = mask_path(masks, root_fd, masked[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(read_only); i++)
		r = make_read_only(root_fd, read_only[i], err);
	return r;
}

int paths_mask(struct setup *setup, struct error *err)
{
	struct masks masks = { -1, -1 };
	int r;

	if (setup->privileged || setup->container->spec.unmasked)
		return 0;
	masks.null_fd = open_null(err);
	if (masks.null_fd < 0)
		return masks.null_fd;
	r = mask_all(&masks, setup->root_fd, err);
	close_fd(&masks.null_fd);
	close_fd(&masks.directory_fd);
	return r;
}
