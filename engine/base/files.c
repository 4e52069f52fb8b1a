/* SPDX-License-Identifier: GPL-2.0-or-later
 * files.c - open, read, write and replace single files. */
#include "engine/base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define TEMPORARY_PREFIX ".tmp-" /* then 16 hex digits */

int file_open(int dir_fd, const char *path, int flags, mode_t mode, struct error *err)
{
	int fd;

	do {
		fd = openat(dir_fd, path, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? error_sys(err, -errno, "open '%s'", path) : fd;
}

/* openat2 answers EAGAIN when a rename or mount elsewhere crossed a ".." of the walk (openat2(2)):
 * the walk is then made again, but not for ever, for whoever owns the tree may rename without
 * pause. */
#define RESOLVE_ATTEMPTS 256

static int open_resolved(
	int root_fd, const char *path, int flags, mode_t mode, uint64_t resolve, struct error *err)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	/* openat(2) ignores a mode it has no use for, openat2(2) refuses it. */
	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode;
	for (int i = 0; i < RESOLVE_ATTEMPTS; i++) {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	if (fd >= 0)
		return fd;
	if (errno == ENOSYS)
		return error_set(
			err, -ENOSYS, "open '%s': this needs openat2(2) of Linux 5.6", path);
	return error_sys(err, -errno, "open '%s'", path);
}

int file_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct error *err)
{
	return open_resolved(root_fd, path, flags, mode, RESOLVE_IN_ROOT, err);
}

int file_open_beneath(int root_fd, const char *path, int flags, mode_t mode, struct error *err)
{
	return open_resolved(root_fd, path, flags, mode, RESOLVE_BENEATH, err);
}

/* Read up to `room` more bytes into the buffer. Returns the count, 0 at the end. */
static ssize_t read_some(int fd, struct strbuf *buf, size_t room)
{
	ssize_t n;

	strbuf_reserve(buf, room);
	do {
		n = read(fd, buf->data + buf->length, room);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		buf->length += (size_t)n;
		buf->data[buf->length] = '\0';
	}
	return n < 0 ? -errno : n;
}

#define READ_LEAST 4096

/* Room that is there already is filled before more is had; that grows with what came so far. */
static size_t next_room(size_t taken, size_t spare)
{
	const size_t most = 1024 * 1024;

	if (spare >= READ_LEAST || (spare > 0 && taken > 0))
		return spare;
	return taken < READ_LEAST ? READ_LEAST : taken > most ? most : taken;
}

int fd_read_all(int fd, size_t limit, struct strbuf *buf, struct error *err)
{
	const size_t start = buf->length;
	ssize_t n;

	strbuf_reserve(buf, 0); /* an empty file gives "" */
	do {
		size_t taken = buf->length - start;
		size_t room = next_room(taken, buf->capacity - buf->length - 1);

		if (room > limit - taken)
			room = limit - taken +
			       1; /* the byte too many tells a file that is larger */
		n = read_some(fd, buf, room);
	} while (n > 0 && buf->length - start <= limit);
	if (n >= 0 && buf->length - start <= limit)
		return 0;
	buf->length = start;
	buf->data[start] = '\0';
	if (n < 0)
		return error_sys(err, (int)n, "read");
	return error_set(err, -EFBIG, "larger than %zu bytes", limit);
}

int file_read(int dir_fd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
	struct error *err)
{
	cleanup_fd int fd = -1;
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	struct stat st;
	int r;

	/* Non-blocking, for the name may be a FIFO that nobody writes to. */
	fd = file_open(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
	if (fd == -ENXIO)
		return error_set(
			err, -EINVAL, "read '%s': not a regular file", path); /* a socket */
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "stat '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "read '%s': not a regular file", path);
	/* One byte more than there should be, so that the end is seen without growing. */
	if (st.st_size >= READ_LEAST && (uint64_t)st.st_size <= limit)
		strbuf_reserve(&buf, (size_t)st.st_size + 1);
	r = fd_read_all(fd, limit, &buf, err);
	if (r < 0) {
		error_wrap(err, "read '%s'", path);
		return r;
	}
	if (ret_length)
		*ret_length = buf.length;
	*ret_data = strbuf_steal(&buf);
	return 0;
}

int fd_write_all(int fd, const void *bytes, size_t length, struct error *err)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_sys(err, n < 0 ? -errno : -EIO, "write");
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int file_write_value(int dir_fd, const char *path, const char *value, struct error *err)
{
	const size_t length = strlen(value);
	cleanup_fd int fd = -1;
	ssize_t n;

	fd = file_open(dir_fd, path, O_WRONLY | O_NOCTTY, 0, err);
	if (fd < 0)
		return fd;
	do {
		n = write(fd, value, length);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, -errno, "write '%s' to '%s'", value, path);
	if ((size_t)n != length)
		return error_set(err, -EIO, "write '%s' to '%s': cut short", value, path);
	return 0;
}

/* A new file beside the one to be replaced, under a name nobody can have prepared. */
static int open_temporary(int dir_fd, char name[static 32], mode_t mode, struct error *err)
{
	int fd;

	do {
		uint64_t random;

		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return error_sys(err, -errno, "get random bytes");
		snprintf(name, 32, TEMPORARY_PREFIX "%016llx", (unsigned long long)random);
		fd = openat(
			dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd < 0 && (errno == EEXIST || errno == EINTR));
	if (fd < 0)
		return error_sys(err, -errno, "create '%s'", name);
	if (fchmod(fd, mode) < 0) { /* the umask has no say: the mode is part of what is written */
		int r = error_sys(err, -errno, "set the mode of '%s'", name);

		close(fd);
		unlinkat(dir_fd, name, 0);
		return r;
	}
	return fd;
}

static bool is_temporary(const char *name)
{
	const size_t length = strlen(TEMPORARY_PREFIX);

	return strncmp(name, TEMPORARY_PREFIX, length) == 0 && strlen(name) == length + 16 &&
	       strspn(name + length, "0123456789abcdef") == 16;
}

int file_sweep_temporaries(int dir_fd, const char *path, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(dir_fd, path, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		cleanup_free char *name = NULL;

		if (!is_temporary(names[i]))
			continue;
		name = xasprintf("%s/%s", path, names[i]);
		if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
			r = error_sys(err, -errno, "remove '%s'", name);
	}
	return r;
}

/* close(2) may be the first to tell of a write that failed later (NFS, quota). */
static int close_written(int *fd, struct error *err)
{
	if (close(steal_fd(fd)) < 0 && errno != EINTR)
		return error_sys(err, -errno, "close");
	return 0;
}

static int sync_directory(int dir_fd, struct error *err)
{
	cleanup_fd int fd = -1;

	/* Opened anew, for dir_fd may be AT_FDCWD or O_PATH. */
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_sys(err, -errno, "sync the directory");
	return 0;
}

static int write_and_rename(int dir_fd, int *fd, const char *temporary, const char *name,
	const void *bytes, size_t length, bool durable, struct error *err)
{
	int r = fd_write_all(*fd, bytes, length, err);

	if (r < 0)
		return r;
	/* Contents before the name: else a crash may leave the new name on an empty file. */
	if (durable && fsync(*fd) < 0)
		return error_sys(err, -errno, "sync");
	r = close_written(fd, err);
	if (r < 0)
		return r;
	if (renameat(dir_fd, temporary, dir_fd, name) < 0)
		return error_sys(err, -errno, "rename '%s'", temporary);
	return 0;
}

int file_replace(int dir_fd, const char *name, const void *bytes, size_t length, mode_t mode,
	enum file_durability durability, struct error *err)
{
	const bool durable = durability == FILE_DURABLE;
	cleanup_fd int fd = -1;
	char temporary[32];
	int r;

	if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, -EINVAL, "write '%s': not a plain file name", name);
	fd = r = open_temporary(dir_fd, temporary, mode, err);
	if (r >= 0) {
		r = write_and_rename(dir_fd, &fd, temporary, name, bytes, length, durable, err);
		if (r < 0)
			unlinkat(dir_fd, temporary, 0);
	}
	if (r >= 0 && durable)
		r = sync_directory(dir_fd, err);
	if (r < 0)
		error_wrap(err, "write '%s'", name);
	return r < 0 ? r : 0;
}

bool name_is_safe(const char *name)
{
	static const char first[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char rest[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);

	return length > 0 && length <= 200 && strchr(first, name[0]) &&
	       strspn(name, rest) == length;
}
