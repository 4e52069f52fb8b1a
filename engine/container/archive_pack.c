/* SPDX-License-Identifier: GPL-2.0-or-later
 * archive_pack.c - walk a tree by fds and write it as a tar. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/container/archive.h"
#include "engine/container/in_root.h"
#include "engine/container/paths.h"
#include "engine/image/tarball.h"
#include "engine/image/xattrs.h"

struct pack {
	struct tar_writer *writer;
	int top_fd;	  /* the directory that is packed, O_PATH */
	const char *name; /* what it is called in the archive */
	bool stay_on_mount;
	struct strmap links; /* "device:inode" -> first name in the archive, heap */
	char **pending;	     /* directories below top_fd still to be read, "" = itself */
	size_t pending_count;
};

static char *join(const char *directory, const char *name)
{
	return xasprintf("%s%s%s", directory, *directory && *name ? "/" : "", name);
}

static void fill(struct tar_entry *entry, const char *path, const struct stat *st)
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

static int write_opened(struct pack *pack, int fd, struct tar_entry *entry, struct error *err)
{
	int r = xattrs_read(fd, &entry->xattrs, &entry->xattr_count, err);

	if (r < 0)
		return r;
	r = tar_writer_entry(pack->writer, entry, err);
	xattrs_free(entry->xattrs, entry->xattr_count);
	return r;
}

/* `fd` is an O_PATH fd of a regular file; opening it again by its link in /proc is no look-up by
 * name. */
static int write_file(
	struct pack *pack, int fd, const char *path, const struct stat *st, struct error *err)
{
	cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
	cleanup_fd int file_fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct tar_entry entry;
	int r;

	if (file_fd < 0)
		return error_sys(err, -errno, "open");
	fill(&entry, path, st);
	entry.size = (uint64_t)st->st_size;
	r = write_opened(pack, file_fd, &entry, err);
	return r < 0 ? r : tar_writer_copy(pack->writer, file_fd, entry.size, true, err);
}

static int write_link(
	struct pack *pack, int fd, const char *path, const struct stat *st, struct error *err)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(fd, "", text, sizeof(text) - 1);
	struct tar_entry entry;

	if (n < 0)
		return error_sys(err, -errno, "read link");
	text[n] = '\0';
	fill(&entry, path, st);
	entry.link = text;
	return tar_writer_entry(pack->writer, &entry, err);
}

/* 1 = written as a further name of what is in the archive already. */
static int write_known(
	struct pack *pack, const char *path, const struct stat *st, struct error *err)
{
	cleanup_free char *key = NULL;
	struct tar_entry entry;
	const char *first;
	int r;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	key = xasprintf(
		"%llx:%llx", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino);
	first = strmap_get(&pack->links, key);
	if (!first) {
		strmap_set(&pack->links, key, xstrdup(path));
		return 0;
	}
	fill(&entry, path, st);
	entry.hard_link = first;
	r = tar_writer_entry(pack->writer, &entry, err);
	return r < 0 ? r : 1;
}

/* Anything but a directory, by its O_PATH fd. */
static int write_node(struct pack *pack, int fd, const char *path, struct error *err)
{
	struct tar_entry entry;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "look at it");
	if (S_ISSOCK(st.st_mode))
		return 0;
	r = write_known(pack, path, &st, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(st.st_mode))
		return write_file(pack, fd, path, &st, err);
	if (S_ISLNK(st.st_mode))
		return write_link(pack, fd, path, &st, err);
	fill(&entry, path, &st);
	return tar_writer_entry(pack->writer, &entry, err);
}

static int open_below(const struct pack *pack, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   (pack->stay_on_mount ? RESOLVE_NO_XDEV : 0),
	};

	return (int)syscall(SYS_openat2, pack->top_fd, *path ? path : ".", &how, sizeof(how));
}

static int write_directory_entry(struct pack *pack, int fd, const char *path, struct error *err)
{
	cleanup_free char *name = join(pack->name, path);
	struct tar_entry entry;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "look at it");
	fill(&entry, name, &st);
	return write_opened(pack, fd, &entry, err);
}

/* A mount that is not entered leaves its directory, as it is seen from here. */
static int write_mount_point(struct pack *pack, const char *path, struct error *err)
{
	cleanup_free char *name = join(pack->name, path);
	const struct tar_entry entry = { .path = name, .mode = S_IFDIR | 0755 };

	return tar_writer_entry(pack->writer, &entry, err);
}

