/* SPDX-License-Identifier: GPL-2.0-or-later
 * output_file.c - temporary file, fsync, rename. */
#include "cmd/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"

struct output_file {
	int fd;
	int dir_fd;	 /* -1: written in place (a device, a FIFO) */
	char *name;	 /* in dir_fd */
	char *temp_name; /* in dir_fd */
};
#define OUTPUT_FILE_INIT           \
	{                          \
		-1, -1, NULL, NULL \
	}

#define NEW_FILE_MODE 0666 /* less the umask, as for any program's output */

static int open_beside(const char *path, struct output_file *file, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	char id[ID_LENGTH + 1];

	id_random(id);
	file->name = xstrdup(slash ? slash + 1 : path);
	if (!*file->name)
		return error_set(err, -EISDIR, "'%s' is a directory", path);
	file->temp_name = xasprintf(".%.100s.%.16s", file->name, id);
	file->dir_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (file->dir_fd < 0)
		return file->dir_fd;
	file->fd = openat(file->dir_fd, file->temp_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		NEW_FILE_MODE);
	return file->fd < 0 ? error_sys(err, -errno, "create '%s'", path) : 0;
}

/* A temporary file beside `path`, or `path` itself where it is no regular file. */
static int output_file_open(const char *path, struct output_file *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return open_beside(path, ret, err);
	ret->fd = file_open(AT_FDCWD, path, O_WRONLY, 0, err);
	return ret->fd < 0 ? ret->fd : 0;
}

static int output_file_commit(struct output_file *file, struct error *err)
{
	if (file->dir_fd < 0)
		return 0;
	if (fsync(file->fd) < 0)
		return error_sys(err, -errno, "write '%s'", file->name);
	if (renameat(file->dir_fd, file->temp_name, file->dir_fd, file->name) < 0)
		return error_sys(err, -errno, "rename to '%s'", file->name);
	free(file->temp_name);
	file->temp_name = NULL;
	return 0;
}

/* Removes what was not committed. */
static void output_file_release(struct output_file *file)
{
	close_fd(&file->fd);
	if (file->dir_fd >= 0 && file->temp_name)
		unlinkat(file->dir_fd, file->temp_name, 0);
	close_fd(&file->dir_fd);
	free(file->name);
	free(file->temp_name);
}

int output_file_write(const char *path, output_writer write, void *arg, struct error *err)
{
	struct output_file file = OUTPUT_FILE_INIT;
	int r = output_file_open(path, &file, err);

	if (r == 0)
		r = write(file.fd, arg, err);
	if (r == 0)
		r = output_file_commit(&file, err);
	output_file_release(&file);
	return r;
}

int output_archive_write(const char *path, output_writer write, void *arg, struct error *err)
{
	if (path)
		return output_file_write(path, write, arg, err);
	if (isatty(STDOUT_FILENO))
		return error_set(err, -EINVAL,
			"cowardly refusing to save to a terminal. Use the -o flag or redirect");
	return write(STDOUT_FILENO, arg, err);
}
