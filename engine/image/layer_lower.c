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

/* What one layer has under that name: 1 a directory, 0 nothing, 2 something else; ret_fd is O_PATH.
 */
static int look_into(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "look for '%s' in the layers below", name);
	*ret_fd = steal_fd(&fd);
	return S_ISDIR(st.st_mode) ? 1 : 2;
}

int lower_dirs_enter(
	struct lower_dirs *dirs, const char *name, int *ret_other_fd, struct error *err)
{
	struct lower_dirs below = { .fds = xcalloc(dirs->count + 1, sizeof(*below.fds)) };
	cleanup_fd int other_fd = -1;
	bool is_end = false;

	for (size_t i = 0; i < dirs->count && !is_end; i++) {
		int fd = -1;
		int kind = look_into(dirs->fds[i], name, &fd, err);

		if (kind < 0) {
			lower_dirs_release(&below);
			return kind;
		}
		if (kind == 1) {
			below.fds[below.count++] = fd;
			is_end = directory_is_opaque(fd);
		} else if (kind == 2) {
			is_end = true;
			if (below.count == 0)
				other_fd = fd;
			else
				close(fd);
		}
	}
	lower_dirs_release(dirs);
	*dirs = below;
	*ret_other_fd = steal_fd(&other_fd);
	return 0;
}

static int start_at_root(
	struct lower_dirs *dirs, const struct layer_place *place, struct error *err)
{
	lower_dirs_release(dirs);
	dirs->fds = xcalloc(place->lower_count + 1, sizeof(*dirs->fds));
	for (size_t i = 0; i < place->lower_count; i++) {
		int fd = openat(place->lower_fds[i], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return error_sys(err, -errno, "open the layers below");
		dirs->fds[dirs->count++] = fd;
	}
	return 0;
}

int lower_dirs_start(struct lower_dirs *dirs, const struct layer_place *place, const char *path,
	struct error *err)
{
	cleanup_free char *rest = xstrdup(path);
	cleanup_fd int own_fd = openat(place->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *position = NULL;
	int r = start_at_root(dirs, place, err);

	for (char *name = strtok_r(rest, "/", &position); r == 0 && name && dirs->count > 0;
		name = strtok_r(NULL, "/", &position)) {
		cleanup_fd int other_fd = -1;
		cleanup_fd int at_fd = steal_fd(&own_fd);

		if (at_fd >= 0)
			own_fd = openat(at_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = lower_dirs_enter(dirs, name, &other_fd, err);
		if (own_fd >= 0 && directory_is_opaque(own_fd))
			lower_dirs_release(dirs);
	}
	return r;
}
