/* SPDX-License-Identifier: GPL-2.0-or-later
 * damage.c - what the kernel still has of a running container. */
#include "engine/container/damage.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/in_root.h"

#define PROC_FILE_MAX (256 * 1024)

static char *read_of(pid_t pid, const char *file)
{
	char path[64];
	char *text = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_read(AT_FDCWD, path, PROC_FILE_MAX, &text, &length, NULL) < 0 ? NULL : text;
}

/* proc(5): a line "NAME: counters" for each interface, after two lines of headings. */
static size_t count_interfaces(const char *devices)
{
	size_t count = 0;

	for (const char *line = devices; line && *line; line = strchr(line, '\n')) {
		const char *name, *colon;

		line += *line == '\n';
		name = line + strspn(line, " ");
		colon = name + strcspn(name, ":\n|");
		count += *colon == ':' && strncmp(name, "lo:", 3) != 0;
	}
	return count;
}

/* One that shares another's network namespace has none of its own, and that one is asked. */
static bool has_its_interfaces(pid_t pid, size_t interfaces)
{
	cleanup_free char *devices = interfaces ? read_of(pid, "net/dev") : NULL;

	return !devices || count_interfaces(devices) >= interfaces;
}

static bool has_its_cgroup(const char *id, pid_t pid)
{
	cleanup_free char *groups = read_of(pid, "cgroup");

	return !groups || strstr(groups, id);
}

/* statx(2), since Linux 5.8. 1 = a file system is mounted here, 0 = none, -1 = no telling. */
static int is_mount(int fd)
{
	struct statx stx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0 ||
		!(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT))
		return -1;
	return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* A place that is not there any more tells nothing. */
static bool is_unmounted(int root_fd, const char *place)
{
	cleanup_fd int fd = in_root_find(root_fd, place, NULL);

	return is_mount(fd) == 0;
}

static bool has_its_mounts(pid_t pid, char *const *mounts)
{
	cleanup_fd int root_fd = -1;
	char path[64];

	if (!mounts || !*mounts)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* A first process that has changed its root sees other places. */
	if (is_mount(root_fd) != 1)
		return true;
	for (; *mounts; mounts++)
		if (is_unmounted(root_fd, *mounts))
			return false;
	return true;
}

const char *container_damage(const char *id, pid_t pid, size_t interfaces, char *const *mounts)
{
	if (!has_its_interfaces(pid, interfaces))
		return "a network interface of it was removed";
	if (!has_its_cgroup(id, pid))
		return "its cgroup was removed";
	if (!has_its_mounts(pid, mounts))
		return "a mount of it was removed";
	return NULL;
}
