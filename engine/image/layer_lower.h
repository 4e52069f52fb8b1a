/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_lower.h - what the layers below show at one place, as overlay would merge them. */
#ifndef MYCOMPOSE_IMAGE_LAYER_LOWER_H
#define MYCOMPOSE_IMAGE_LAYER_LOWER_H

#include "engine/image/layer.h"

/* The directories that are merged at the current place, top first. */
struct lower_dirs {
	int *fds;
	size_t count;
};
void lower_dirs_release(struct lower_dirs *dirs);

/* Stand at `path` (plain, "" is the root), with this layer's own opaque directories on the way
 * heeded. */
int lower_dirs_start(struct lower_dirs *dirs, const struct layer_place *place, const char *path,
	struct error *err);
/* Go into `name`. No directory is left when there is none; what is there instead (a link, say) is
 * then ret_other_fd (O_PATH), else -1. */
int lower_dirs_enter(
	struct lower_dirs *dirs, const char *name, int *ret_other_fd, struct error *err);
bool directory_is_opaque(int dir_fd); /* dir_fd may be O_PATH */

#endif
