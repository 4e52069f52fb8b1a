/* SPDX-License-Identifier: GPL-2.0-or-later
 * directories.c - make directories, list them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* Make `name` if absent, and open it, perhaps O_PATH. What we make gets its mode whatever the umask
 * is; what was there keeps its own. */
static int enter(int dir_fd, const char *name, mode_t mode)
{
	cleanup_fd int fd = -1;
	int cause;

	if (mkdirat(dir_fd, name, mode) == 0) {
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 || fchmod(fd, mode) < 0 ? -errno : steal_fd(&fd);
	}
	/* What may not be made (EROFS, EACCES) may still be there. If it is not, the first failure
	 * is the one to tell. */
	cause = errno;
	fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && cause != EEXIST ? -cause : -errno;
	return steal_fd(&fd);
}

/* Walk the path, making what is absent. Returns an fd of the last directory, perhaps O_PATH. */
static int walk_and_make(int dir_fd, const char *path, mode_t mode, struct error *err)
{
	cleanup_fd int at_fd = -1;
	cleanup_strv char **names = strv_split(path, "/");

	if (!*path)
		return error_sys(err, -ENOENT, "create directory ''");
	at_fd = openat(dir_fd, *path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at_fd < 0)
		return error_sys(err, -errno, "create directory '%s'", path);
	for (char **name = names; name && *name; name++) {
		int fd = enter(at_fd, *name, mode);

		if (fd < 0)
			return error_sys(err, fd, "create directory '%s'", path);
		close_fd(&at_fd);
		at_fd = fd;
	}
	return steal_fd(&at_fd);
}

int dir_make(int dir_fd, const char *path, mode_t mode, struct error *err)
{
	cleanup_fd int fd = walk_and_make(dir_fd, path, mode, err);

	return fd < 0 ? fd : 0;
}

int dir_make_open(int dir_fd, const char *path, mode_t mode, struct error *err)
{
	cleanup_fd int made_fd = walk_and_make(dir_fd, path, mode, err);
	int fd;

	if (made_fd < 0)
		return made_fd;
	fd = openat(made_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_sys(err, -errno, "open '%s'", path) : fd;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int dir_list(int dir_fd, const char *path, char ***ret_names, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	cleanup_strv char **names = NULL;
	const struct dirent *entry;
	size_t count = 0;

	if (fd < 0 && errno == ENOENT) {
		*ret_names = NULL;
		return 0;
	}
	if (fd < 0 || !(dir = fdopendir(fd)))
		return error_sys(err, -errno, "open '%s'", path);
	steal_fd(&fd);
	array_add(names,
		count); /* a NULL at the end from the start: the vector is whole at any time */
	while (errno = 0, (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		array_add(names, count);
		names[count - 2] = xstrdup(entry->d_name);
	}
	if (errno != 0)
		return error_sys(err, -errno, "read '%s'", path);
	strv_sort(names);
	*ret_names = steal_ptr(names);
	return 0;
}
