/* SPDX-License-Identifier: GPL-2.0-or-later
 * tarball_libarchive.h - what the tar_*.c files, together the libarchive adapter, share. */
#ifndef MYCOMPOSE_IMAGE_TARBALL_LIBARCHIVE_H
#define MYCOMPOSE_IMAGE_TARBALL_LIBARCHIVE_H

#include "engine/image/tarball.h"

struct archive;

/* Turn libarchive's last error into ours: "NAME: text". Returns the code. */
int tarball_error(struct archive *archive, const char *name, struct error *err);
const char *stream_name(const struct stream *stream);

#endif
