/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_attributes.h - owner, mode, times and xattrs of what is unpacked. */
#ifndef MYCOMPOSE_IMAGE_LAYER_ATTRIBUTES_H
#define MYCOMPOSE_IMAGE_LAYER_ATTRIBUTES_H

#include "engine/image/layer_path.h"

/* An open file or directory gets all of the entry's attributes (a directory its mtime later). */
int attributes_apply(int fd, const struct tar_entry *entry, struct error *err);
/* By name, without opening: links, devices, FIFOs. */
int attributes_apply_at(
	int parent_fd, const char *name, const struct tar_entry *entry, struct error *err);
/* A directory made because the tar left it out: like the one below. */
int attributes_copy_directory(
	struct layer_tree *tree, const char *path, int fd, int lower_fd, struct error *err);
/* Drop the xattrs an earlier entry gave a directory; overlay's marks stay. */
void attributes_clear_xattrs(int fd);

#endif
