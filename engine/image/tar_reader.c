/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_reader.c - tar entries out of a stream of bytes, checked. */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/base/memory.h"
#include "engine/image/digest.h"
#include "engine/image/tarball_libarchive.h"

#define XATTR_COUNT_MAX 512

struct tar_reader {
	struct archive *archive;
	struct stream *stream;
	struct sha256 sha;
	struct error stream_error; /* set while libarchive asked for bytes */
	uint64_t stream_size;
	uint64_t end_position; /* where the header after the last entry would be */
	uint64_t data_position;
	struct tar_entry entry;
	locale_t c_locale;
};

static la_ssize_t read_stream(struct archive *archive, void *arg, const void **ret_block)
{
	struct tar_reader *reader = arg;
	ssize_t length = stream_next(reader->stream, ret_block, &reader->stream_error);

	if (length < 0) {
		libarchive.archive_set_error(archive, (int)-length, "cannot read");
		return ARCHIVE_FATAL;
	}
	sha256_update(&reader->sha, *ret_block, (size_t)length);
	reader->stream_size += (uint64_t)length;
	return length;
}

static int reader_error(struct tar_reader *reader, struct error *err)
{
	if (reader->stream_error.code)
		return error_move(err, &reader->stream_error);
	return tarball_error(reader->archive, stream_name(reader->stream), err);
}

int tar_reader_open(struct tar_reader **ret, struct stream *stream, struct error *err)
{
	cleanup_tar_reader struct tar_reader *reader = xcalloc(1, sizeof(*reader));

	reader->stream = stream;
	reader->archive = libarchive.archive_read_new();
	reader->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!reader->archive || !reader->c_locale)
		return error_sys(err, -ENOMEM, "%s", stream_name(stream));
	sha256_init(&reader->sha);
	libarchive.archive_read_support_format_tar(reader->archive);
	if (libarchive.archive_read_open2(reader->archive, reader, NULL, read_stream, NULL, NULL) !=
		ARCHIVE_OK)
		return reader_error(reader, err);
	*ret = steal_ptr(reader);
	return 0;
}

static void entry_clear(struct tar_entry *entry)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->xattrs);
	*entry = (struct tar_entry){ 0 };
}

void tar_reader_free(struct tar_reader *reader)
{
	if (!reader)
		return;
	entry_clear(&reader->entry);
	libarchive.archive_read_free(reader->archive);
	stream_free(reader->stream);
	if (reader->c_locale)
		freelocale(reader->c_locale);
	error_release(&reader->stream_error);
	free(reader);
}

void tar_reader_cleanup(struct tar_reader **reader)
{
	tar_reader_free(*reader);
}

static int bad_entry(const struct tar_reader *reader, int code, const char *what, struct error *err)
{
	const char *path = reader->entry.path;

	return error_set(err, code, "%s: entry '%.100s%s': %s", stream_name(reader->stream), path,
		strlen(path) > 100 ? "..." : "", what);
}

static int take_xattrs(struct tar_reader *reader, struct archive_entry *from, struct error *err)
{
	struct tar_entry *entry = &reader->entry;
	const char *name;
	const void *value;
	size_t size;

	libarchive.archive_entry_xattr_reset(from);
	while (libarchive.archive_entry_xattr_next(from, &name, &value, &size) == ARCHIVE_OK) {
		struct tar_xattr *xattr;

		if (entry->xattr_count >= XATTR_COUNT_MAX)
			return bad_entry(reader, -E2BIG, "too many extended attributes", err);
		xattr = array_add(entry->xattrs, entry->xattr_count);
		xattr->name = xstrdup(name);
		xattr->value = xmalloc(size + 1);
		memcpy(xattr->value, value, size);
		xattr->size = size;
	}
	return 0;
}

static int check_length(const struct tar_reader *reader, const char *text, struct error *err)
{
	const char *end = text;

	for (const char *start = text; *start; start = *end ? end + 1 : end) {
		end = strchrnul(start, '/');
		if (end - start > NAME_MAX || end - text >= PATH_MAX)
			return bad_entry(reader, -ENAMETOOLONG, "name too long", err);
	}
	return 0;
}

/* Ids: 2^32-1 is the kernel's "no id". Devices: what makedev can hold (12 + 20 bits in mknod(2)).
 */
