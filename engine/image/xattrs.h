/* SPDX-License-Identifier: GPL-2.0-or-later
 * xattrs.h - the extended attributes of an open file, those that images keep. */
#ifndef MYCOMPOSE_IMAGE_XATTRS_H
#define MYCOMPOSE_IMAGE_XATTRS_H

#include "engine/image/tarball.h"

/* Only names of xattr_is_kept, in byte order. A file system without xattrs has none. */
int xattrs_read(int fd, struct tar_xattr **ret, size_t *ret_count, struct error *err);
void xattrs_free(struct tar_xattr *xattrs, size_t count);

#endif
