/* SPDX-License-Identifier: GPL-2.0-or-later
 * blob.c - contents by digest: written into the workspace, read from there or from the store. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/image/digest.h"
#include "engine/image/store.h"

#define SPACE_STEP (64ULL << 20)

int blob_start(struct blob_writer *writer, struct store *store, struct error *err)
{
	*writer = (struct blob_writer){ .store = store, .fd = -1 };
	snprintf(writer->name, sizeof(writer->name), "blob-%u", store->work_count++);
	sha256_init(&writer->sha);
	writer->fd = file_open(
		store->work_fd, writer->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
	return writer->fd < 0 ? writer->fd : 0;
}

int blob_add(struct blob_writer *writer, const void *bytes, size_t length, struct error *err)
{
	int r;

	if (writer->size + length > writer->checked) {
		r = store_check_space(writer->store, length, err);
		if (r < 0)
			return r;
		writer->checked = writer->size + length + SPACE_STEP;
	}
	r = fd_write_all(writer->fd, bytes, length, err);
	if (r < 0)
		return error_wrap(err, "write blob");
	sha256_update(&writer->sha, bytes, length);
	writer->size += length;
	return 0;
}

void blob_end_as(struct blob_writer *writer, const char *digest)
{
	close_fd(&writer->fd);
	free(strmap_set(&writer->store->work_blobs, digest, xstrdup(writer->name)));
}

char *blob_end(struct blob_writer *writer)
{
	char *digest = digest_finish(&writer->sha);

	blob_end_as(writer, digest);
	return digest;
}

void blob_give_up(struct blob_writer *writer)
{
	close_fd(&writer->fd);
}

int store_blob_write(struct store *store, const void *bytes, size_t length, const char *media_type,
	struct descriptor *ret, struct error *err)
{
	struct blob_writer writer;
	int r = blob_start(&writer, store, err);

	if (r == 0)
		r = blob_add(&writer, bytes, length, err);
	if (r < 0) {
		blob_give_up(&writer);
		return r;
	}
	ret->media_type = xstrdup(media_type);
	ret->digest = blob_end(&writer);
	ret->size = length;
	return 0;
}

int store_blob_ingest(struct store *store, struct stream *stream, char **ret_digest,
	uint64_t *ret_size, struct error *err)
{
	struct blob_writer writer;
	const void *block;
	ssize_t length = 0;
	int r = blob_start(&writer, store, err);

	while (r == 0 && (length = stream_next(stream, &block, err)) > 0)
		r = blob_add(&writer, block, (size_t)length, err);
	if (r == 0 && length < 0)
		r = (int)length;
	if (r < 0) {
		blob_give_up(&writer);
		return r;
	}
	*ret_digest = blob_end(&writer);
	*ret_size = writer.size;
	return 0;
}

int store_blob_open(const struct store *store, const char *digest, struct error *err)
{
	const char *name = strmap_get(&store->work_blobs, digest);
	int fd;

	if (name)
		return file_open(store->work_fd, name, O_RDONLY | O_NOFOLLOW, 0, err);
	fd = openat(store->blobs_fd, digest_hex(digest), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? error_sys(err, -errno, "blob %s", digest) : fd;
}

bool store_has_blob(const struct store *store, const char *digest)
{
	return strmap_has(&store->work_blobs, digest) ||
	       faccessat(store->blobs_fd, digest_hex(digest), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_blob_read(const struct store *store, const char *digest, uint64_t size, size_t limit,
	char **ret, size_t *ret_length, struct error *err)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	cleanup_free char *found = NULL;
	cleanup_fd int fd = store_blob_open(store, digest, err);
	int r;

	if (fd < 0)
		return fd;
	r = fd_read_all(fd, limit, &buf, err);
	if (r < 0)
		return error_wrap(err, "blob %s", digest);
	found = digest_of(strbuf_text(&buf), buf.length);
	if (strcmp(found, digest) != 0 || (size != UINT64_MAX && size != buf.length))
		return error_set(err, -EBADMSG,
			"blob %s: content does not match its digest or size", digest);
	*ret_length = buf.length;
	*ret = strbuf_steal(&buf);
	return 0;
}
