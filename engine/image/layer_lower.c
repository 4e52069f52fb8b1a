/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_lower.c - look through the layers below, by overlay's rules: a file, link or whiteout hides
 * what is under it, an opaque directory ends the merge. */
#include "engine/image/layer_lower.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/memory.h"

void lower_dirs_release(struct lower_dirs *dirs)
{
	for (size_t i = 0; i < dirs->count; i++)
		close(dirs->fds[i]);
	free(dirs->fds);
	*dirs = (struct lower_dirs){ 0 };
}

bool directory_is_opaque(int dir_fd)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char value[2];

	return fd >= 0 && fgetxattr(fd, OPAQUE_XATTR, value, sizeof(value)) == 1 && value[0] == 'y';
}

int lower_dirs_enter(struct lower_dirs *dirs, const char *name)
{
	size_t kept = 0;
	bool is_end = false;
	int other_fd = -1;

	for (size_t i = 0; i < dirs->count; i++) {
		cleanup_fd int above_fd = dirs->fds[i];
		cleanup_fd int fd = -1;
		struct stat st;

		if (is_end)
			continue;
		fd = openat(above_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			continue;
		if (!S_ISDIR(st.st_mode)) {
			is_end = true;
			if (kept == 0)
				other_fd = steal_fd(&fd);
			continue;
		}
		is_end = directory_is_opaque(fd);
		dirs->fds[kept++] = steal_fd(&fd);
	}
	dirs->count = kept;
	return other_fd;
}

static void drop_all(struct lower_dirs *dirs)
{
	while (dirs->count > 0)
		close(dirs->fds[--dirs->count]);
}

void lower_dirs_start(struct lower_dirs *dirs, const struct layer_place *place, const char *path)
{
	cleanup_free char *rest = xstrdup(path);
	cleanup_fd int own_fd = openat(place->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *position = NULL;

	lower_dirs_release(dirs);
	dirs->fds = xcalloc(place->lower_count + 1, sizeof(*dirs->fds));
	for (size_t i = 0; i < place->lower_count; i++) {
		int fd = openat(place->lower_fds[i], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			dirs->fds[dirs->count++] = fd;
	}
	for (char *name = strtok_r(rest, "/", &position); name && dirs->count > 0;
		name = strtok_r(NULL, "/", &position)) {
		int next_fd = own_fd < 0 ? -1
					 : openat(own_fd, name,
						   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		cleanup_fd int other_fd = lower_dirs_enter(dirs, name);

		close_fd(&own_fd);
		own_fd = next_fd;
		if (own_fd >= 0 && directory_is_opaque(own_fd))
			drop_all(dirs);
	}
}
