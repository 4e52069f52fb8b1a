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
#include "engine/image/layer_lower.h"
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

/* Where a walk stands. The directory exists in this layer (at_fd), or, when nothing is to be made,
 * perhaps in the layers below only (at_fd < 0). */
struct walk {
	int at_fd;
	struct strbuf done; /* directories behind us, none a link */
	char *rest;	    /* still to walk, may hold ".." from links */
	unsigned int links;
	struct lower_dirs lower;
	bool lower_is_here; /* `lower` stands where we stand */
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

static void done_push(struct strbuf *done, const char *name)
{
	if (done->length > 0)
		strbuf_add_char(done, '/');
	strbuf_add_str(done, name);
}

static void walk_to(struct walk *walk, int fd)
{
	close_fd(&walk->at_fd);
	walk->at_fd = fd;
}

/* Nobody but us moves directories here, so ".." is where we came from. */
static int walk_up(struct layer_tree *tree, struct walk *walk, struct error *err)
{
	int fd;

	walk->lower_is_here = false;
	if (walk->done.length == 0)
		return 0; /* the root is above itself */
	done_pop(&walk->done);
	fd = walk->at_fd >= 0 ? openat(walk->at_fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC)
			      : layer_open_plain(tree->place.root_fd, strbuf_text(&walk->done),
					O_PATH | O_DIRECTORY);
	if (fd < 0 && walk->at_fd >= 0)
		return error_sys(err, -errno, "'%s'", strbuf_text(&walk->done));
	walk_to(walk, fd < 0 ? -1 : fd);
	return 0;
}

/* Put the link's text in front of what is left. */
static int walk_link(struct layer_tree *tree, struct walk *walk, const char *name, int link_fd,
	struct error *err)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(link_fd, "", text, sizeof(text) - 1);
	char *rest;

	if (length < 0)
		return error_sys(err, -errno, "read link '%s'", name);
	text[length] = '\0';
	if (++walk->links > LINKS_MAX || strlen(walk->rest) + (size_t)length >= PATH_MAX)
		return error_sys(err, -ELOOP, "'%s'", name);
	rest = xasprintf("%s/%s", text, walk->rest);
	free(walk->rest);
	walk->rest = rest;
	walk->lower_is_here = false;
	if (text[0] != '/')
		return 0;
	strbuf_clear(&walk->done);
	walk_to(walk, layer_open_plain(tree->place.root_fd, "", O_PATH | O_DIRECTORY));
	return walk->at_fd < 0 ? error_sys(err, walk->at_fd, "open the root") : 0;
}

/* Make `name` where we stand and go into it: like the directory below it, if there is one. */
static int walk_make(struct layer_tree *tree, struct walk *walk, const char *name, int lower_fd,
	struct error *err)
{
	cleanup_fd int fd = -1;

	if (mkdirat(walk->at_fd, name, 0700) < 0)
		return error_sys(err, -errno, "create directory '%s'", name);
	fd = openat(walk->at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return error_sys(err, -errno, "create directory '%s'", name);
	done_push(&walk->done, name);
	walk_to(walk, steal_fd(&fd));
	return lower_fd < 0 ? 0
			    : attributes_copy_directory(
				      tree, walk->done.data, walk->at_fd, lower_fd, err);
}

/* A whiteout of this layer is where a directory must be: that hides all below it. */
static int walk_make_hidden(
	struct layer_tree *tree, struct walk *walk, const char *name, struct error *err)
{
	int r;

	walk->lower_is_here = false;
	if (unlinkat(walk->at_fd, name, 0) < 0)
		return error_sys(err, -errno, "replace whiteout '%s'", name);
	r = walk_make(tree, walk, name, -1, err);
	return r < 0 ? r : layer_mark_opaque(walk->at_fd, err);
}

/* `name` is not in this layer: the layers below may have it. */
static int walk_missing(
	struct layer_tree *tree, struct walk *walk, const char *name, bool make, struct error *err)
{
	cleanup_fd int other_fd = -1;
	struct stat st;
	int r = 0;

	if (!walk->lower_is_here)
		r = lower_dirs_start(&walk->lower, &tree->place, strbuf_text(&walk->done), err);
	walk->lower_is_here = true;
	if (r == 0)
		r = lower_dirs_enter(&walk->lower, name, &other_fd, err);
	if (r < 0)
		return r;
	if (other_fd >= 0 && fstat(other_fd, &st) == 0 && S_ISLNK(st.st_mode))
		return walk_link(tree, walk, name, other_fd, err);
	if (make)
		return walk_make(
			tree, walk, name, walk->lower.count > 0 ? walk->lower.fds[0] : -1, err);
	if (walk->lower.count == 0)
		return error_sys(err, -ENOENT, "'%s'", name);
	done_push(&walk->done, name);
	walk_to(walk, -1);
	return 0;
}

static int walk_down(
	struct layer_tree *tree, struct walk *walk, const char *name, bool make, struct error *err)
{
	cleanup_fd int fd = -1;
	struct stat st;

	if (walk->at_fd >= 0)
		fd = openat(walk->at_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (walk->at_fd < 0 || errno == ENOENT))
		return walk_missing(tree, walk, name, make, err);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "'%s'", name);
	if (S_ISLNK(st.st_mode))
		return walk_link(tree, walk, name, fd, err);
	if (stat_is_whiteout(&st) && make)
		return walk_make_hidden(tree, walk, name, err);
	if (!S_ISDIR(st.st_mode))
		return error_sys(err, -ENOTDIR, "'%s'", name);
	walk->lower_is_here = false;
	done_push(&walk->done, name);
	walk_to(walk, steal_fd(&fd));
	return 0;
}

static int walk_all(struct layer_tree *tree, struct walk *walk, bool make, struct error *err)
{
	int r = 0;

	while (r == 0 && *walk->rest) {
		size_t length = strcspn(walk->rest, "/");
		cleanup_free char *name = xstrndup(walk->rest, length);
		const char *rest = walk->rest + length + strspn(walk->rest + length, "/");

		memmove(walk->rest, rest, strlen(rest) + 1);
		if (strcmp(name, "..") == 0)
			r = walk_up(tree, walk, err);
		else if (length > 0 && strcmp(name, ".") != 0)
			r = walk_down(tree, walk, name, make, err);
	}
	if (r == 0 && walk->at_fd < 0)
		r = error_sys(err, -ENOENT, "'%s'", strbuf_text(&walk->done));
	return r;
}

static int find_parent(struct layer_tree *tree, const char *parent, bool make, struct error *err)
{
	struct walk walk = { .rest = xstrdup(parent) };
	int r = 0;

	walk.at_fd = layer_open_plain(tree->place.root_fd, parent, O_PATH | O_DIRECTORY);
	if (walk.at_fd >= 0) {
		strbuf_add_str(&walk.done, parent);
	} else {
		walk.at_fd = layer_open_plain(tree->place.root_fd, "", O_PATH | O_DIRECTORY);
		r = walk.at_fd < 0 ? error_sys(err, walk.at_fd, "open the root")
				   : walk_all(tree, &walk, make, err);
	}
	if (r == 0) {
		layer_parent_forget(tree);
		tree->parent_asked = xstrdup(parent);
		tree->parent_path = strbuf_steal(&walk.done);
		tree->parent_fd = steal_fd(&walk.at_fd);
	}
	close_fd(&walk.at_fd);
	free(walk.rest);
	strbuf_release(&walk.done);
	lower_dirs_release(&walk.lower);
	return r;
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
