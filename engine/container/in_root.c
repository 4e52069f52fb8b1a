/* SPDX-License-Identifier: GPL-2.0-or-later
 * in_root.c - resolve and make paths inside a root file system. */
#include "engine/container/in_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define ROUNDS_MAX 512 /* missing parts and links of one path */

int in_root_find(int root_fd, const char *path, struct error *err)
{
	return file_open_in_root(root_fd, path, O_PATH, 0, err);
}

/* The longest leading part of `path` that is an existing directory. *ret_rest points at the first
 * missing component. */
static int existing_part(
	int root_fd, const char *path, char **ret_part, const char **ret_rest, struct error *err)
{
	size_t length = strlen(path);

	for (;;) {
		cleanup_free char *part = NULL;
		int fd;

		while (length > 0 && path[length - 1] != '/')
			length--;
		part = length > 0 ? xstrndup(path, length) : xstrdup("/");
		fd = file_open_in_root(root_fd, part, O_PATH | O_DIRECTORY, 0, err);
		if (fd >= 0 || err->code != -ENOENT || length <= 1) {
			*ret_part = steal_ptr(part);
			*ret_rest = path + length;
			return fd;
		}
		while (length > 0 && path[length - 1] == '/')
			length--;
	}
}

static int make_one(int dir_fd, const char *name, bool directory, struct error *err)
{
	int r = directory ? mkdirat(dir_fd, name, 0755) : mknodat(dir_fd, name, S_IFREG | 0644, 0);

	/* EEXIST: somebody who shares the volume was faster; the next look decides. */
	return r < 0 && errno != EEXIST ? error_sys(err, -errno, "make '%s'", name) : 0;
}

/* Replace *path by the path that the dangling link `name` in the directory `part` stands for. */
static int follow_link(
	int dir_fd, const char *part, const char *name, const char *rest, char **path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);
	char *longer;

	if (n < 0)
		return -errno;
	target[n] = '\0';
	longer = target[0] == '/' ? xasprintf("%s/%s", target, rest)
				  : xasprintf("%s/%s/%s", part, target, rest);
	if (strlen(longer) >= PATH_MAX) {
		free(longer);
		return -ENAMETOOLONG;
	}
	free(*path);
	*path = longer;
	return 0;
}

/* One step towards *path being there: make its first missing component, or look through the link
 * that stands in its place. */
static int make_step(int root_fd, char **path, bool directory, struct error *err)
{
	cleanup_free char *part = NULL, *name = NULL;
	cleanup_fd int dir_fd = -1;
	const char *rest, *after;
	struct stat st;

	dir_fd = existing_part(root_fd, *path, &part, &rest, err);
	if (dir_fd < 0)
		return dir_fd;
	name = xstrndup(rest, strcspn(rest, "/"));
	after = rest + strlen(name);
	after += strspn(after, "/");
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
		int r = follow_link(dir_fd, part, name, after, path);

		return r < 0 ? error_sys(err, r, "link '%s'", name) : 0;
	}
	return make_one(dir_fd, name, *after || directory, err);
}

static int check_kind(int fd, const char *path, bool directory, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "%s", path);
	if (S_ISDIR(st.st_mode) == directory)
		return 0;
	if (directory)
		return error_set(err, -ENOTDIR, "%s is not a directory in the container", path);
	return error_set(err, -EISDIR, "%s is a directory in the container", path);
}

static char *without_trailing_slashes(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return xstrndup(path, length);
}

int in_root_make(int root_fd, const char *path, bool directory, struct error *err)
{
	cleanup_free char *wanted = without_trailing_slashes(path);
	cleanup_error struct error local = ERROR_INIT;
	cleanup_fd int fd = -1;

	for (int round = 0;; round++) {
		char *shorter;
		int r;

		fd = in_root_find(root_fd, wanted, &local);
		if (fd >= 0)
			break;
		r = local.code;
		if (r == -ENOENT && round < ROUNDS_MAX)
			r = make_step(root_fd, &wanted, directory, &local);
		if (r < 0)
			return error_move(err, &local);
		shorter = without_trailing_slashes(wanted);
		free(wanted);
		wanted = shorter;
	}
	if (check_kind(fd, path, directory, err) < 0)
		return err ? err->code : -ENOTDIR;
	return steal_fd(&fd);
}

int in_root_plain_directory(int root_fd, const char *name, struct error *err)
{
	struct stat st;
	int fd;

	if (mkdirat(root_fd, name, 0755) < 0 && errno != EEXIST)
		return error_sys(err, -errno, "make /%s", name);
	fd = openat(root_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "open /%s", name);
	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		close(fd);
		return error_set(err, -ENOTDIR,
			"the image's /%s is not a directory (a link there is not followed)", name);
	}
	return fd;
}
