/* SPDX-License-Identifier: GPL-2.0-or-later
 * lost.h - containers whose directory is there and whose record is not: nothing of ours leaves one
 * so, somebody has removed the file. May depend on: engine/base/, container.h. */
#ifndef MYCOMPOSE_CONTAINER_LOST_H
#define MYCOMPOSE_CONTAINER_LOST_H

#include "engine/container/container.h"

/* Their ids. */
int container_lost(const struct engine *engine, char ***ret_ids, struct error *err);
/* Write the record of one again, as its supervisor remembers it, under the name that still leads to
 * it. Nothing happens to one that has its record, or has been removed. */
int container_restore(
	const struct engine *engine, const struct container *container, struct error *err);
/* Remove what is left of one, by its id or a unique beginning of it that is no shorter than a short
 * id: its files, addresses, and the cgroup with what runs in it. -ENOENT. */
int container_remove_lost(const struct engine *engine, const char *text, struct error *err);

#endif