static int add_name(
	struct pack *pack, int dir_fd, const char *directory, const char *name, struct error *err)
{
	cleanup_free char *below = join(directory, name);
	cleanup_free char *path = join(pack->name, below);
	cleanup_fd int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "%s", below);
	if (S_ISDIR(st.st_mode)) {
		*array_add(pack->pending, pack->pending_count) = steal_ptr(below);
		return 0;
	}
	if (pack->stay_on_mount) {
		cleanup_fd int same_fd = open_below(pack, below, O_PATH);

		if (same_fd < 0 && errno == EXDEV) /* a file that is mounted: an empty one */
			return 0;
	}
	r = write_node(pack, fd, path, err);
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}

static int write_directory(struct pack *pack, const char *path, struct error *err)
{
	cleanup_fd int fd = open_below(pack, path, O_RDONLY | O_DIRECTORY);
	cleanup_strv char **names = NULL;
	int r;

	if (fd < 0 && errno == EXDEV)
		return write_mount_point(pack, path, err);
	if (fd < 0) /* gone, or no directory any more */
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : error_sys(err, -errno, "%s", path);
	r = write_directory_entry(pack, fd, path, err);
	if (r == 0)
		r = dir_list(fd, ".", &names, err);
	for (char **name = names; r == 0 && name && *name; name++)
		r = add_name(pack, fd, path, *name, err);
	return r;
}

/* No recursion: a container may nest directories as deep as it likes. */
static int write_tree(struct pack *pack, struct error *err)
{
	int r = write_directory(pack, "", err);

	while (r == 0 && pack->pending_count > 0) {
		cleanup_free char *path = pack->pending[--pack->pending_count];

		r = write_directory(pack, path, err);
	}
	return r;
}

static void pack_release(struct pack *pack)
{
	strmap_for_each (entry, &pack->links)
		free(entry->value);
	strmap_release(&pack->links);
	while (pack->pending_count > 0)
		free(pack->pending[--pack->pending_count]);
	free(pack->pending);
	tar_writer_free(pack->writer);
}

/* "/a/b" -> the directory "/a" and "b"; "/a/b/." and "/" -> the thing itself, followed. */
static int open_top(
	const struct archive_source *source, const char *clean, bool content, struct error *err)
{
	const char *name = strrchr(clean, '/') + 1;
	cleanup_free char *parent = xstrndup(clean, (size_t)(name - clean));
	cleanup_fd int parent_fd = -1;
	int fd;

	if (source->follow || content || !*name)
		return in_root_find(source->root_fd, clean, err);
	parent_fd = in_root_find(source->root_fd, parent, err);
	if (parent_fd < 0)
		return parent_fd;
	fd = openat(parent_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_sys(err, -errno, "%s", clean) : fd;
}

static int pack_top(struct pack *pack, struct error *err)
{
	char *digest = NULL;
	uint64_t size;
	struct stat st;
	int r = 0;

	if (fstat(pack->top_fd, &st) < 0)
		return error_sys(err, -errno, "look at it");
	r = S_ISDIR(st.st_mode) ? write_tree(pack, err)
				: write_node(pack, pack->top_fd, pack->name, err);
	if (r == 0)
		r = tar_writer_finish(pack->writer, &digest, &size, err);
	free(digest);
	return r;
}

int archive_pack(const struct archive_source *source, int out_fd, struct error *err)
{
	size_t length = strlen(source->path);
	bool content = (length >= 2 && !strcmp(source->path + length - 2, "/.")) ||
		       !strcmp(source->path, ".");
	cleanup_free char *clean = path_clean(source->path);
	const char *name = strrchr(clean, '/') + 1;
	struct pack pack = { .stay_on_mount = source->stay_on_mount };
	cleanup_fd int top_fd = open_top(source, clean, content, err);
	int r;

	if (top_fd < 0)
		return top_fd;
	pack.top_fd = top_fd;
	pack.name = content || !*name ? "." : name;
	r = tar_writer_open(&pack.writer, out_fd, err);
	if (r == 0)
		r = pack_top(&pack, err);
	pack_release(&pack);
	return r;
}
