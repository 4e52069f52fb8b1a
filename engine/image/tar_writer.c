/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_writer.c - tar entries onto an fd, hashed while they go by. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/image/digest.h"
#include "engine/image/tarball_libarchive.h"

#define WRITE_BLOCK (256 * 1024)
#define COPY_BLOCK  (256 * 1024)

struct tar_writer {
	struct archive *archive;
	struct archive_entry *entry;
	struct sha256 sha;
	struct error write_error;
	uint64_t size;
	int fd;
	bool is_over; /* nothing more is written */
	locale_t utf8_locale;
	char *block; /* COPY_BLOCK bytes, from the first copy on */
};

static la_ssize_t write_block(struct archive *archive, void *arg, const void *bytes, size_t length)
{
	struct tar_writer *writer = arg;
	int r = writer->is_over ? -EPIPE
				: fd_write_all(writer->fd, bytes, length, &writer->write_error);

	if (r < 0) {
		libarchive.archive_set_error(archive, -r, "cannot write");
		return ARCHIVE_FATAL;
	}
	sha256_update(&writer->sha, bytes, length);
	writer->size += length;
	return (la_ssize_t)length;
}

static int writer_error(struct tar_writer *writer, struct error *err)
{
	if (writer->write_error.code)
		return error_move(err, &writer->write_error);
	return tarball_error(writer->archive, "write tar", err);
}

int tar_writer_open(struct tar_writer **ret, int fd, struct error *err)
{
	cleanup_tar_writer struct tar_writer *writer = NULL;
	int r = tarball_load(err);

	if (r < 0)
		return r;
	writer = xcalloc(1, sizeof(*writer));
	writer->fd = fd;
	sha256_init(&writer->sha);
	writer->archive = libarchive.archive_write_new();
	writer->entry = libarchive.archive_entry_new();
	/* Names are UTF-8 in pax headers; in this locale they need no conversion. */
	writer->utf8_locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
	if (!writer->utf8_locale)
		writer->utf8_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!writer->archive || !writer->entry || !writer->utf8_locale)
		return error_sys(err, -ENOMEM, "write tar");
	/* Full pax keeps nanoseconds; SCHILY.xattr is the form image tools read.
	 */
	if (libarchive.archive_write_set_format_pax(writer->archive) != ARCHIVE_OK ||
		libarchive.archive_write_set_options(writer->archive, "pax:xattrheader=SCHILY") !=
			ARCHIVE_OK ||
		libarchive.archive_write_set_bytes_per_block(writer->archive, WRITE_BLOCK) !=
			ARCHIVE_OK ||
		libarchive.archive_write_set_bytes_in_last_block(writer->archive, 1) !=
			ARCHIVE_OK ||
		libarchive.archive_write_open(writer->archive, writer, NULL, write_block, NULL) !=
			ARCHIVE_OK)
		return writer_error(writer, err);
	*ret = steal_ptr(writer);
	return 0;
}

void tar_writer_free(struct tar_writer *writer)
{
	if (!writer)
		return;
	/* Freeing closes: an archive that was given up must not get an end mark by that. */
	writer->is_over = true;
	libarchive.archive_write_free(writer->archive);
	libarchive.archive_entry_free(writer->entry);
	if (writer->utf8_locale)
		freelocale(writer->utf8_locale);
	error_release(&writer->write_error);
	free(writer->block);
	free(writer);
}

void tar_writer_cleanup(struct tar_writer **writer)
{
	tar_writer_free(*writer);
}

static void fill(struct archive_entry *to, const struct tar_entry *entry)
{
	libarchive.archive_entry_copy_pathname(to, entry->path);
	if (entry->hard_link) {
		/* Other extractors put the mode of a hard link's entry on the file. */
		libarchive.archive_entry_set_mode(to, AE_IFREG | (entry->mode & 07777));
		libarchive.archive_entry_copy_hardlink(to, entry->hard_link);
	} else {
		libarchive.archive_entry_set_mode(to, entry->mode);
	}
	if (entry->link)
		libarchive.archive_entry_copy_symlink(to, entry->link);
	libarchive.archive_entry_set_uid(to, entry->uid);
	libarchive.archive_entry_set_gid(to, entry->gid);
	libarchive.archive_entry_set_mtime(to, entry->mtime.tv_sec, entry->mtime.tv_nsec);
	libarchive.archive_entry_set_size(to, (la_int64_t)entry->size);
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode)) {
		libarchive.archive_entry_set_rdevmajor(to, major(entry->device));
		libarchive.archive_entry_set_rdevminor(to, minor(entry->device));
	}
	for (size_t i = 0; i < entry->xattr_count; i++)
		libarchive.archive_entry_xattr_add_entry(
			to, entry->xattrs[i].name, entry->xattrs[i].value, entry->xattrs[i].size);
}

/* A name that is no UTF-8 is written as it is and marked hdrcharset=BINARY; libarchive warns about
 * it. */
static bool is_harmless_warning(struct archive *archive)
{
	const char *text = libarchive.archive_error_string(archive);

	return text && strstr(text, "an't translate");
}

int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *err)
{
	locale_t callers = uselocale(writer->utf8_locale);
	int r;

	libarchive.archive_entry_clear(writer->entry);
	fill(writer->entry, entry);
	r = libarchive.archive_write_header(writer->archive, writer->entry);
	uselocale(callers);
	if (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && is_harmless_warning(writer->archive)))
		return writer_error(writer, err);
	return 0;
}

int tar_writer_data(struct tar_writer *writer, const void *bytes, size_t length, struct error *err)
{
	if (libarchive.archive_write_data(writer->archive, bytes, length) != (la_ssize_t)length)
		return writer_error(writer, err);
	return 0;
}

int tar_writer_copy(
	struct tar_writer *writer, int fd, uint64_t size, bool may_shrink, struct error *err)
{
	bool at_end = false;

	if (!writer->block)
		writer->block = xmalloc(COPY_BLOCK);
	while (size > 0) {
		size_t want = size < COPY_BLOCK ? (size_t)size : COPY_BLOCK;
		ssize_t n = at_end ? 0 : read(fd, writer->block, want);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, -errno, "read");
		if (n == 0 && !may_shrink)
			return error_set(
				err, -EBADMSG, "ends %" PRIu64 " bytes before its size", size);
		if (n == 0) {
			at_end = true;
			memset(writer->block, 0, want);
			n = (ssize_t)want;
		}
		r = tar_writer_data(writer, writer->block, (size_t)n, err);
		if (r < 0)
			return r;
		size -= (uint64_t)n;
	}
	return 0;
}

int tar_writer_finish(
	struct tar_writer *writer, char **ret_digest, uint64_t *ret_size, struct error *err)
{
	if (libarchive.archive_write_close(writer->archive) != ARCHIVE_OK)
		return writer_error(writer, err);
	*ret_digest = digest_finish(&writer->sha);
	*ret_size = writer->size;
	return 0;
}
