/* SPDX-License-Identifier: GPL-2.0-or-later
 * source.c - take the members of an archive, or the files of a directory, into the workspace. */
#include "engine/image/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/image/layer_path.h"

#define MEMBERS_MAX 65536
#define LINKS_MAX   8
#define READ_BLOCK  (256 * 1024)

struct member {
	char *digest; /* NULL for a link */
	uint64_t size;
	char *link; /* clean path of another member */
};

struct source {
	struct store *store;
	char *name;
	int dir_fd; /* -1 for an archive; borrowed */
	struct strmap members;
};

static void member_free(void *value)
{
	struct member *member = value;

	if (!member)
		return;
	free(member->digest);
	free(member->link);
	free(member);
}

void source_free(struct source *source)
{
	if (!source)
		return;
	strmap_release_with(&source->members, member_free);
	free(source->name);
	free(source);
}

void source_cleanup(struct source **source)
{
	source_free(*source);
}

static void add_member(struct source *source, const char *path, struct member *member)
{
	member_free(strmap_set(&source->members, path, member));
}

static int take_content(
	struct source *source, struct tar_reader *reader, const char *path, struct error *err)
{
	struct blob_writer writer;
	struct member *member;
	const void *block;
	uint64_t offset;
	ssize_t length = 0;
	int r = blob_start(&writer, source->store, err);

	while (r == 0 && (length = tar_reader_data(reader, &block, &offset, err)) > 0) {
		if (offset != writer.size)
			r = error_set(err, -EBADMSG, "sparse members are not supported");
		else
			r = blob_add(&writer, block, (size_t)length, err);
	}
	if (r < 0 || length < 0) {
		blob_give_up(&writer);
		return r < 0 ? r : (int)length;
	}
	member = xcalloc(1, sizeof(*member));
	member->size = writer.size;
	member->digest = blob_end(&writer);
	add_member(source, path, member);
	return 0;
}

/* Where a link inside the archive leads, as a clean path: only lexically, it is never on disk. */
static char *link_target(const char *path, const char *text)
{
	cleanup_strbuf struct strbuf joined = STRBUF_INIT;
	const char *slash = strrchr(path, '/');

	if (*text != '/' && slash)
		strbuf_add(&joined, path, (size_t)(slash - path));
	while (*text) {
		size_t length = strcspn(text, "/");

		if (length == 2 && strncmp(text, "..", 2) == 0) {
			const char *last = strrchr(strbuf_text(&joined), '/');

			if (joined.length == 0)
				return NULL;
			joined.length = last ? (size_t)(last - joined.data) : 0;
			joined.data[joined.length] = '\0';
		} else if (length > 0 && !(length == 1 && *text == '.')) {
			if (joined.length > 0)
				strbuf_add_char(&joined, '/');
			strbuf_add(&joined, text, length);
		}
		text += length;
		text += strspn(text, "/");
	}
	return strbuf_steal(&joined);
}

static int take_entry(struct source *source, struct tar_reader *reader,
	const struct tar_entry *entry, struct error *err)
{
	cleanup_free char *path = NULL;
	struct member *member;
	char *target;
	int r = layer_path_clean(entry->path, &path, err);

	if (r < 0 || S_ISDIR(entry->mode))
		return r;
	if (source->members.count >= MEMBERS_MAX)
		return error_set(err, -E2BIG, "more than %d members", MEMBERS_MAX);
	if (S_ISREG(entry->mode))
		return take_content(source, reader, path, err);
	target = entry->hard_link	? link_target("", entry->hard_link)
		 : S_ISLNK(entry->mode) ? link_target(path, entry->link)
					: NULL;
	if (!target)
		return error_set(err, -EINVAL,
			"neither a file nor a link inside the archive; a root file "
			"system is brought in by `mycompose import`");
	member = xcalloc(1, sizeof(*member));
	member->link = target;
	add_member(source, path, member);
	return 0;
}

