/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_size.c - walk a tree by directory fds and add up. */
#include "cmd/tree_size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Directories still to be read, as paths from the top: a tree deeper than PATH_MAX ends there. */
struct walk {
	int top_fd;
	dev_t device;
	char **pending;
	uint64_t bytes;
};

static void count_entry(struct walk *walk, DIR *dir, const char *path, const char *name)
{
	struct stat st;

	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode))
		walk->bytes += (uint64_t)st.st_size;
	else if (S_ISDIR(st.st_mode) && st.st_dev == walk->device)
		strv_take(&walk->pending, xasprintf("%s/%s", path, name));
}

static int read_directory(struct walk *walk, const char *path, struct error *err)
{
	/* The container may be swapping directories for links while we walk. */
	int fd = file_open_beneath(walk->top_fd, path, DIR_FLAGS, 0, err);
	struct dirent *entry;
	DIR *dir;

	if (fd == -ENOENT || fd == -ENAMETOOLONG || fd == -ELOOP || fd == -ENOTDIR) {
		error_release(err);
		return 0;
	}
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		int r = error_sys(err, -errno, "read '%s'", path);

		close(fd);
		return r;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			count_entry(walk, dir, path, entry->d_name);
	closedir(dir);
	return 0;
}

int tree_size(int dir_fd, const char *path, uint64_t *ret_bytes, struct error *err)
{
	cleanup_fd int top_fd = openat(dir_fd, path, DIR_FLAGS);
	struct walk walk = { .top_fd = top_fd };
	cleanup_error struct error own = ERROR_INIT;
	struct stat st;
	int r = 0;

	if (top_fd < 0 && errno == ENOENT) {
		*ret_bytes = 0;
		return 0;
	}
	if (top_fd < 0 || fstat(top_fd, &st) < 0)
		return error_sys(err, -errno, "open '%s'", path);
	walk.device = st.st_dev;
	strv_add(&walk.pending, ".");
	for (size_t length = 1; r == 0 && length; length = strv_length(walk.pending)) {
		cleanup_free char *next = walk.pending[length - 1];

		walk.pending[length - 1] = NULL;
		r = read_directory(&walk, next, &own);
	}
	strv_free(walk.pending);
	if (r < 0)
		return err ? error_move(err, &own) : r;
	*ret_bytes = walk.bytes;
	return 0;
}
