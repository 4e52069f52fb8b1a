/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_copy.h - copy a directory tree as it is: owners, modes, times, extended attributes, hard
 * links within the tree, holes, symlinks and special files as such.
 *
 * Nothing but directories met on the way is entered and nothing but regular files is read, each
 * opened by one component with O_NOFOLLOW from the fd of its parent. Overlay's own attributes are
 * left out. */
#ifndef MYCOMPOSE_CONTAINER_TREE_COPY_H
#define MYCOMPOSE_CONTAINER_TREE_COPY_H

#include "engine/base/errors.h"

/* The content of src_fd into the empty directory dst_fd, then src_fd's own attributes to dst_fd.
 * -ELOOP when it is nested deeper than 128 directories. A failure leaves part of the copy behind.
 */
int tree_copy(int src_fd, int dst_fd, struct error *err);
/* Owner, mode, extended attributes and times of a directory or regular file. */
int tree_copy_attributes(int src_fd, int dst_fd, struct error *err);

#endif
