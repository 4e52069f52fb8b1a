/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_copy.h - copy a directory of an image into a new volume.
 *
 * By fds alone, one path component at a time, no symlink followed: what the image's author put
 * there cannot make us read or write anywhere else (HARDENING 6.2). */
#ifndef MYCOMPOSE_CONTAINER_VOLUME_COPY_H
#define MYCOMPOSE_CONTAINER_VOLUME_COPY_H

#include "engine/base/errors.h"

/* Fill the directory NAME in dir_fd with what src_fd holds, unless something is in it already. The
 * copy is made beside it and moved in when it is whole; one that was interrupted is finished or
 * made again. NAME keeps its inode (it may be mounted somewhere) and takes over owner, mode and
 * attributes of src_fd. Uses names beginning with "_fill" in dir_fd. */
int volume_copy_into(int dir_fd, const char *name, int src_fd, struct error *err);

#endif
