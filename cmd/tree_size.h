/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_size.h - how many bytes the files of a tree hold. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_TREE_SIZE_H
#define MYCOMPOSE_CMD_TREE_SIZE_H

#include <stdint.h>

#include "engine/base/errors.h"

/* Sum of the sizes of regular files below `path`, a file of several names once for each name. No
 * link is followed, no other file system entered. What vanishes meanwhile does not count. Absent
 * tree: 0. */
int tree_size(int dir_fd, const char *path, uint64_t *ret_bytes, struct error *err);

#endif
