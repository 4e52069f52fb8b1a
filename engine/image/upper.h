/* SPDX-License-Identifier: GPL-2.0-or-later
 * upper.h - overlay's upper directory becomes a layer's tar: the way back from layer.h. */
#ifndef MYCOMPOSE_IMAGE_UPPER_H
#define MYCOMPOSE_IMAGE_UPPER_H

#include "engine/image/tarball.h"

/* Write everything below upper_fd, names in byte order, each directory before its content.
 * Character devices 0:0 become whiteouts, opaque directories get an opaque marker, hard links
 * inside stay hard links, sockets and overlay's own xattrs are left out. The container may be
 * changing the tree meanwhile: nothing is followed out of it, and each file is as long as it was
 * when it was opened. -EOPNOTSUPP for a directory or file that overlay only refers to
 * (redirect_dir, metacopy), because its content is not here. */
int upper_write(int upper_fd, struct tar_writer *writer, struct error *err);

#endif
