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

int output_file_open(const char *path, struct output_file *ret, struct error *err)
{
	struct output_file file = OUTPUT_FILE_INIT;
	struct stat st;
	int r = 0;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		file.fd = file_open(AT_FDCWD, path, O_WRONLY, 0, err);
		r = file.fd < 0 ? file.fd : 0;
	} else {
		r = open_beside(path, &file, err);
	}
	if (r < 0) {
		output_file_release(&file);
		return r;
	}
	*ret = file;
	return 0;
}

int output_file_commit(struct output_file *file, struct error *err)
{
	if (file->dir_fd < 0) {
		close_fd(&file->fd);
		return 0;
	}
	if (fsync(file->fd) < 0)
		return error_sys(err, -errno, "write '%s'", file->name);
	if (renameat(file->dir_fd, file->temp_name, file->dir_fd, file->name) < 0)
		return error_sys(err, -errno, "rename to '%s'", file->name);
	free(file->temp_name);
	file->temp_name = NULL;
	return 0;
}

void output_file_release(struct output_file *file)
{
	close_fd(&file->fd);
	if (file->dir_fd >= 0 && file->temp_name)
		unlinkat(file->dir_fd, file->temp_name, 0);
	close_fd(&file->dir_fd);
	free(file->name);
	free(file->temp_name);
	*file = (struct output_file)OUTPUT_FILE_INIT;
}
