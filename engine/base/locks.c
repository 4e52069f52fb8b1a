/* SPDX-License-Identifier: GPL-2.0-or-later
 * locks.c - advisory locks that end with their holder. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"

#define FIRST_NAP (1 * NS_PER_MS)
#define LAST_NAP  (50 * NS_PER_MS)
#define TABLE_MAX (4 << 20) /* bytes of /proc/locks */

/* Wait for the lock until `deadline` (monotonic). flock(2) has no time limit of its own, and an
 * alarm would be a signal that the whole process shares: so it is tried again after short sleeps
 * that grow. A signal ends the wait (-EINTR). */
static int poll_lock(int fd, int64_t deadline)
{
	int64_t nap = FIRST_NAP;

	for (;;) {
		int64_t left = deadline - time_monotonic();
		struct timespec ts;

		if (left <= 0)
			return -EWOULDBLOCK;
		if (nap > left)
			nap = left;
		ts = (struct timespec){ .tv_sec = nap / NS_PER_SEC, .tv_nsec = nap % NS_PER_SEC };
		if (nanosleep(&ts, NULL) < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		nap = nap * 2 < LAST_NAP ? nap * 2 : LAST_NAP;
	}
}

struct wait {
	const char *name;
	int timeout_ms;
	int64_t deadline;
	void (*on_wait)(const char *name); /* NULL once called */
};

static int lock_fd(int fd, struct wait *wait)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK || wait->timeout_ms == 0)
		return -errno;
	if (wait->on_wait)
		wait->on_wait(wait->name);
	wait->on_wait = NULL;
	if (wait->timeout_ms > 0)
		return poll_lock(fd, wait->deadline);
	return flock(fd, LOCK_EX) == 0 ? 0 : -errno;
}

/* Whoever held the lock before may have removed the file, and a third process may have made a new
 * one: the lock counts only while the name still leads to the file we hold. */
static bool still_named(int dir_fd, const char *name, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && fstatat(dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

int lock_take(int dir_fd, const char *name, int timeout_ms, void (*on_wait)(const char *name),
	struct error *err)
{
	struct wait wait = {
		.name = name,
		.timeout_ms = timeout_ms,
		.deadline = time_monotonic() + timeout_ms * NS_PER_MS,
		.on_wait = on_wait,
	};

	for (;;) {
		cleanup_fd int fd = -1;
		int r;

		fd = file_open(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0600, err);
		if (fd < 0)
			return fd;
		r = lock_fd(fd, &wait);
		if (r == -EWOULDBLOCK)
			return error_set(err, r, "lock '%s': held by another process", name);
		if (r < 0)
			return error_sys(err, r, "lock '%s'", name);
		if (still_named(dir_fd, name, fd))
			return steal_fd(&fd);
	}
}

/* proc_locks(5): "1: FLOCK  ADVISORY  WRITE 708 00:13:28838 0 EOF"; who only waits has an arrow
 * before the second word. 0: nobody, or somebody outside of our pid namespace. */
static int find_holder(const struct stat *st, pid_t *ret, struct error *err)
{
	cleanup_free char *table = NULL;
	char *rest = NULL;
	int r = file_read(AT_FDCWD, "/proc/locks", TABLE_MAX, &table, NULL, err);

	*ret = 0;
	if (r < 0)
		return r;
	for (char *line = strtok_r(table, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned int device_major, device_minor;
		unsigned long long inode;
		pid_t pid;

		if (sscanf(line, "%*d: FLOCK %*s WRITE %d %x:%x:%llu", &pid, &device_major,
			    &device_minor, &inode) == 4 &&
			inode == st->st_ino && device_major == major(st->st_dev) &&
			device_minor == minor(st->st_dev))
			*ret = pid;
	}
	return 0;
}

int lock_holder(int dir_fd, const char *name, struct error *err)
{
	cleanup_fd int pidfd = -1;
	pid_t pid, again;
	struct stat st;
	int r;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "lock '%s'", name);
	r = find_holder(&st, &pid, err);
	if (r < 0)
		return r;
	pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (pidfd < 0)
		return error_set(err, -ESRCH, "lock '%s': its holder is not to be found", name);
	/* Looked at again: who holds it now has been the holder when the pidfd was made. */
	r = find_holder(&st, &again, err);
	if (r < 0)
		return r;
	if (again != pid)
		return error_set(err, -ESRCH, "lock '%s': its holder is not to be found", name);
	return steal_fd(&pidfd);
}
