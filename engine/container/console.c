/* SPDX-License-Identifier: GPL-2.0-or-later
 * console.c - the process's terminal or its three descriptors.
 *
 * A terminal comes from the container's own devpts, so that it has a name there; the other side is
 * taken from the master (TIOCGPTPEER), never by path, since /dev/pts/0 could be a link by now
 * (CVE-2025-52565). The master goes to the parent, which passes bytes and sets the window size. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/fd_passing.h"
#include "engine/container/id_mapping.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"

#define PTS_MAJOR_FIRST 136 /* Documentation/admin-guide/devices.txt: 136-143 */
#define PTS_MAJOR_LAST	143
#define STDIO_COUNT	3
#define ABOVE_STDIO	10 /* where descriptors wait until 0, 1, 2 are free */

static int check_devpts(int fd, struct error *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return error_sys(err, -errno, "stat of the terminal");
	if (fs.f_type != DEVPTS_SUPER_MAGIC)
		return error_set(err, -EINVAL, "/dev/pts of the container is not devpts");
	return 0;
}

static int open_peer(int master_fd, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;
	int locked = 0;

	if (ioctl(master_fd, TIOCSPTLCK, &locked) < 0)
		return error_sys(err, -errno, "unlock the terminal");
	fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "open the terminal");
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) < PTS_MAJOR_FIRST ||
		major(st.st_rdev) > PTS_MAJOR_LAST)
		return error_set(err, -EINVAL, "the terminal is not one");
	return check_devpts(fd, err) < 0 ? -EINVAL : steal_fd(&fd);
}

/* The master, or -errno. It has been sent when the child reports that it is ready. */
int console_receive(int socket_fd)
{
	char byte;
	int fd, r = fds_receive(socket_fd, &byte, 1, &fd, 1, MSG_DONTWAIT);

	if (r < 0)
		return r;
	return fd < 0 ? -EPROTO : fd;
}

/* /dev/console, as runtime-spec has it for a container with a terminal. */
static int bind_console(const struct setup *setup, int peer_fd, struct error *err)
{
	cleanup_fd int target_fd = in_root_make(setup->root_fd, "/dev/console", false, err);
	cleanup_fd int tree_fd = -1;

	if (target_fd < 0)
		return target_fd;
	tree_fd = mount_clone(peer_fd, false, err);
	return tree_fd < 0 ? tree_fd : mount_attach(tree_fd, target_fd, err);
}

int console_open(struct setup *setup, struct error *err)
{
	const struct winsize size = { .ws_row = setup->console_rows,
		.ws_col = setup->console_columns };
	cleanup_fd int master_fd = -1, peer_fd = -1;
	int r;

	if (!setup->terminal)
		return 0;
	master_fd = file_open_beneath(
		setup->root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0, err);
	if (master_fd < 0)
		return master_fd;
	r = check_devpts(master_fd, err);
	if (r < 0)
		return r;
	peer_fd = open_peer(master_fd, err);
	if (peer_fd < 0)
		return peer_fd;
	/* Before the program runs: it may look at once. */
	if (setup->console_rows && ioctl(master_fd, TIOCSWINSZ, &size) < 0)
		return error_sys(err, -errno, "set the terminal's size");
	r = fds_send(setup->console_fd, "", 1, &master_fd, 1);
	if (r < 0)
		return error_sys(err, r, "pass the terminal on");
	if (setup->namespaces.enter_fd < 0)
		r = bind_console(setup, peer_fd, err);
	if (r < 0)
		return r;
	setup->stdio.in_fd = setup->stdio.out_fd = setup->stdio.err_fd = steal_fd(&peer_fd);
	return 0;
}

/* A pipe or terminal that the user cannot open again would break /dev/stdout. Group and mode stay:
 * for a pts they are devpts's (5, 0620). */
static int give_to_user(int fd, uid_t uid, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "stat of descriptor %d", fd);
	if (st.st_uid == uid || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return 0;
	/* Read-only or foreign file systems refuse; the descriptor itself works all the same. */
	if (fchown(fd, uid, (gid_t)-1) < 0 && errno != EROFS && errno != EPERM && errno != EINVAL)
		return error_sys(err, -errno, "give descriptor %d to the user", fd);
	return 0;
}

/* From outside of the container's user namespace, where the descriptors' owners are; within, one
 * whose owner it does not map could not be changed. */
int stdio_give(struct setup *setup, struct error *err)
{
	const int fds[STDIO_COUNT] = { setup->stdio.in_fd, setup->stdio.out_fd,
		setup->stdio.err_fd };
	uint32_t uid;
	int r = spec_host_uid(&setup->container->spec, setup->identity.uid, &uid, err);

	if (setup->keep_stdio || setup->terminal)
		return 0;
	for (int i = 0; r == 0 && i < STDIO_COUNT; i++)
		if (fds[i] >= 0)
			r = give_to_user(fds[i], uid, err);
	return r;
}

/* Out of the way of 0, 1 and 2; -1 stands for the null device. */
static int set_aside(int fd, struct error *err)
{
	cleanup_fd int null_fd = -1;
	int copy;

	if (fd < 0) {
		null_fd = file_open(AT_FDCWD, "/dev/null", O_RDWR, 0, err);
		if (null_fd < 0)
			return null_fd;
		fd = null_fd;
	}
	copy = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_STDIO);
	return copy < 0 ? error_sys(err, -errno, "duplicate descriptor") : copy;
}

int stdio_connect(struct setup *setup, struct error *err)
{
	const int wanted[STDIO_COUNT] = { setup->stdio.in_fd, setup->stdio.out_fd,
		setup->stdio.err_fd };
	int copies[STDIO_COUNT];

	for (int i = 0; i < STDIO_COUNT; i++) {
		copies[i] = set_aside(wanted[i], err);
		if (copies[i] < 0)
			return copies[i];
	}
	/* The record pipe may sit on one of the three. */
	if (setup->status_fd < STDIO_COUNT) {
		setup->status_fd = set_aside(setup->status_fd, err);
		if (setup->status_fd < 0)
			return setup->status_fd;
	}
	for (int i = 0; i < STDIO_COUNT; i++) {
		if (dup2(copies[i], i) < 0)
			return error_sys(err, -errno, "descriptor %d", i);
		close(copies[i]);
	}
	if (setup->terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0)
		return error_sys(err, -errno, "make it the controlling terminal");
	for (int i = 0; !setup->keep_stdio && i < STDIO_COUNT; i++) {
		int r = give_to_user(i, setup->identity.uid, err);

		if (r < 0)
			return r;
	}
	return 0;
}