static int take_archive(struct source *source, int tar_fd, struct error *err)
{
	cleanup_tar_reader struct tar_reader *reader = NULL;
	const struct tar_entry *entry;
	struct stream *stream = NULL;
	int r = stream_open(&stream, tar_fd, source->name, COMPRESSION_ANY, NULL, err);

	if (r == 0)
		r = tar_reader_open(&reader, stream, err);
	while (r == 0 && (r = tar_reader_next(reader, &entry, err)) > 0) {
		r = take_entry(source, reader, entry, err);
		if (r < 0)
			return error_wrap(err, "%s: entry '%.200s'", source->name, entry->path);
	}
	return r;
}

int source_open(
	struct source **ret, struct store *store, int fd, const char *name, struct error *err)
{
	cleanup_source struct source *source = xcalloc(1, sizeof(*source));
	struct stat st;
	int r = 0;

	source->store = store;
	source->name = xstrdup(name);
	source->dir_fd = -1;
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "%s", name);
	if (S_ISDIR(st.st_mode))
		source->dir_fd = fd;
	else
		r = take_archive(source, fd, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(source);
	return 0;
}

/* A plain file of the directory, copied: what is checked must not change afterwards. */
static int take_file(struct source *source, const char *path, struct error *err)
{
	cleanup_fd int fd =
		layer_open_plain(source->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	cleanup_free char *block = xmalloc(READ_BLOCK);
	struct blob_writer writer;
	struct member *member;
	struct stat st;
	ssize_t length = 0;
	int r;

	if (fd < 0)
		return error_sys(err, fd, "%s: '%s'", source->name, path);
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "%s: '%s'", source->name, path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s: '%s' is no regular file", source->name, path);
	r = blob_start(&writer, source->store, err);
	while (r == 0 && (length = read(fd, block, READ_BLOCK)) > 0)
		r = blob_add(&writer, block, (size_t)length, err);
	if (r == 0 && length < 0)
		r = error_sys(err, -errno, "%s: read '%s'", source->name, path);
	if (r < 0) {
		blob_give_up(&writer);
		return r;
	}
	member = xcalloc(1, sizeof(*member));
	member->size = writer.size;
	member->digest = blob_end(&writer);
	add_member(source, path, member);
	return 0;
}

int source_get(struct source *source, const char *path, const char **ret_digest, uint64_t *ret_size,
	struct error *err)
{
	cleanup_free char *clean = NULL;
	const struct member *member;
	int r = *path == '/' ? error_set(err, -EINVAL, "absolute path")
			     : layer_path_clean(path, &clean, err);

	if (r < 0)
		return error_wrap(err, "%s: '%.200s'", source->name, path);
	member = strmap_get(&source->members, clean);
	if (!member && source->dir_fd >= 0) {
		r = take_file(source, clean, err);
		if (r < 0)
			return r;
		member = strmap_get(&source->members, clean);
	}
	for (int links = 0; member && member->link && links < LINKS_MAX; links++)
		member = strmap_get(&source->members, member->link);
	if (!member || !member->digest)
		return error_set(
			err, -ENOENT, "%s: there is no file '%.200s' in it", source->name, path);
	*ret_digest = member->digest;
	*ret_size = member->size;
	return 0;
}

bool source_has(struct source *source, const char *path)
{
	struct stat st;

	if (source->dir_fd >= 0)
		return fstatat(source->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return strmap_has(&source->members, path);
}

int source_read(struct source *source, const char *path, size_t limit, char **ret,
	size_t *ret_length, struct error *err)
{
	const char *digest;
	uint64_t size;
	int r = source_get(source, path, &digest, &size, err);

	if (r < 0)
		return r;
	if (size > limit)
		return error_set(err, -EFBIG, "%s: '%.200s' is larger than %zu bytes", source->name,
			path, limit);
	return store_blob_read(source->store, digest, size, limit, ret, ret_length, err);
}
