/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_copy.c - copy a directory tree by fds, one component at a time. */
#include "engine/container/tree_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"

#define DEPTH_MAX   128 /* every level holds two fds open */
#define BUFFER_SIZE 65536

struct copy {
	int root_fd;	     /* of the target */
	struct strmap links; /* "DEV:INODE" of a file with several names -> its first copy's path */
	struct error *err;
};

struct level {
	int src_fd;
	int dst_fd;
	const char *path; /* below the root; "" = the root itself */
	int depth;
};

struct entry {
	const char *name;
	char *path; /* below the root */
	struct stat st;
};

static int failed(const struct copy *copy, const struct entry *entry, const char *what)
{
	return error_sys(copy->err, -errno, "%s '%s'", what, entry->path);
}

static int copy_by_buffer(int src_fd, int dst_fd, off_t at, off_t end)
{
	char buffer[BUFFER_SIZE];

	while (at < end) {
		size_t want = end - at < BUFFER_SIZE ? (size_t)(end - at) : BUFFER_SIZE;
		ssize_t got = pread(src_fd, buffer, want, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : 0; /* shorter than it was: as it is */
		for (ssize_t done = 0; done < got;) {
			ssize_t put =
				pwrite(dst_fd, buffer + done, (size_t)(got - done), at + done);

			if (put < 0 && errno != EINTR)
				return -1;
			done += put > 0 ? put : 0;
		}
		at += got;
	}
	return 0;
}

/* In the kernel, shared extents where the file system can; by hand where it cannot
 * (copy_file_range(2) tells by these). */
static int copy_range(int src_fd, int dst_fd, off_t at, off_t end)
{
	off_t from = at, to = at;

	while (from < end) {
		ssize_t n = copy_file_range(src_fd, &from, dst_fd, &to, (size_t)(end - from), 0);

		if (n == 0)
			return 0;
		if (n > 0 || errno == EINTR)
			continue;
		if (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS ||
			errno == EPERM)
			return copy_by_buffer(src_fd, dst_fd, from, end);
		return -1;
	}
	return 0;
}

/* Range by range, so that a hole stays one. */
static int copy_data(int src_fd, int dst_fd, off_t size)
{
	for (off_t at = 0; at < size;) {
		off_t data = lseek(src_fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(src_fd, data, SEEK_HOLE);

		if (data < 0 && errno == ENXIO)
			break; /* nothing but a hole follows */
		if (hole < 0) {
			data = at;
			hole = size;
		}
		if (copy_range(src_fd, dst_fd, data, hole) < 0)
			return -1;
		at = hole;
	}
	return ftruncate(dst_fd, size);
}

static int copy_regular(struct copy *copy, const struct level *level, const struct entry *entry)
{
	cleanup_fd int src_fd = -1, dst_fd = -1;
	struct stat st;
	int r;

	src_fd = openat(level->src_fd, entry->name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (src_fd < 0 || fstat(src_fd, &st) < 0)
		return failed(copy, entry, "open");
	if (!S_ISREG(st.st_mode))
		return error_set(
			copy->err, -EAGAIN, "'%s' changed while it was copied", entry->path);
	dst_fd = openat(level->dst_fd, entry->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (dst_fd < 0)
		return failed(copy, entry, "create");
	if (copy_data(src_fd, dst_fd, st.st_size) < 0)
		return failed(copy, entry, "copy");
	r = tree_copy_attributes(src_fd, dst_fd, copy->err);
	if (r < 0)
		error_wrap(copy->err, "copy '%s'", entry->path);
	return r;
}

/* What is not entered or read: made anew, then given its owner, mode and times by name. */
static int copy_node(struct copy *copy, const struct level *level, const struct entry *entry)
{
	const struct stat *st = &entry->st;
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[PATH_MAX];
	ssize_t length;
	int r;

	if (S_ISLNK(st->st_mode)) {
		length = readlinkat(level->src_fd, entry->name, target, sizeof(target) - 1);
		if (length < 0)
			return failed(copy, entry, "read link");
		target[length] = '\0';
		r = symlinkat(target, level->dst_fd, entry->name);
	} else {
		r = mknodat(level->dst_fd, entry->name, (st->st_mode & S_IFMT) | 0600, st->st_rdev);
	}
	if (r < 0)
		return failed(copy, entry, "create");
	if (fchownat(level->dst_fd, entry->name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(copy, entry, "set the owner of");
	if (!S_ISLNK(st->st_mode) &&
		fchmodat(level->dst_fd, entry->name, st->st_mode & 07777, 0) < 0)
		return failed(copy, entry, "set the mode of");
	if (utimensat(level->dst_fd, entry->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(copy, entry, "set the times of");
	return 0;
}

/* 1 when the entry is another name of a file already copied, and linked to that. A first copy whose
 * path is too long to be named, or that has its full number of links, is copied once more. */
static int copy_link(struct copy *copy, const struct level *level, const struct entry *entry)
{
	char key[64];
	const char *first;

	if (entry->st.st_nlink < 2)
		return 0;
	snprintf(key, sizeof(key), "%ju:%ju", (uintmax_t)entry->st.st_dev,
		(uintmax_t)entry->st.st_ino);
	first = strmap_get(&copy->links, key);
	if (!first) {
		strmap_set(&copy->links, key, xstrdup(entry->path));
		return 0;
	}
	if (linkat(copy->root_fd, first, level->dst_fd, entry->name, 0) == 0)
		return 1;
	return errno == ENAMETOOLONG || errno == EMLINK ? 0 : failed(copy, entry, "link");
}

static int copy_level(struct copy *copy, const struct level *level);

static int copy_directory(struct copy *copy, const struct level *level, const struct entry *entry)
{
	cleanup_fd int src_fd = -1, dst_fd = -1;
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

	if (level->depth >= DEPTH_MAX)
		return error_set(copy->err, -ELOOP, "'%s' is nested more than %d directories deep",
			entry->path, DEPTH_MAX);
	src_fd = openat(level->src_fd, entry->name, flags);
	if (src_fd < 0)
		return failed(copy, entry, "open");
	if (mkdirat(level->dst_fd, entry->name, 0700) < 0)
		return failed(copy, entry, "create");
	dst_fd = openat(level->dst_fd, entry->name, flags);
	if (dst_fd < 0)
		return failed(copy, entry, "open the copy of");

	const struct level below = { src_fd, dst_fd, entry->path, level->depth + 1 };

	return copy_level(copy, &below);
}

static int copy_entry(struct copy *copy, const struct level *level, const struct entry *entry)
{
	if (S_ISDIR(entry->st.st_mode))
		return copy_directory(copy, level, entry);
	int r = copy_link(copy, level, entry);

	if (r != 0)
		return r < 0 ? r : 0;
	return S_ISREG(entry->st.st_mode) ? copy_regular(copy, level, entry)
					  : copy_node(copy, level, entry);
}

static int copy_level(struct copy *copy, const struct level *level)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(level->src_fd, ".", &names, copy->err);

	for (char **name = names; r == 0 && name && *name; name++) {
		cleanup_free char *path =
			xasprintf("%s%s%s", level->path, *level->path ? "/" : "", *name);
		struct entry entry = { .name = *name, .path = path };

		if (fstatat(level->src_fd, *name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
			r = failed(copy, &entry, "stat");
		else
			r = copy_entry(copy, level, &entry);
	}
	if (r < 0)
		return r;
	r = tree_copy_attributes(level->src_fd, level->dst_fd, copy->err);
	if (r < 0)
		error_wrap(copy->err, "copy '%s'", *level->path ? level->path : ".");
	return r;
}

int tree_copy(int src_fd, int dst_fd, struct error *err)
{
	struct copy copy = { .root_fd = dst_fd, .err = err };
	const struct level top = { src_fd, dst_fd, "", 0 };
	int r = copy_level(&copy, &top);

	strmap_release_with(&copy.links, free);
	return r;
}
