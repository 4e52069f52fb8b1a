/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_path.c - walk a tar's path inside the layer; make the directories it leaves out. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/image/layer_attributes.h"
#include "engine/image/layer_path.h"

#define LINKS_MAX 40 /* as the kernel's own bound */

void layer_tree_init(struct layer_tree *tree, const struct layer_place *place)
{
	*tree = (struct layer_tree){ .place = *place, .parent_fd = -1 };
}

void layer_tree_release(struct layer_tree *tree)
{
	layer_parent_forget(tree);
	for (size_t i = 0; i < tree->time_count; i++)
		free(tree->times[i].path);
	free(tree->times);
	*tree = (struct layer_tree){ .parent_fd = -1 };
}

void layer_parent_forget(struct layer_tree *tree)
{
	free(steal_ptr(tree->parent_asked));
	free(steal_ptr(tree->parent_path));
	close_fd(&tree->parent_fd);
}

void layer_note_time(struct layer_tree *tree, const char *path, const struct timespec *mtime)
{
	struct directory_time *time = array_add(tree->times, tree->time_count);

	time->path = xstrdup(path);
	time->mtime = *mtime;
}

bool stat_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

int layer_mark_opaque(int dir_fd, struct error *err)
{
	cleanup_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsetxattr(fd, OPAQUE_XATTR, "y", 1, 0) < 0)
		return error_sys(err, -errno, "mark directory as opaque");
	return 0;
}

int layer_path_clean(const char *path, char **ret, struct error *err)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.')
			return error_set(err, -EINVAL, "'..' in a path");
		if (length > 0 && !(length == 1 && path[0] == '.')) {
			if (clean.length > 0)
				strbuf_add_char(&clean, '/');
			strbuf_add(&clean, path, length);
		}
		path += length;
		path += strspn(path, "/");
	}
	*ret = strbuf_steal(&clean);
	return 0;
}

int layer_open_plain(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static bool is_opaque(int root_fd, const char *path)
{
	cleanup_fd int fd = layer_open_plain(root_fd, path, O_RDONLY | O_DIRECTORY);
	char value = '\0';

	return fd >= 0 && fgetxattr(fd, OPAQUE_XATTR, &value, 1) == 1 && value == 'y';
}

/* Does a directory above `path` in that layer hide everything further below? */
static bool has_opaque_parent(int root_fd, const char *path)
{
	cleanup_free char *part = xstrdup(path);
	char *slash;

	while ((slash = strrchr(part, '/'))) {
		*slash = '\0';
		if (is_opaque(root_fd, part))
			return true;
	}
	return false;
}

/* What the layers below show at `path`: an O_PATH fd, or -ENOENT. */
static int open_lower(const struct layer_tree *tree, const char *path)
{
	if (has_opaque_parent(tree->place.root_fd, path))
		return -ENOENT;
	for (size_t i = 0; i < tree->place.lower_count; i++) {
		int lower_fd = tree->place.lower_fds[i];
		int fd = layer_open_plain(lower_fd, path, O_PATH | O_NOFOLLOW);

		if (fd >= 0)
			return fd;
		/* A file, link or whiteout in the way ends the search as it does in overlay. */
		if (fd != -ENOENT || has_opaque_parent(lower_fd, path))
			return -ENOENT;
	}
	return -ENOENT;
}

struct walk {
	struct strbuf done; /* directories behind us, none a link */
	char *rest;	    /* still to walk, may hold ".." from links */
	unsigned int links;
};

static void done_pop(struct strbuf *done)
{
	const char *slash = done->length ? strrchr(done->data, '/') : NULL;
	size_t length = slash ? (size_t)(slash - done->data) : 0;

	if (done->length > 0) {
		done->length = length;
		done->data[length] = '\0';
	}
}

/* The last component of `done` is a link: put its text in front of what is left. */
static int follow(struct walk *walk, int link_fd, struct error *err)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(link_fd, "", text, sizeof(text) - 1);
	char *rest;

	if (length < 0)
		return error_sys(err, -errno, "read link '%s'", walk->done.data);
	text[length] = '\0';
	if (++walk->links > LINKS_MAX || strlen(walk->rest) + (size_t)length >= PATH_MAX)
		return error_sys(err, -ELOOP, "'%s'", walk->done.data);
	rest = xasprintf("%s/%s", text, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	if (text[0] == '/')
		strbuf_clear(&walk->done);
	else
		done_pop(&walk->done);
	return 0;
}

/* Make the directory `path`, which is missing here, like the one below it, if there is one. */
static int make_missing(
	struct layer_tree *tree, const char *path, int lower_fd, bool is_hidden, struct error *err)
{
	cleanup_free char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');
	const char *name = slash ? slash + 1 : path;
	cleanup_fd int parent_fd = -1;
	cleanup_fd int fd = -1;

	if (slash)
		*slash = '\0';
	parent_fd =
		layer_open_plain(tree->place.root_fd, slash ? parent : "", O_PATH | O_DIRECTORY);
	if (parent_fd < 0)
		return error_sys(err, parent_fd, "open '%s'", parent);
	if (is_hidden && unlinkat(parent_fd, name, 0) < 0)
		return error_sys(err, -errno, "remove '%s'", path);
	if (mkdirat(parent_fd, name, 0700) < 0)
		return error_sys(err, -errno, "create directory '%s'", path);
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return error_sys(err, -errno, "create directory '%s'", path);
	if (is_hidden)
		return layer_mark_opaque(fd, err);
	return lower_fd < 0 ? 0 : attributes_copy_directory(tree, path, fd, lower_fd, err);
}

/* `path` (walk->done) is not in this layer. */
static int step_missing(struct layer_tree *tree, struct walk *walk, bool make, struct error *err)
{
	const char *path = walk->done.data;
	cleanup_fd int lower_fd = open_lower(tree, path);
	struct stat st;

	if (lower_fd >= 0 && fstat(lower_fd, &st) < 0)
		return error_sys(err, -errno, "'%s'", path);
	if (lower_fd >= 0 && S_ISLNK(st.st_mode))
		return follow(walk, lower_fd, err);
	if (lower_fd >= 0 && !S_ISDIR(st.st_mode))
		close_fd(&lower_fd);
	if (!make && lower_fd < 0)
		return error_sys(err, -ENOENT, "'%s'", path);
	return make ? make_missing(tree, path, lower_fd, false, err) : 0;
}

/* The last component of walk->done was just added: enter it, follow it, or make it. */
static int step(struct layer_tree *tree, struct walk *walk, bool make, struct error *err)
{
	const char *path = walk->done.data;
	cleanup_fd int fd = layer_open_plain(tree->place.root_fd, path, O_PATH | O_NOFOLLOW);
	struct stat st;

	/* -ENOENT also while walking below a directory that only the lower layers have. */
	if (fd == -ENOENT)
		return step_missing(tree, walk, make, err);
	if (fd < 0)
		return error_sys(err, fd, "'%s'", path);
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "'%s'", path);
	if (S_ISDIR(st.st_mode))
		return 0;
	if (S_ISLNK(st.st_mode))
		return follow(walk, fd, err);
	if (stat_is_whiteout(&st) && make)
		return make_missing(tree, path, -1, true, err);
	return error_sys(err, -ENOTDIR, "'%s'", path);
}

