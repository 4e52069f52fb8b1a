/* SPDX-License-Identifier: GPL-2.0-or-later
 * self_exe.c - run again through a read-only mount of the own file. */
#include "engine/container/self_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/container/mount_fd.h"

#define SELF_EXE "/proc/self/exe"

/* A mount whose root is the file itself and which is read-only: what self_exe_protect makes. A
 * read-only /usr is not enough, the administrator may remount that. */
bool self_exe_is_protected(void)
{
	cleanup_fd int fd = open(SELF_EXE, O_PATH | O_CLOEXEC);
	struct statx stx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
		return false;
	if (!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return false;
	return faccessat(AT_FDCWD, SELF_EXE, W_OK, 0) < 0 && errno == EROFS;
}

static int read_only_self(struct error *err)
{
	cleanup_fd int fd = open(SELF_EXE, O_PATH | O_CLOEXEC);
	cleanup_fd int tree_fd = -1;
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "open " SELF_EXE);
	tree_fd = mount_clone(fd, false, err);
	if (tree_fd < 0)
		return tree_fd;
	r = mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, false, err);
	return r < 0 ? r : steal_fd(&tree_fd);
}

int self_exe_protect(char *const *argv, struct error *err)
{
	cleanup_fd int fd = -1;

	if (self_exe_is_protected()) {
		/* execve by fd took the fd's number for a name. */
		prctl(PR_SET_NAME, "mycompose");
		return 0;
	}
	fd = read_only_self(err);
	if (fd < 0) {
		error_wrap(err, "shield the program's own file from containers");
		return fd;
	}
	fexecve(fd, argv, environ);
	return error_sys(err, -errno, "run the program through a read-only mount");
}
