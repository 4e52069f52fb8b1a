/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_remove.c - remove a tree that strangers filled.
 *
 * Three things may not happen: leaving the tree by a symlink, reaching what is mounted in it, and
 * running out of stack or file descriptors because the tree is deep. So every directory is opened
 * by openat2(2) with RESOLVE_NO_SYMLINKS and RESOLVE_NO_XDEV, the way down is a stack on the heap,
 * and only its last OPEN_LEVELS levels keep their directory open. A level further up is opened
 * again through ".." when the walk comes back, and must then be the directory it was. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define OPEN_LEVELS 32
/* How often a directory that was read to its end and still is not empty is read again. */
#define RESCANS 64

struct level {
	char *name; /* in the level above */
	DIR *dir;   /* NULL while closed */
	dev_t dev;
	ino_t ino;
	int scans;
};

struct walk {
	int parent_fd; /* of the topmost level; the caller's */
	struct level *levels;
	size_t count;
};

static void walk_release(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (walk->levels[i].dir)
			closedir(walk->levels[i].dir);
		free(walk->levels[i].name);
	}
	free(walk->levels);
}

static int open_inside(int dir_fd, const char *name, int flags)
{
	struct open_how how = {
		.flags = O_NOFOLLOW | O_CLOEXEC | (unsigned int)flags,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do {
		fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));
	} while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* Takes the fd over. */
static int level_open(struct level *level, int fd)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0 || !(level->dir = fdopendir(fd))) {
		r = -errno;
		close(fd);
		return r;
	}
	level->dev = st.st_dev;
	level->ino = st.st_ino;
	return 0;
}

static int fd_of_level(const struct walk *walk, size_t index)
{
	return index == 0 ? walk->parent_fd : dirfd(walk->levels[index - 1].dir);
}

/* Go down into `name`, which lies in the last level. */
static int walk_enter(struct walk *walk, const char *name)
{
	struct level *level;
	int r, fd = open_inside(fd_of_level(walk, walk->count), name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	level = array_add(walk->levels, walk->count);
	level->name = xstrdup(name);
	r = level_open(level, fd);
	if (r < 0)
		return r;
	if (walk->count > OPEN_LEVELS) {
		level = &walk->levels[walk->count - 1 - OPEN_LEVELS];
		if (level->dir) /* else closed on an earlier way down */
			closedir(level->dir);
		level->dir = NULL;
	}
	return 0;
}

/* Open the level above the last one again, if it was closed on the way down. */
static int walk_reopen_above(struct walk *walk)
{
	struct level *above, was;
	int fd, r;

	if (walk->count < 2)
		return 0;
	above = &walk->levels[walk->count - 2];
	if (above->dir)
		return 0;
	fd = open_inside(dirfd(walk->levels[walk->count - 1].dir), "..", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	was = *above;
	r = level_open(above, fd);
	if (r < 0)
		return r;
	/* Somebody moved the directory we were in: the way back leads elsewhere now. */
	return above->dev == was.dev && above->ino == was.ino ? 0 : -ESTALE;
}

/* The last level is read to its end: remove it and go up. */
static int walk_leave(struct walk *walk)
{
	struct level *level = &walk->levels[walk->count - 1];
	int r = walk_reopen_above(walk);

	if (r < 0)
		return r;
	if (unlinkat(fd_of_level(walk, walk->count - 1), level->name, AT_REMOVEDIR) < 0 &&
		errno != ENOENT) {
		/* Some file systems skip entries when others vanish while they are read, and others
		 * may still write here. */
		if ((errno != ENOTEMPTY && errno != EEXIST) || ++level->scans > RESCANS)
			return -errno;
		rewinddir(level->dir);
		return 0;
	}
	closedir(level->dir);
	free(level->name);
	walk->count--;
	return 0;
}

/* Remove what is no directory. 1: it is one. */
static int remove_plain(int dir_fd, const char *name)
{
	int r, fd;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	r = -errno;
	if (r == -EISDIR)
		return 1;
	if (r == -EBUSY) { /* a mount point, or in use (NFS) */
		fd = open_inside(dir_fd, name, O_PATH);
		if (fd == -EXDEV)
			r = fd;
		close_fd(&fd);
	}
	return r;
}

/* One entry of the last level, or the end of it. */
static int walk_step(struct walk *walk)
{
	DIR *dir = walk->levels[walk->count - 1].dir;
	const struct dirent *entry;
	int r;

	errno = 0;
	entry = readdir(dir);
	if (!entry) /* ENOENT: somebody else removed the directory itself */
		return errno && errno != ENOENT ? -errno : walk_leave(walk);
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return 0;
	r = remove_plain(dirfd(dir), entry->d_name);
	if (r != 1)
		return r;
	r = walk_enter(walk, entry->d_name);
	/* Gone, or no longer a directory, since we looked: the next scan will see what is there. */
	return r == -ENOENT || r == -ENOTDIR || r == -ELOOP ? 0 : r;
}

static int remove_below(int parent_fd, const char *name)
{
	struct walk walk = { .parent_fd = parent_fd };
	int r = remove_plain(parent_fd, name);

	if (r != 1)
		return r;
	r = walk_enter(&walk, name);
	if (r == -ENOENT)
		r = 0;
	while (r == 0 && walk.count > 0)
		r = walk_step(&walk);
	walk_release(&walk);
	return r;
}

int tree_remove(int dir_fd, const char *path, struct error *err)
{
	cleanup_fd int parent_fd = -1;
	cleanup_free char *copy = xstrdup(path);
	const char *name, *parent;
	char *slash;
	size_t length = strlen(copy);
	int r;

	while (length > 1 && copy[length - 1] == '/')
		copy[--length] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, -EINVAL, "remove '%s': not a name that can be removed", path);
	if (slash)
		*slash = '\0';
	parent = !slash ? "." : *copy ? copy : "/";
	parent_fd = openat(dir_fd, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = parent_fd < 0 ? -errno : remove_below(parent_fd, name);
	if (r == -EXDEV)
		return error_set(err, r, "remove '%s': something is mounted there", path);
	if (r < 0 && !(parent_fd < 0 && r == -ENOENT))
		return error_sys(err, r, "remove '%s'", path);
	return 0;
}
