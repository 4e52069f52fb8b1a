/* SPDX-License-Identifier: GPL-2.0-or-later
 * tmpfs.h - the options of `tmpfs: /run:size=64m,mode=1777`. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_TMPFS_H
#define MYCOMPOSE_COMPOSE_TMPFS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/arena.h"

struct tmpfs_options {
	uint64_t size; /* bytes, 0: not given */
	uint32_t mode; /* permission bits, 0: not given */
	bool read_only;
	char **words; /* all others, as given: the engine knows which there are */
};

void tmpfs_options_parse(struct arena *arena, const char *text, struct tmpfs_options *ret);

#endif
