/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_stream.c - plain bytes out of a file of any compression, with bounds. */
#include <errno.h>

#include "engine/base/memory.h"
#include "engine/image/tarball_libarchive.h"

#define READ_BLOCK (1024 * 1024)

/* 64 GiB in one layer, and 200 bytes for one: text-heavy layers reach 10, an archive bomb 1000. */
const struct tar_limits tar_limits_default = {
	.max_bytes = 64ULL << 30,
	.ratio_floor = 256ULL << 20,
	.max_ratio = 200,
};

struct stream {
	struct archive *archive;
	char *name;
	struct tar_limits limits;
	uint64_t position;
	bool at_end;
};

int tarball_error(struct archive *archive, const char *name, struct error *err)
{
	int code = libarchive.archive_errno(archive);
	const char *text = libarchive.archive_error_string(archive);

	/* Format errors carry EILSEQ or -1, which say nothing about the system. */
	if (code <= 0 || code == EILSEQ)
		code = EBADMSG;
	return error_set(err, -code, "%s: %s", name, text ? text : "damaged archive");
}

static const struct {
	enum compression compression;
	int (**support)(struct archive *archive);
} filters[] = {
	{ COMPRESSION_GZIP, &libarchive.archive_read_support_filter_gzip },
	{ COMPRESSION_ZSTD, &libarchive.archive_read_support_filter_zstd },
	{ COMPRESSION_ANY, &libarchive.archive_read_support_filter_bzip2 },
	{ COMPRESSION_ANY, &libarchive.archive_read_support_filter_xz },
};

static int open_raw(struct stream *stream, int fd, enum compression compression, struct error *err)
{
	struct archive_entry *entry;
	struct archive *archive = libarchive.archive_read_new();
	int r;

	if (!archive)
		return error_sys(err, -ENOMEM, "%s", stream->name);
	stream->archive = archive;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (compression == COMPRESSION_ANY || compression == filters[i].compression)
			(*filters[i].support)(archive);
	libarchive.archive_read_support_format_raw(archive);
	libarchive.archive_read_support_format_empty(archive);
	if (libarchive.archive_read_open_fd(archive, fd, READ_BLOCK) != ARCHIVE_OK)
		return tarball_error(archive, stream->name, err);
	r = libarchive.archive_read_next_header(archive, &entry);
	if (r == ARCHIVE_EOF)
		stream->at_end = true;
	else if (r != ARCHIVE_OK)
		return tarball_error(archive, stream->name, err);
	return 0;
}

int stream_open(struct stream **ret, int fd, const char *name, enum compression compression,
	const struct tar_limits *limits, struct error *err)
{
	cleanup_stream struct stream *stream = NULL;
	int r = tarball_load(err);

	if (r < 0)
		return error_wrap(err, "%s", name);
	stream = xcalloc(1, sizeof(*stream));
	stream->name = xstrdup(name);
	stream->limits = limits ? *limits : tar_limits_default;
	r = open_raw(stream, fd, compression, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(stream);
	return 0;
}

static int check_limits(const struct stream *stream, struct error *err)
{
	const struct tar_limits *limits = &stream->limits;
	int64_t consumed = libarchive.archive_filter_bytes(stream->archive, -1);

	if (stream->position > limits->max_bytes)
		return error_set(err, -EFBIG, "%s: more than %llu bytes", stream->name,
			(unsigned long long)limits->max_bytes);
	if (stream->position > limits->ratio_floor && consumed >= 0 &&
		stream->position / limits->max_ratio > (uint64_t)consumed)
		return error_set(err, -EFBIG, "%s: expands to more than %u times its size",
			stream->name, limits->max_ratio);
	return 0;
}

ssize_t stream_next(struct stream *stream, const void **ret_block, struct error *err)
{
	size_t length = 0;
	la_int64_t offset;
	int r;

	while (!stream->at_end) {
		r = libarchive.archive_read_data_block(
			stream->archive, ret_block, &length, &offset);
		if (r == ARCHIVE_EOF) {
			stream->at_end = true;
			break;
		}
		if (r != ARCHIVE_OK)
			return tarball_error(stream->archive, stream->name, err);
		stream->position += length;
		r = check_limits(stream, err);
		if (r < 0)
			return r;
		if (length > 0)
			return (ssize_t)length;
	}
	return 0;
}

const char *stream_name(const struct stream *stream)
{
	return stream->name;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	libarchive.archive_read_free(stream->archive);
	free(stream->name);
	free(stream);
}

void stream_cleanup(struct stream **stream)
{
	stream_free(*stream);
}
