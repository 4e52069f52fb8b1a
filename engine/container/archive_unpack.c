/* SPDX-License-Identifier: GPL-2.0-or-later
 * archive_unpack.c - a tar stream lands at a place inside a root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/archive.h"
#include "engine/container/in_root.h"
#include "engine/container/paths.h"
#include "engine/image/layer_attributes.h"
#include "engine/image/tarball.h"

struct late_time {
	char *path; /* in the root */
	struct timespec mtime;
};

struct unpack {
	const struct archive_place *place;
	struct tar_reader *reader;
	char *base; /* where the archive's names begin, a clean path in the root */
	char *top;  /* the first entry's name, which `base` stands for; NULL: none does */
	struct late_time *times; /* of directories: adding to one changes its own */
	size_t time_count;
};

static bool is_directory(const struct archive_place *place, bool *ret_exists)
{
	cleanup_fd int fd = in_root_find(place->root_fd, place->path, NULL);
	struct stat st;

	*ret_exists = fd >= 0;
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool ends_with_slash(const char *path)
{
	size_t length = strlen(path);

	return length > 0 && path[length - 1] == '/';
}

/* What the first entry's name becomes, by what it is and what is there (cp(1)). */
static int decide(
	struct unpack *unpack, const char *name, bool first_is_directory, struct error *err)
{
	const struct archive_place *place = unpack->place;
	bool exists, directory = is_directory(place, &exists);

	unpack->base = path_clean(place->path);
	if (place->is_stream || (directory && strcmp(name, "."))) {
		if (!directory)
			return error_set(err, exists ? -ENOTDIR : -ENOENT, "%s: %s", place->path,
				exists ? "not a directory" : "no such directory");
		return 0;
	}
	if (first_is_directory && exists && !directory)
		return error_set(
			err, -ENOTDIR, "cannot copy a directory to the file %s", place->path);
	if (!first_is_directory && !exists && ends_with_slash(place->path))
		return error_set(err, -ENOENT, "%s: no such directory", place->path);
	if (!first_is_directory && exists && ends_with_slash(place->path))
		return error_set(err, -ENOTDIR, "%s: not a directory", place->path);
	unpack->top = xstrdup(name);
	return 0;
}

/* The archive's name as a path in the root; ".." never leads up. */
static char *path_of(const struct unpack *unpack, const char *name)
{
	cleanup_free char *clean = path_clean(name);
	const char *rest = clean + 1;
	cleanup_free char *whole = NULL;

	if (unpack->top && strcmp(unpack->top, ".")) {
		size_t length = strlen(unpack->top);

		if (!strncmp(rest, unpack->top, length) && (!rest[length] || rest[length] == '/'))
			rest += length;
	}
	whole = xasprintf("%s/%s", unpack->base, rest);
	return path_clean(whole);
}

static int open_parent(const struct unpack *unpack, const char *path, bool make,
	const char **ret_name, struct error *err)
{
	const char *name = strrchr(path, '/') + 1;
	cleanup_free char *parent = xstrndup(path, (size_t)(name - path));

	*ret_name = name;
	return make ? in_root_make(unpack->place->root_fd, parent, true, err)
		    : in_root_find(unpack->place->root_fd, parent, err);
}

static int apply(
	const struct unpack *unpack, int fd, const struct tar_entry *entry, struct error *err)
{
	struct tar_entry own = *entry;

	if (!unpack->place->keep_owner)
		own.uid = own.gid = 0;
	return attributes_apply(fd, &own, err);
}

static int apply_at(const struct unpack *unpack, int parent_fd, const char *name,
	const struct tar_entry *entry, struct error *err)
{
	struct tar_entry own = *entry;

	if (!unpack->place->keep_owner)
		own.uid = own.gid = 0;
	return attributes_apply_at(parent_fd, name, &own, err);
}

/* A link to a directory that is there already stays: the archive's content goes where it leads,
 * inside the root. */
static int put_directory(struct unpack *unpack, int parent_fd, const char *name, const char *path,
	const struct tar_entry *entry, struct error *err)
{
	cleanup_fd int fd = -1;
	struct late_time *late;
	bool existed;
	int r;

	existed = !*name || (mkdirat(parent_fd, name, 0700) < 0 && errno == EEXIST);
	if (!existed && faccessat(parent_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "create directory");
	/* The place itself keeps its owner and mode. */
	if (existed && !strcmp(path, unpack->base))
		return 0;
	fd = file_open_in_root(unpack->place->root_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return fd;
	r = apply(unpack, fd, entry, err);
	if (r < 0)
		return r;
	late = array_add(unpack->times, unpack->time_count);
	*late = (struct late_time){ xstrdup(path), entry->mtime };
	return 0;
}

/* Unlinked, never opened: another name may share the inode, or lead elsewhere. */
static int make_room(int parent_fd, const char *name, struct error *err)
{
	struct stat st;

	if (fstatat(parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "look at it");
	if (S_ISDIR(st.st_mode))
		return error_set(
			err, -EISDIR, "cannot overwrite the directory with something else");
	return unlinkat(parent_fd, name, 0) < 0 ? error_sys(err, -errno, "replace it") : 0;
}

static int put_content(struct unpack *unpack, int fd, uint64_t size, struct error *err)
{
	const void *block;
	uint64_t offset;
	ssize_t length;

	while ((length = tar_reader_data(unpack->reader, &block, &offset, err)) > 0) {
		int r;

		if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
			return error_sys(err, -errno, "write");
		r = fd_write_all(fd, block, (size_t)length, err);
		if (r < 0)
			return r;
	}
	if (length == 0 && ftruncate(fd, (off_t)size) < 0)
		return error_sys(err, -errno, "write");
	return (int)length;
}

static int put_file(struct unpack *unpack, int parent_fd, const char *name,
	const struct tar_entry *entry, struct error *err)
{
	cleanup_fd int fd =
		openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "create file");
	r = put_content(unpack, fd, entry->size, err);
	return r < 0 ? r : apply(unpack, fd, entry, err);
}

static int put_hard_link(struct unpack *unpack, int parent_fd, const char *name,
	const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *path = path_of(unpack, entry->hard_link);
	const char *first;
	cleanup_fd int first_fd = open_parent(unpack, path, false, &first, err);

	if (first_fd < 0)
		return first_fd;
	return linkat(first_fd, first, parent_fd, name, 0) < 0
		       ? error_sys(err, -errno, "link to %s", entry->hard_link)
		       : 0;
}

static int put_node(struct unpack *unpack, int parent_fd, const char *name,
	const struct tar_entry *entry, struct error *err)
{
	bool device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);

	if (device && unpack->place->no_devices)
		return 0;
	if (S_ISLNK(entry->mode) ? symlinkat(entry->link ? entry->link : "", parent_fd, name) < 0
				 : mknodat(parent_fd, name, (entry->mode & S_IFMT) | 0600,
					   device ? entry->device : 0) < 0)
		return error_sys(err, -errno, "create it");
	return apply_at(unpack, parent_fd, name, entry, err);
}

static int put(struct unpack *unpack, const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *path = path_of(unpack, entry->path);
	const char *name;
	/* Directories that an archive leaves out are made, but not on the way to the place. */
	cleanup_fd int parent_fd =
		open_parent(unpack, path, strcmp(path, unpack->base) != 0, &name, err);
	int r;

	if (parent_fd < 0)
		return parent_fd;
	if (!entry->hard_link && S_ISDIR(entry->mode))
		return put_directory(unpack, parent_fd, name, path, entry, err);
	if (!*name)
		return error_set(err, -EISDIR, "it would replace the root");
	r = make_room(parent_fd, name, err);
	if (r < 0)
		return r;
	if (entry->hard_link)
		return put_hard_link(unpack, parent_fd, name, entry, err);
	if (S_ISREG(entry->mode))
		return put_file(unpack, parent_fd, name, entry, err);
	return put_node(unpack, parent_fd, name, entry, err);
}

static void set_times(struct unpack *unpack)
{
	for (size_t i = unpack->time_count; i > 0; i--) {
		const struct late_time *late = &unpack->times[i - 1];
		struct timespec times[2] = { { 0, UTIME_OMIT }, late->mtime };
		cleanup_fd int fd = file_open_in_root(
			unpack->place->root_fd, late->path, O_RDONLY | O_DIRECTORY, 0, NULL);

		if (fd >= 0)
			futimens(fd, times);
	}
}

static int unpack_all(struct unpack *unpack, struct error *err)
{
	const struct tar_entry *entry;
	bool first = true;
	int r;

	while ((r = tar_reader_next(unpack->reader, &entry, err)) > 0) {
		if (first) {
			cleanup_free char *clean = path_clean(entry->path);

			r = decide(unpack, clean[1] ? clean + 1 : ".",
				!entry->hard_link && S_ISDIR(entry->mode), err);
			if (r < 0)
				return r;
			first = false;
		}
		r = put(unpack, entry, err);
		if (r < 0)
			return error_wrap(err, "%s", entry->path);
	}
	if (r == 0)
		set_times(unpack);
	return r;
}

int archive_unpack(const struct archive_place *place, int in_fd, struct error *err)
{
	struct unpack unpack = { .place = place };
	struct stream *stream = NULL;
	char *digest = NULL;
	uint64_t size;
	int r = stream_open(&stream, in_fd, "archive", COMPRESSION_ANY, &tar_limits_default, err);

	if (r == 0)
		r = tar_reader_open(&unpack.reader, stream, err);
	if (r == 0)
		r = unpack_all(&unpack, err);
	if (r == 0)
		r = tar_reader_finish(unpack.reader, true, &digest, &size, err);
	free(digest);
	tar_reader_free(unpack.reader);
	for (size_t i = 0; i < unpack.time_count; i++)
		free(unpack.times[i].path);
	free(unpack.times);
	free(unpack.base);
	free(unpack.top);
	return r;
}
