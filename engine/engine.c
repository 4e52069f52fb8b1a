/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.c - make, check and open the two roots that everything of ours lies below. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define ROOT_MODE 0700

/* Layers hold set-user-id files of strangers: nobody but the owner may walk in (CVE-2021-41091).
 * An empty directory is taken over whatever its mode (a fresh tmpfs is 1777); in a filled one that
 * others can write, somebody else may have planted our names, and one that is merely readable
 * by others may be a directory of the user's that is not ours to close. */
static int root_secure(int root_fd, const char *path, struct error *err)
{
	cleanup_strv char **names = NULL;
	struct stat st;

	if (fstat(root_fd, &st) < 0)
		return error_sys(err, -errno, "cannot stat %s", path);
	if (st.st_uid != geteuid())
		return error_set(err, -EPERM, "%s belongs to user %u, not to user %u who runs this",
			path, st.st_uid, geteuid());
	if ((st.st_mode & 0777) == ROOT_MODE)
		return 0;
	int r = dir_list(root_fd, ".", &names, err);
	if (r < 0)
		return r;
	if (strv_length(names) > 0)
		return (st.st_mode & 0022)
			       ? error_set(err, -EPERM,
					 "%s is writable by others (mode %04o); make it "
					 "0700 or choose another directory",
					 path, st.st_mode & 07777)
			       : 0;
	if (fchmod(root_fd, ROOT_MODE) < 0)
		return error_sys(err, -errno, "cannot set the mode of %s", path);
	return 0;
}

static int root_open(const char *path, int *ret_fd, char **ret_path, struct error *err)
{
	int r = dir_make(AT_FDCWD, path, ROOT_MODE, err);
	cleanup_fd int fd = -1;

	if (r == 0)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = -errno;
	if (r == -EACCES || r == -EPERM)
		return error_set(err, r, "cannot open %s: %s%s", path, strerror(-r),
			geteuid() == 0 ? "" : " (mycompose needs root: try sudo)");
	if (r < 0)
		return error_sys(err, r, "cannot open %s", path);
	r = root_secure(fd, path, err);
	if (r < 0)
		return r;

	cleanup_free char *absolute = realpath(path, NULL);
	if (!absolute)
		return error_sys(err, -errno, "cannot resolve %s", path);
	*ret_path = steal_ptr(absolute);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int engine_open(
	struct engine *engine, const char *data_path, const char *run_path, struct error *err)
{
	struct engine opened = ENGINE_INIT;
	int r;

	opened.cgroup_parent = engine->cgroup_parent;
	/* The run root first: it is the one everybody has to write, so its message is the plainer.
	 */
	r = root_open(run_path, &opened.run_fd, &opened.run_path, err);
	if (r == 0)
		r = root_open(data_path, &opened.data_fd, &opened.data_path, err);
	if (r < 0) {
		engine_release(&opened);
		return r;
	}
	*engine = opened;
	return 0;
}

void engine_release(struct engine *engine)
{
	close_fd(&engine->data_fd);
	close_fd(&engine->run_fd);
	free(engine->data_path);
	free(engine->run_path);
	engine->data_path = NULL;
	engine->run_path = NULL;
}
