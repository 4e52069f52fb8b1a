/* SPDX-License-Identifier: GPL-2.0-or-later
 * tarball_libarchive.h - what the tar_*.c files, together the libarchive adapter, share.
 *
 * libarchive is loaded when the first archive is opened (dlopen), not linked: with what it brings
 * along (libxml2, ICU, libstdc++) it costs each start of the program 3 ms in the dynamic linker,
 * and most commands never see an archive. `libarchive` holds the calls that are used; it is filled
 * once by tarball_load and never changes again. */
#ifndef MYCOMPOSE_IMAGE_TARBALL_LIBARCHIVE_H
#define MYCOMPOSE_IMAGE_TARBALL_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "engine/image/tarball.h"

#define LIBARCHIVE_CALLS(X)                      \
	X(archive_entry_clear)                   \
	X(archive_entry_copy_hardlink)           \
	X(archive_entry_copy_pathname)           \
	X(archive_entry_copy_symlink)            \
	X(archive_entry_free)                    \
	X(archive_entry_gid)                     \
	X(archive_entry_hardlink)                \
	X(archive_entry_mode)                    \
	X(archive_entry_mtime)                   \
	X(archive_entry_mtime_nsec)              \
	X(archive_entry_new)                     \
	X(archive_entry_pathname)                \
	X(archive_entry_rdevmajor)               \
	X(archive_entry_rdevminor)               \
	X(archive_entry_set_gid)                 \
	X(archive_entry_set_mode)                \
	X(archive_entry_set_mtime)               \
	X(archive_entry_set_rdevmajor)           \
	X(archive_entry_set_rdevminor)           \
	X(archive_entry_set_size)                \
	X(archive_entry_set_uid)                 \
	X(archive_entry_size)                    \
	X(archive_entry_size_is_set)             \
	X(archive_entry_symlink)                 \
	X(archive_entry_uid)                     \
	X(archive_entry_xattr_add_entry)         \
	X(archive_entry_xattr_next)              \
	X(archive_entry_xattr_reset)             \
	X(archive_errno)                         \
	X(archive_error_string)                  \
	X(archive_filter_bytes)                  \
	X(archive_read_data_block)               \
	X(archive_read_free)                     \
	X(archive_read_header_position)          \
	X(archive_read_new)                      \
	X(archive_read_next_header)              \
	X(archive_read_open2)                    \
	X(archive_read_open_fd)                  \
	X(archive_read_support_filter_bzip2)     \
	X(archive_read_support_filter_gzip)      \
	X(archive_read_support_filter_xz)        \
	X(archive_read_support_filter_zstd)      \
	X(archive_read_support_format_empty)     \
	X(archive_read_support_format_raw)       \
	X(archive_read_support_format_tar)       \
	X(archive_set_error)                     \
	X(archive_write_close)                   \
	X(archive_write_data)                    \
	X(archive_write_free)                    \
	X(archive_write_header)                  \
	X(archive_write_new)                     \
	X(archive_write_open)                    \
	X(archive_write_set_bytes_in_last_block) \
	X(archive_write_set_bytes_per_block)     \
	X(archive_write_set_format_pax)          \
	X(archive_write_set_options)

struct libarchive {
#define LIBARCHIVE_MEMBER(name) __typeof__(name) *name;
	LIBARCHIVE_CALLS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};
extern struct libarchive libarchive;

/* Before the first call through `libarchive`. -ENOENT names the package that brings the library. */
int tarball_load(struct error *err);

/* Turn libarchive's last error into ours: "NAME: text". Returns the code. */
int tarball_error(struct archive *archive, const char *name, struct error *err);
const char *stream_name(const struct stream *stream);

#endif