static int take_numbers(struct tar_reader *reader, struct archive_entry *from, struct error *err)
{
	struct tar_entry *entry = &reader->entry;
	int64_t uid = libarchive.archive_entry_uid(from);
	int64_t gid = libarchive.archive_entry_gid(from);
	int64_t size = libarchive.archive_entry_size_is_set(from)
			       ? libarchive.archive_entry_size(from)
			       : 0;
	dev_t dev_major = libarchive.archive_entry_rdevmajor(from);
	dev_t dev_minor = libarchive.archive_entry_rdevminor(from);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return bad_entry(reader, -ERANGE, "user or group id out of range", err);
	if (size < 0)
		return bad_entry(reader, -EBADMSG, "negative size", err);
	if ((S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) &&
		(dev_major > 0xfff || dev_minor > 0xfffff))
		return bad_entry(reader, -ERANGE, "device number out of range", err);
	entry->uid = (uid_t)uid;
	entry->gid = (gid_t)gid;
	entry->size = (uint64_t)size;
	entry->device = makedev((unsigned int)dev_major, (unsigned int)dev_minor);
	entry->mtime.tv_sec = libarchive.archive_entry_mtime(from);
	entry->mtime.tv_nsec = libarchive.archive_entry_mtime_nsec(from);
	if (entry->mtime.tv_nsec < 0 || entry->mtime.tv_nsec > 999999999)
		entry->mtime.tv_nsec = 0;
	return 0;
}

static int take_entry(struct tar_reader *reader, struct archive_entry *from, struct error *err)
{
	struct tar_entry *entry = &reader->entry;
	int r;

	entry->path = libarchive.archive_entry_pathname(from);
	if (!entry->path)
		return error_set(
			err, -EBADMSG, "%s: entry without a name", stream_name(reader->stream));
	entry->hard_link = libarchive.archive_entry_hardlink(from);
	entry->mode = entry->hard_link ? 0 : libarchive.archive_entry_mode(from) & (S_IFMT | 07777);
	if (S_ISLNK(entry->mode)) {
		entry->link = libarchive.archive_entry_symlink(from);
		if (!entry->link || !*entry->link || strlen(entry->link) >= PATH_MAX)
			return bad_entry(reader, -EBADMSG, "bad symbolic link", err);
	}
	r = check_length(reader, entry->path, err);
	if (r == 0 && entry->hard_link)
		r = check_length(reader, entry->hard_link, err);
	if (r == 0)
		r = take_numbers(reader, from, err);
	return r < 0 ? r : take_xattrs(reader, from, err);
}

/* A name that is no ASCII cannot be converted to the C locale; libarchive then warns and leaves the
 * bytes as they are, which is what we want. Any other warning is about a damaged header. */
static bool is_harmless_warning(struct archive *archive)
{
	const char *text = libarchive.archive_error_string(archive);

	return text && strstr(text, "can't be converted");
}

int tar_reader_next(struct tar_reader *reader, const struct tar_entry **ret, struct error *err)
{
	struct archive_entry *from;
	locale_t callers;
	int r;

	entry_clear(&reader->entry);
	reader->data_position = 0;
	callers = uselocale(reader->c_locale);
	r = libarchive.archive_read_next_header(reader->archive, &from);
	uselocale(callers);
	if (r == ARCHIVE_EOF) {
		reader->end_position =
			(uint64_t)libarchive.archive_read_header_position(reader->archive);
		return 0;
	}
	if (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && is_harmless_warning(reader->archive)))
		return reader_error(reader, err);
	r = take_entry(reader, from, err);
	if (r < 0)
		return r;
	*ret = &reader->entry;
	return 1;
}

ssize_t tar_reader_data(
	struct tar_reader *reader, const void **ret_block, uint64_t *ret_offset, struct error *err)
{
	uint64_t size = reader->entry.size;
	size_t length = 0;
	la_int64_t offset = 0;
	int r;

	do {
		r = libarchive.archive_read_data_block(
			reader->archive, ret_block, &length, &offset);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK)
			return reader_error(reader, err);
	} while (length == 0);
	/* Sparse maps are the archive's word: blocks must come in order and inside the file. */
	if (offset < 0 || (uint64_t)offset < reader->data_position || (uint64_t)offset > size ||
		length > size - (uint64_t)offset)
		return bad_entry(reader, -EBADMSG, "content outside its size", err);
	reader->data_position = (uint64_t)offset + length;
	*ret_offset = (uint64_t)offset;
	return (ssize_t)length;
}

int tar_reader_finish(struct tar_reader *reader, bool must_end, char **ret_digest,
	uint64_t *ret_size, struct error *err)
{
	const void *block;
	la_ssize_t length;

	/* libarchive stops at the end mark; padding behind it belongs to the digest. */
	while ((length = read_stream(reader->archive, reader, &block)) > 0)
		;
	if (length < 0)
		return reader_error(reader, err);
	if (must_end && reader->stream_size < reader->end_position + 512)
		return error_set(err, -EBADMSG, "%s: truncated: no end-of-archive mark",
			stream_name(reader->stream));
	*ret_digest = digest_finish(&reader->sha);
	*ret_size = reader->stream_size;
	return 0;
}
