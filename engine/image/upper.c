/* SPDX-License-Identifier: GPL-2.0-or-later
 * upper.c - walk a container's writable layer and write it as a tar. */
#include "engine/image/upper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/image/layer_lower.h"
#include "engine/image/layer_path.h"
#include "engine/image/xattrs.h"

struct upper {
	int root_fd;
	struct tar_writer *writer;
	struct strmap links; /* "device:inode" -> path of the first name (heap) */
	char **pending;	     /* directories still to write, the next one last */
	size_t pending_count;
};

static char *join(const char *directory, const char *name)
{
	return xasprintf("%s%s%s", directory, *directory ? "/" : "", name);
}

static void fill_entry(struct tar_entry *entry, const char *path, const struct stat *st)
{
	*entry = (struct tar_entry){
		.path = path,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = st->st_mtim,
		.device = st->st_rdev,
	};
}

static int write_marker(
	struct upper *upper, const char *directory, const char *name, struct error *err)
{
	cleanup_free char *path = join(directory, name);
	const struct tar_entry entry = { .path = path, .mode = S_IFREG | 0600 };

	return tar_writer_entry(upper->writer, &entry, err);
}

/* What overlay stores as a reference into the layers below cannot be told in a tar. */
static int refuse_references(int fd, struct error *err)
{
	static const char *const references[] = {
		"trusted.overlay.redirect",
		"trusted.overlay.metacopy",
	};

	for (size_t i = 0; i < ARRAY_LEN(references); i++)
		if (fgetxattr(fd, references[i], NULL, 0) >= 0)
			return error_set(err, -EOPNOTSUPP, "overlay refers to a layer below (%s)",
				references[i]);
	return 0;
}

/* The entry with its xattrs; content comes after. */
static int write_opened(struct upper *upper, int fd, struct tar_entry *entry, struct error *err)
{
	int r = refuse_references(fd, err);

	if (r == 0)
		r = xattrs_read(fd, &entry->xattrs, &entry->xattr_count, err);
	if (r < 0)
		return r;
	r = tar_writer_entry(upper->writer, entry, err);
	xattrs_free(entry->xattrs, entry->xattr_count);
	return r;
}

static int write_file(
	struct upper *upper, int dir_fd, const char *name, const char *path, struct error *err)
{
	/* Looked at again after opening: the container may have put a FIFO there. */
	cleanup_fd int fd =
		openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct tar_entry entry;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, -errno, "open");
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EAGAIN, "changed while it was read");
	fill_entry(&entry, path, &st);
	entry.size = (uint64_t)st.st_size;
	r = write_opened(upper, fd, &entry, err);
	return r < 0 ? r : tar_writer_copy(upper->writer, fd, entry.size, true, err);
}

static int write_link(struct upper *upper, int dir_fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	char text[PATH_MAX];
	struct tar_entry entry;
	ssize_t length = readlinkat(dir_fd, name, text, sizeof(text) - 1);

	if (length < 0)
		return error_sys(err, -errno, "read link");
	text[length] = '\0';
	fill_entry(&entry, path, st);
	entry.link = text;
	return tar_writer_entry(upper->writer, &entry, err);
}

static char *link_key(const struct stat *st)
{
	return xasprintf(
		"%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
}

/* Anything but a directory, under its first name. */
static int write_node(struct upper *upper, int dir_fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	struct tar_entry entry;

	if (S_ISREG(st->st_mode))
		return write_file(upper, dir_fd, name, path, err);
	if (S_ISLNK(st->st_mode))
		return write_link(upper, dir_fd, name, path, st, err);
	fill_entry(&entry, path, st);
	return tar_writer_entry(upper->writer, &entry, err);
}

/* Further names of an inode become hard links to the first. */
static int write_linked(struct upper *upper, int dir_fd, const char *name, const char *path,
	const struct stat *st, struct error *err)
{
	cleanup_free char *key = link_key(st);
	const char *first = strmap_get(&upper->links, key);
	struct tar_entry entry;
	int r;

	if (first) {
		fill_entry(&entry, path, st);
		entry.hard_link = first;
		return tar_writer_entry(upper->writer, &entry, err);
	}
	r = write_node(upper, dir_fd, name, path, st, err);
	if (r == 0)
		strmap_set(&upper->links, key, xstrdup(path));
	return r;
}

static int write_name(
	struct upper *upper, int dir_fd, const char *directory, const char *name, struct error *err)
{
	cleanup_free char *path = join(directory, name);
	struct stat st;
	int r;

	if (strlen(path) >= PATH_MAX)
		return error_sys(err, -ENAMETOOLONG, "'%.100s...'", path);
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		/* gone meanwhile */
		return errno == ENOENT ? 0 : error_sys(err, -errno, "'%s'", path);
	if (stat_is_whiteout(&st)) {
		cleanup_free char *marker = xasprintf(WHITEOUT_PREFIX "%s", name);

		return write_marker(upper, directory, marker, err);
	}
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return error_set(err, -EINVAL, "'%s': the name means a deletion in an image", path);
	if (S_ISDIR(st.st_mode)) {
		*array_add(upper->pending, upper->pending_count) = steal_ptr(path);
		return 0;
	}
	r = st.st_nlink > 1 ? write_linked(upper, dir_fd, name, path, &st, err)
			    : write_node(upper, dir_fd, name, path, &st, err);
	return r < 0 ? error_wrap(err, "'%s'", path) : 0;
}

/* The directory itself, its marker, and all its names; subdirectories are left pending, first name
 * last. */
static int write_directory(struct upper *upper, const char *path, struct error *err)
{
	cleanup_fd int fd = layer_open_plain(upper->root_fd, path, O_RDONLY | O_DIRECTORY);
	cleanup_free char *entry_path = xasprintf("%s/", *path ? path : ".");
	cleanup_strv char **names = NULL;
	size_t before = upper->pending_count;
	struct tar_entry entry;
	struct stat st;
	int r;

	if (fd == -ENOENT && *path)
		return 0; /* gone meanwhile */
	if (fd < 0)
		return error_sys(err, fd, "'%s'", path);
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "'%s'", path);
	fill_entry(&entry, entry_path, &st);
	r = write_opened(upper, fd, &entry, err);
	if (r == 0 && directory_is_opaque(fd))
		r = write_marker(upper, path, WHITEOUT_OPAQUE, err);
	if (r == 0)
		r = dir_list(fd, ".", &names, err);
	if (r < 0)
		return error_wrap(err, "'%s'", path);
	for (char **name = names; r == 0 && name && *name; name++)
		r = write_name(upper, fd, path, *name, err);
	for (size_t i = before, j = upper->pending_count; i + 1 < j; i++, j--) {
		char *first = upper->pending[i];

		upper->pending[i] = upper->pending[j - 1];
		upper->pending[j - 1] = first;
	}
	return r;
}

int upper_write(int upper_fd, struct tar_writer *writer, struct error *err)
{
	struct upper upper = { .root_fd = upper_fd, .writer = writer };
	int r = 0;

	*array_add(upper.pending, upper.pending_count) = xstrdup("");
	while (r == 0 && upper.pending_count > 0) {
		cleanup_free char *path = upper.pending[--upper.pending_count];

		r = write_directory(&upper, path, err);
	}
	while (upper.pending_count > 0)
		free(upper.pending[--upper.pending_count]);
	free(upper.pending);
	strmap_release_with(&upper.links, free);
	return r;
}
