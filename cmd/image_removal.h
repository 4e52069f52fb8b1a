/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_removal.h - remove an image unless a container needs it: what `rmi` and `down --rmi` share.
 */
#ifndef MYCOMPOSE_CMD_IMAGE_REMOVAL_H
#define MYCOMPOSE_CMD_IMAGE_REMOVAL_H

#include <stdbool.h>

#include "engine/image/image.h"

/* As image_remove of image.h; the containers of the whole host count. */
int image_remove_unused(const struct engine *engine, const char *name, bool force,
	struct image_removal *ret, struct error *err);

#endif