static int walk_parent(struct layer_tree *tree, struct walk *walk, bool make, struct error *err)
{
	while (*walk->rest) {
		size_t length = strcspn(walk->rest, "/");
		size_t skip = length + strspn(walk->rest + length, "/");
		bool is_up = length == 2 && memcmp(walk->rest, "..", 2) == 0;
		bool is_here = length == 0 || (length == 1 && walk->rest[0] == '.');
		int r;

		if (is_up)
			done_pop(&walk->done);
		if (!is_up && !is_here) {
			if (walk->done.length > 0)
				strbuf_add_char(&walk->done, '/');
			strbuf_add(&walk->done, walk->rest, length);
		}
		memmove(walk->rest, walk->rest + skip, strlen(walk->rest + skip) + 1);
		if (is_up || is_here)
			continue;
		r = step(tree, walk, make, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find_parent(struct layer_tree *tree, const char *parent, bool make, struct error *err)
{
	struct walk walk = { .rest = xstrdup(parent) };
	int fd = layer_open_plain(tree->place.root_fd, parent, O_PATH | O_DIRECTORY);
	int r = 0;

	if (fd >= 0) {
		strbuf_add_str(&walk.done, parent);
	} else {
		r = walk_parent(tree, &walk, make, err);
		if (r == 0) {
			r = fd = layer_open_plain(
				tree->place.root_fd, strbuf_text(&walk.done), O_PATH | O_DIRECTORY);
			if (r < 0)
				error_sys(err, r, "'%s'", strbuf_text(&walk.done));
		}
	}
	free(walk.rest);
	if (r < 0) {
		strbuf_release(&walk.done);
		return r;
	}
	layer_parent_forget(tree);
	tree->parent_asked = xstrdup(parent);
	tree->parent_path = strbuf_steal(&walk.done);
	tree->parent_fd = fd;
	return 0;
}

int layer_parent(struct layer_tree *tree, const char *path, bool make, int *ret_fd,
	const char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	int r = 0;

	if (!tree->parent_asked || strcmp(tree->parent_asked, parent) != 0)
		r = find_parent(tree, parent, make, err);
	if (r < 0)
		return r;
	*ret_fd = tree->parent_fd;
	*ret_name = slash ? slash + 1 : path;
	return 0;
}
