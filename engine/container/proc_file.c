/* SPDX-License-Identifier: GPL-2.0-or-later
 * proc_file.c - see proc_file.h. */
#include "engine/container/proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define PROC_ROOT_INODE 1 /* linux/proc_ns.h: PROC_ROOT_INO */

int proc_self_open(int root_fd, const char *name, int flags, struct error *err)
{
	/* By number: "self" is a link. */
	cleanup_free char *path = xasprintf("%d/%s", (int)getpid(), name);
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	cleanup_fd int proc_fd = -1;
	struct statfs fs;
	struct stat st;
	int fd;

	proc_fd = file_open_beneath(root_fd, "proc", O_PATH | O_DIRECTORY, 0, err);
	if (proc_fd < 0)
		return proc_fd;
	if (fstatfs(proc_fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC || fstat(proc_fd, &st) < 0 ||
		st.st_ino != PROC_ROOT_INODE)
		return error_set(err, -EINVAL, "/proc of the container is not procfs");
	fd = (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
	return fd < 0 ? error_sys(err, -errno, "open /proc/%s", path) : fd;
}
