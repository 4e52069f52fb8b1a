/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_owners.c - id-mapped mounts; see mount_fd.h. mount_setattr(2), MOUNT_ATTR_IDMAP. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"

#define MOUNTINFO_LIMIT (16 << 20)

/* Their files are the kernel's and have no owner to be kept on a disk: seen from a user namespace
 * they are nobody's, which is what rights there are to them. */
static const char *const kernels_own[] = {
	"bpf",
	"cgroup",
	"cgroup2",
	"configfs",
	"debugfs",
	"devpts",
	"devtmpfs",
	"efivarfs",
	"mqueue",
	"proc",
	"pstore",
	"securityfs",
	"sysfs",
	"tracefs",
};

/* The type of the file system, by the device number: a detached mount is in no list. "" when nobody
 * has mounted it. Heap. */
static char *type_of(int fd)
{
	cleanup_free char *text = NULL, *device = NULL;
	cleanup_strv char **lines = NULL;
	struct statx st;
	size_t length;

	if (statx(fd, "", AT_EMPTY_PATH, 0, &st) < 0 ||
		file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, &length, NULL) <
			0)
		return xstrdup("");
	device = xasprintf(" %u:%u ", st.stx_dev_major, st.stx_dev_minor);
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *type = strstr(lines[i], " - ");

		if (type && strstr(lines[i], device))
			return xstrndup(type + 3, strcspn(type + 3, " "));
	}
	return xstrdup("");
}

static bool is_kernels_own(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(kernels_own); i++)
		if (strcmp(kernels_own[i], type) == 0)
			return true;
	return false;
}

static int refuse(int code, const char *path, const char *type, bool recursive, struct error *err)
{
	struct utsname host = { 0 };

	uname(&host);
	if (code == -ENOSYS)
		return error_set(err, code,
			"owners of the files of '%s' cannot be mapped: Linux %s has no id-mapped "
			"mounts, which came with 5.12",
			path, host.release);
	return error_sys(err, code,
		"owners of the files of '%s' (%s)%s cannot be mapped by Linux %s: map owners", path,
		*type ? type : "unknown file system",
		recursive ? ", or of what is mounted below it," : "", host.release);
}

int mount_map_owners(int fd, int user_fd, bool recursive, const char *path, struct error *err)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)user_fd };
	unsigned int flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	cleanup_free char *type = NULL;
	int r;

	if (mount_setattr(fd, "", flags, &attributes, sizeof(attributes)) == 0)
		return 0;
	r = -errno;
	type = type_of(fd);
	return r == -EINVAL && is_kernels_own(type) ? 0 : refuse(r, path, type, recursive, err);
}

int mount_map_over(const char *path, int user_fd, struct error *err)
{
	cleanup_fd int fd = file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, err);
	cleanup_fd int tree_fd = -1;
	int r;

	if (fd < 0)
		return fd;
	tree_fd = mount_clone(fd, false, err);
	r = tree_fd < 0 ? tree_fd : mount_map_owners(tree_fd, user_fd, false, path, err);
	return r < 0 ? r : mount_attach(tree_fd, fd, err);
}
