/* SPDX-License-Identifier: GPL-2.0-or-later
 * files.h - files, directories and locks, always relative to a directory fd.
 *
 * Every fd is close-on-exec from birth. Names are taken literally; where a path lies under
 * something a container or an image controls, use open_in_root/open_beneath (openat2(2)). */
#ifndef MYCOMPOSE_BASE_FILES_H
#define MYCOMPOSE_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"

/* openat with O_CLOEXEC; the error names the path as given. Returns the fd. */
int file_open(int dir_fd, const char *path, int flags, mode_t mode, struct error *err);

/* Resolve `path` as if `root_fd` were "/" (symlinks too) / refuse to leave it. No magic links.
 * Returns the fd. */
int file_open_in_root(int root_fd, const char *path, int flags, mode_t mode, struct error *err);
int file_open_beneath(int root_fd, const char *path, int flags, mode_t mode, struct error *err);

/* Read a whole regular file (or a file of proc/sys) of at most `limit` bytes into a heap string,
 * NUL added. Opened non-blocking; a FIFO, device or directory is refused with -EINVAL. -EFBIG when
 * larger. */
int file_read(int dir_fd, const char *path, size_t limit, char **ret_data, size_t *ret_length,
	struct error *err);
/* The same from an open fd, from its present offset; no check of the file type. */
int fd_read_all(int fd, size_t limit, struct strbuf *buf, struct error *err);
/* Write all bytes, going on after short writes and EINTR. */
int fd_write_all(int fd, const void *bytes, size_t length, struct error *err);

/* Write a short value to an existing file of proc/sys/cgroup in one write(2). */
int file_write_value(int dir_fd, const char *path, const char *value, struct error *err);

enum file_durability {
	FILE_VOLATILE, /* temp + rename: a reader sees old or new */
	FILE_DURABLE,  /* also fsync of file and directory: survives power loss */
};
/* Replace `name` (no slash) in `dir_fd` atomically; the mode is as given, whatever the umask. Dying
 * on the way may leave a file ".tmp-<16 hex digits>" beside it, which never counts as anything's
 * name. */
int file_replace(int dir_fd, const char *name, const void *bytes, size_t length, mode_t mode,
	enum file_durability durability, struct error *err);

/* Remove what file_replace left in the directory when it died. Only under the lock that all its
 * writers in that directory hold. Absent directory: success. */
int file_sweep_temporaries(int dir_fd, const char *path, struct error *err);

/* mkdir -p below dir_fd; existing directories are fine and keep their mode, new ones get `mode`
 * whatever the umask. */
int dir_make(int dir_fd, const char *path, mode_t mode, struct error *err);
/* dir_make and open it O_DIRECTORY. Returns the fd. */
int dir_make_open(int dir_fd, const char *path, mode_t mode, struct error *err);
/* Names in the directory without "." and "..", in byte order. Absent directory: empty list. */
int dir_list(int dir_fd, const char *path, char ***ret_names, struct error *err);
/* Remove a file or tree; follows no link and crosses no mount (-EXDEV, nothing below the mount is
 * touched). Absent is success. Deep trees do not recurse on the stack. */
int tree_remove(int dir_fd, const char *path, struct error *err);

/* flock(2) LOCK_EX on `name` (created 0600). Waits at most timeout_ms (-1 for ever, 0 = try);
 * -EWOULDBLOCK then, -EINTR when a signal handler ran meanwhile. The lock lives as long as the
 * returned fd. `on_wait` (may be NULL) is called once before waiting. */
int lock_take(int dir_fd, const char *name, int timeout_ms, void (*on_wait)(const char *name),
	struct error *err);
/* A pidfd of who has taken that lock; -ESRCH when nobody holds it, or nobody in our pid namespace.
 */
int lock_holder(int dir_fd, const char *name, struct error *err);

/* "[a-zA-Z0-9][a-zA-Z0-9_.-]*", at most 200 bytes: what may become a path component of ours. */
bool name_is_safe(const char *name);

#endif
