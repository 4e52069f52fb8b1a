/* SPDX-License-Identifier: GPL-2.0-or-later
 * tarball.h - the libarchive adapter: decompressed byte streams, tar entries in and out.
 *
 * Reading has two steps. A `stream` turns a file into plain bytes (gzip, bzip2, xz, zstd or
 * nothing) within limits. A `tar_reader` pulls a stream and yields entries; it checks what any tar
 * of unknown origin must satisfy: ids fit, nothing is longer than the kernel takes, the end is
 * where it says. Names are byte strings: whatever the locale, nothing is converted. May depend on:
 * engine/base/, libarchive (nobody else includes it). */
#ifndef MYCOMPOSE_IMAGE_TARBALL_H
#define MYCOMPOSE_IMAGE_TARBALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/sha256.h"

enum compression { COMPRESSION_ANY, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD };

/* What a hostile archive may cost. Decompression stops with -EFBIG when more than `max_bytes` come
 * out, or when, past `ratio_floor` bytes, there are more than `max_ratio` bytes out for one in. */
struct tar_limits {
	uint64_t max_bytes;
	uint64_t ratio_floor;
	unsigned int max_ratio;
};
extern const struct tar_limits tar_limits_default;

struct stream;
/* `name` is for messages and copied; fd stays the caller's and is read from its present offset. */
int stream_open(struct stream **ret, int fd, const char *name, enum compression compression,
	const struct tar_limits *limits, struct error *err);
/* The next block, valid until the next call; its length, 0 at the end. */
ssize_t stream_next(struct stream *stream, const void **ret_block, struct error *err);
void stream_free(struct stream *stream); /* NULL is fine */
void stream_cleanup(struct stream **stream);
#define cleanup_stream __attribute__((cleanup(stream_cleanup)))

struct tar_xattr {
	char *name;
	void *value;
	size_t size;
};

struct tar_entry {
	const char *path;      /* as in the archive, never NULL */
	const char *hard_link; /* another entry's path, or NULL */
	const char *link;      /* a symbolic link's text, or NULL */
	mode_t mode;	       /* type and 07777 bits; the type of a hard link does not count */
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
	uint64_t size; /* of the content, holes counted */
	dev_t device;
	struct tar_xattr *xattrs; /* every namespace, as found */
	size_t xattr_count;
};

struct tar_reader;
#define cleanup_tar_reader __attribute__((cleanup(tar_reader_cleanup)))
/* `stream` is taken over, also on failure. */
int tar_reader_open(struct tar_reader **ret, struct stream *stream, struct error *err);
void tar_reader_free(struct tar_reader *reader); /* NULL is fine */
void tar_reader_cleanup(struct tar_reader **reader);
/* 1 and the next entry (valid until the next call), 0 at the end. Unread content is skipped. */
int tar_reader_next(struct tar_reader *reader, const struct tar_entry **ret, struct error *err);
/* The next block of the entry's content and its offset; its length, 0 at the end. Blocks are in
 * order and stay inside the entry's size; what they leave out are holes. */
ssize_t tar_reader_data(
	struct tar_reader *reader, const void **ret_block, uint64_t *ret_offset, struct error *err);
/* After the last entry: read what is left of the stream and give digest ("sha256:HEX", heap) and
 * length of all its bytes. With `must_end`, an archive without end-of-archive block counts as
 * truncated. */
int tar_reader_finish(struct tar_reader *reader, bool must_end, char **ret_digest,
	uint64_t *ret_size, struct error *err);

struct tar_writer;
#define cleanup_tar_writer __attribute__((cleanup(tar_writer_cleanup)))
/* A POSIX (pax) tar onto fd, hashed as it is written. */
int tar_writer_open(struct tar_writer **ret, int fd, struct error *err);
void tar_writer_free(struct tar_writer *writer); /* NULL is fine; an unfinished tar stays so */
void tar_writer_cleanup(struct tar_writer **writer);
/* `size` bytes of content must follow by tar_writer_data or tar_writer_copy. */
int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *err);
int tar_writer_data(struct tar_writer *writer, const void *bytes, size_t length, struct error *err);
/* Exactly `size` bytes of content from fd, which stays the caller's and is read from its present
 * offset. One that ends before that is filled up with zeros if it `may_shrink` (somebody is writing
 * to it), else -EBADMSG. */
int tar_writer_copy(
	struct tar_writer *writer, int fd, uint64_t size, bool may_shrink, struct error *err);
/* End of archive; digest (heap) and size of all that was written. */
int tar_writer_finish(
	struct tar_writer *writer, char **ret_digest, uint64_t *ret_size, struct error *err);

#endif
