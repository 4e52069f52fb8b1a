/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit_config.h - the image config that a committed container leaves. Pure. */
#ifndef MYCOMPOSE_CMD_COMMIT_CONFIG_H
#define MYCOMPOSE_CMD_COMMIT_CONFIG_H

#include "engine/container/container.h"
#include "engine/image/image.h"

/* What the container was run with, so that the new image runs the same way: command, environment,
 * user, directory, ports, labels, health check; volumes of its own image. Labels that bind it to
 * a project stay behind. Free with commit_config_release. */
void commit_config_make(const struct container *container, const struct image_config *parent,
	struct image_config *ret);
void commit_config_release(struct image_config *config);

#endif
