/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer.c - unpack a layer's tar, entry by entry. */
#include "engine/image/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/layer_attributes.h"
#include "engine/image/layer_path.h"

#define LARGE_FILE (8 * 1024 * 1024)

struct unpack {
	struct layer_tree tree;
	struct tar_reader *reader;
};

/* What one entry is about to become. */
struct target {
	const char *path; /* clean */
	const char *name;
	int parent_fd;	/* the tree's */
	bool is_there;	/* a directory that stays */
	bool is_hidden; /* what the layers below have under that name is to stay hidden */
};

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Free the name for the entry. A directory stays when another directory comes. */
static int clear_name(struct unpack *unpack, struct target *target, mode_t type, struct error *err)
{
	struct stat st;

	if (fstatat(target->parent_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "look at it");
	target->is_hidden = stat_is_whiteout(&st);
	if (S_ISDIR(st.st_mode) && type == S_IFDIR) {
		target->is_there = true;
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		/* Unlinked, never opened: another name may share the inode. */
		if (unlinkat(target->parent_fd, target->name, 0) < 0)
			return error_sys(err, -errno, "replace it");
		if (!S_ISLNK(st.st_mode))
			return 0;
	} else {
		int r = tree_remove(target->parent_fd, target->name, err);

		if (r < 0)
			return r;
	}
	/* The fd of the parent stays good; only what led through this name must be looked up anew.
	 */
	target->parent_fd = -1;
	layer_parent_forget(&unpack->tree);
	return layer_parent(
		&unpack->tree, target->path, true, &target->parent_fd, &target->name, err);
}

static int make_directory(struct unpack *unpack, struct target *target,
	const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *path = xasprintf("%s%s%s", unpack->tree.parent_path,
		*unpack->tree.parent_path ? "/" : "", target->name);
	cleanup_fd int fd = -1;
	int r;

	if (!target->is_there && mkdirat(target->parent_fd, target->name, 0700) < 0)
		return error_sys(err, -errno, "create directory");
	fd = openat(
		target->parent_fd, target->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, -errno, "create directory");
	if (target->is_there)
		attributes_clear_xattrs(fd);
	r = attributes_apply(fd, entry, err);
	if (r == 0 && target->is_hidden)
		r = layer_mark_opaque(fd, err);
	layer_note_time(&unpack->tree, path, &entry->mtime);
	return r;
}

/* A sparse file can claim more than any disk holds while its archive is tiny. */
static int check_claim(int fd, uint64_t size, struct error *err)
{
	struct statvfs fs;

	if (size <= LARGE_FILE)
		return 0;
	if (fstatvfs(fd, &fs) < 0)
		return error_sys(err, -errno, "look at free space");
	if (size / fs.f_frsize >= fs.f_bavail)
		return error_set(err, -ENOSPC, "%llu bytes do not fit on the file system",
			(unsigned long long)size);
	return 0;
}

static int write_at(int fd, const char *bytes, size_t length, uint64_t offset, struct error *err)
{
	while (length > 0) {
		ssize_t written = pwrite(fd, bytes, length, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_sys(err, -errno, "write");
		bytes += written;
		offset += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

static int write_content(
	struct tar_reader *reader, int fd, const struct tar_entry *entry, struct error *err)
{
	const void *block;
	uint64_t offset, end = 0;
	ssize_t length;
	int r;

	while ((length = tar_reader_data(reader, &block, &offset, err)) > 0) {
		r = write_at(fd, block, (size_t)length, offset, err);
		if (r < 0)
			return r;
		end = offset + (uint64_t)length;
	}
	if (length < 0)
		return (int)length;
	if (end < entry->size && ftruncate(fd, (off_t)entry->size) < 0)
		return error_sys(err, -errno, "set size");
	/* Start write-back now, so that the sync before the layer gets its name has less to wait
	 * for. */
	if (entry->size > LARGE_FILE)
		(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

static int make_file(struct unpack *unpack, struct target *target, const struct tar_entry *entry,
	struct error *err)
{
	cleanup_fd int fd = openat(target->parent_fd, target->name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "create file");
	r = check_claim(fd, entry->size, err);
	if (r == 0)
		r = write_content(unpack->reader, fd, entry, err);
	return r < 0 ? r : attributes_apply(fd, entry, err);
}

static int make_link(struct unpack *unpack, struct target *target, const struct tar_entry *entry,
	struct error *err)
{
	(void)unpack;
	if (symlinkat(entry->link, target->parent_fd, target->name) < 0)
		return error_sys(err, -errno, "create symbolic link");
	return attributes_apply_at(target->parent_fd, target->name, entry, err);
}

static int make_node(struct unpack *unpack, struct target *target, const struct tar_entry *entry,
	struct error *err)
{
	(void)unpack;
	/* Overlay's own whiteout would hide a path that no whiteout entry names. */
	if (S_ISCHR(entry->mode) && entry->device == 0)
		return error_set(err, -EINVAL, "character device 0:0 is not allowed");
	if (mknodat(target->parent_fd, target->name, (entry->mode & S_IFMT) | 0600, entry->device) <
		0)
		return error_sys(err, -errno, "create special file");
	return attributes_apply_at(target->parent_fd, target->name, entry, err);
}

static const struct {
	mode_t type;
	int (*make)(struct unpack *unpack, struct target *target, const struct tar_entry *entry,
		struct error *err);
} makers[] = {
	{ S_IFDIR, make_directory },
	{ S_IFREG, make_file },
	{ S_IFLNK, make_link },
	{ S_IFCHR, make_node },
	{ S_IFBLK, make_node },
	{ S_IFIFO, make_node },
};

/* The other name is an entry's of this layer, found without following its last component. */
static int make_hard_link(
	struct unpack *unpack, const char *path, const struct tar_entry *entry, struct error *err)
{
	struct target target = { .path = path };
	cleanup_free char *source = NULL;
	cleanup_fd int source_fd = -1;
	const char *source_name;
	struct stat from, to;
	int fd;
	int r = layer_path_clean(entry->hard_link, &source, err);

	if (r == 0 && !*source)
		r = error_set(err, -EINVAL, "names the root directory");
	if (r == 0)
		r = layer_parent(&unpack->tree, source, false, &fd, &source_name, err);
	if (r < 0)
		return error_wrap(err, "hard link to '%.100s'", entry->hard_link);
	source_fd = openat(fd, source_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (source_fd < 0 || fstat(source_fd, &from) < 0)
		return error_sys(err, -errno, "hard link to '%.100s'", entry->hard_link);
	if (S_ISDIR(from.st_mode) || stat_is_whiteout(&from))
		return error_set(err, -EINVAL,
			"hard link to '%.100s', which is no file of this layer", entry->hard_link);
	r = layer_parent(&unpack->tree, path, true, &target.parent_fd, &target.name, err);
	if (r < 0)
		return r;
	/* A link to itself: freeing the name would lose the file. */
	if (fstatat(target.parent_fd, target.name, &to, AT_SYMLINK_NOFOLLOW) == 0 &&
		to.st_dev == from.st_dev && to.st_ino == from.st_ino)
		return 0;
	r = clear_name(unpack, &target, S_IFREG, err);
	if (r < 0)
		return r;
	/* By fd: the name may have gone with what clear_name removed; then the kernel says ENOENT.
	 */
	if (linkat(source_fd, "", target.parent_fd, target.name, AT_EMPTY_PATH) < 0)
		return error_sys(err, -errno, "hard link to '%.100s'", entry->hard_link);
	return 0;
}

/* ".wh.X": X of the layers below is gone; an X of this layer, wherever it stands in the tar, stays.
 */
static int make_whiteout(struct unpack *unpack, const char *path, struct error *err)
{
	const char *name;
	struct stat st;
	int parent_fd;
	int r = layer_parent(&unpack->tree, path, true, &parent_fd, &name, err);

	if (r < 0)
		return r;
	name += strlen(WHITEOUT_PREFIX);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return error_set(err, -EINVAL, "whiteout without a name");
	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return error_sys(err, -errno, "look at '%s'", name);
		if (mknodat(parent_fd, name, S_IFCHR, 0) < 0)
			return error_sys(err, -errno, "create whiteout");
		return 0;
	}
	if (S_ISDIR(st.st_mode)) {
		cleanup_fd int fd =
			openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		return fd < 0 ? error_sys(err, -errno, "open '%s'", name)
			      : layer_mark_opaque(fd, err);
	}
	return 0;
}

static int make_opaque(struct unpack *unpack, const char *path, struct error *err)
{
	const char *name;
	int parent_fd;
	int r = layer_parent(&unpack->tree, path, true, &parent_fd, &name, err);

	if (r < 0)
		return r;
	/* Overlay merges the roots of all layers whatever their xattrs: see hide_root. */
	if (!*unpack->tree.parent_path) {
		unpack->tree.root_is_opaque = true;
		return 0;
	}
	return layer_mark_opaque(parent_fd, err);
}

enum marker { MARKER_NONE, MARKER_WHITEOUT, MARKER_OPAQUE, MARKER_IGNORED, MARKER_BAD };

/* Markers are names; what aufs once kept under ".wh..wh." means nothing to anybody else. */
static enum marker find_marker(const char *path)
{
	const char *slash;

	while ((slash = strchr(path, '/'))) {
		if (has_prefix(path, WHITEOUT_META))
			return MARKER_IGNORED;
		if (has_prefix(path, WHITEOUT_PREFIX))
			return MARKER_BAD;
		path = slash + 1;
	}
	if (strcmp(path, WHITEOUT_OPAQUE) == 0)
		return MARKER_OPAQUE;
	if (has_prefix(path, WHITEOUT_META))
		return MARKER_IGNORED;
	return has_prefix(path, WHITEOUT_PREFIX) ? MARKER_WHITEOUT : MARKER_NONE;
}

/* "./": attributes of the root itself. */
static int apply_root(struct unpack *unpack, const struct tar_entry *entry, struct error *err)
{
	int root_fd = unpack->tree.place.root_fd;

	if (entry->hard_link || !S_ISDIR(entry->mode))
		return error_set(err, -EINVAL, "the root must be a directory");
	attributes_clear_xattrs(root_fd);
	layer_note_time(&unpack->tree, "", &entry->mtime);
	return attributes_apply(root_fd, entry, err);
}

static int make_entry(
	struct unpack *unpack, const char *path, const struct tar_entry *entry, struct error *err)
{
	struct target target = { .path = path };
	int r;

	if (entry->hard_link)
		return make_hard_link(unpack, path, entry, err);
	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		if (makers[i].type != (entry->mode & S_IFMT))
			continue;
		r = layer_parent(&unpack->tree, path, true, &target.parent_fd, &target.name, err);
		if (r == 0)
			r = clear_name(unpack, &target, makers[i].type, err);
		return r < 0 ? r : makers[i].make(unpack, &target, entry, err);
	}
	return error_set(err, -EINVAL, "unsupported type of file");
}

static int unpack_entry(struct unpack *unpack, const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *path = NULL;
	int r = layer_path_clean(entry->path, &path, err);

	if (r < 0)
		return r;
	if (!*path)
		return apply_root(unpack, entry, err);
	switch (find_marker(path)) {
	case MARKER_WHITEOUT:
		return make_whiteout(unpack, path, err);
	case MARKER_OPAQUE:
		return make_opaque(unpack, path, err);
	case MARKER_IGNORED:
		return 0;
	case MARKER_BAD:
		return error_set(err, -EINVAL, "a whiteout is no directory");
	case MARKER_NONE:
		break;
	}
	return make_entry(unpack, path, entry, err);
}

/* Without a "./" entry the root looks as it did one layer below. */
static int start_root(struct unpack *unpack, struct error *err)
{
	const struct layer_place *place = &unpack->tree.place;

	if (place->lower_count > 0)
		return attributes_copy_directory(
			&unpack->tree, "", place->root_fd, place->lower_fds[0], err);
	return fchmod(place->root_fd, 0755) < 0 ? error_sys(err, -errno, "set mode") : 0;
}

static int hide_name(int root_fd, const char *name, struct error *err)
{
	cleanup_fd int fd = -1;

	if (mknodat(root_fd, name, S_IFCHR, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, -errno, "create whiteout");
	fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0
							  : error_sys(err, -errno, "'%s'", name);
	return layer_mark_opaque(fd, err);
}

/* An opaque root: hide each name the layers below have. */
static int hide_root(const struct unpack *unpack, struct error *err)
{
	const struct layer_place *place = &unpack->tree.place;

	for (size_t i = 0; i < place->lower_count; i++) {
		cleanup_strv char **names = NULL;
		int r = dir_list(place->lower_fds[i], ".", &names, err);

		for (char **name = names; r == 0 && name && *name; name++)
			r = hide_name(place->root_fd, *name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int apply_times(const struct unpack *unpack, struct error *err)
{
	for (size_t i = 0; i < unpack->tree.time_count; i++) {
		const struct directory_time *time = &unpack->tree.times[i];
		const struct timespec times[2] = { time->mtime, time->mtime };
		cleanup_fd int fd = layer_open_plain(
			unpack->tree.place.root_fd, time->path, O_RDONLY | O_DIRECTORY);

		/* Replaced by a later entry, then. */
		if (fd < 0)
			continue;
		if (futimens(fd, times) < 0)
			return error_sys(err, -errno, "'%s': set times", time->path);
	}
	return 0;
}

static int unpack_all(struct unpack *unpack, struct error *err)
{
	const struct tar_entry *entry;
	int r = start_root(unpack, err);

	while (r >= 0 && (r = tar_reader_next(unpack->reader, &entry, err)) > 0) {
		r = unpack_entry(unpack, entry, err);
		if (r < 0)
			return error_wrap(err, "entry '%.200s'", entry->path);
	}
	if (r == 0 && unpack->tree.root_is_opaque)
		r = hide_root(unpack, err);
	return r < 0 ? r : apply_times(unpack, err);
}

int layer_unpack(const struct layer_place *place, struct tar_reader *reader, struct error *err)
{
	struct unpack unpack = { .reader = reader };
	int r;

	layer_tree_init(&unpack.tree, place);
	r = unpack_all(&unpack, err);
	layer_tree_release(&unpack.tree);
	return r;
}
