/* SPDX-License-Identifier: GPL-2.0-or-later
 * tmpfs.h - the options of `tmpfs: /run:size=64m,mode=1777`. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_TMPFS_H
#define MYCOMPOSE_COMPOSE_TMPFS_H

#include <stdbool.h>
#include <stdint.h>

struct tmpfs_options {
	uint64_t size; /* bytes, 0: not given */
	uint32_t mode; /* permission bits, 0: not given */
	bool read_only;
};

/* false when there is an option that the engine's tmpfs mounts do not have. */
bool tmpfs_options_parse(const char *text, struct tmpfs_options *ret);

#endif
