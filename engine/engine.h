/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.h - where the engine keeps its things: the data root, the run root, the cgroup parent.
 *
 *   data root  /var/lib/mycompose  survives a reboot
 *     images/ layers/ volumes/ containers/ networks/
 *   run root   /run/mycompose      does not
 *     groups/ containers/ networks/ grants/ volumes/ *.lock
 *
 * Both are 0700 and root's. They are opened once, in main, and passed on as fds; paths are kept
 * only for messages and for what the kernel takes as text (overlay options). */
#ifndef MYCOMPOSE_ENGINE_H
#define MYCOMPOSE_ENGINE_H

#include "engine/base/errors.h"

struct engine {
	int data_fd;
	int run_fd;
	char *data_path;	   /* absolute */
	char *run_path;		   /* absolute */
	const char *cgroup_parent; /* below the root of each hierarchy, no slashes at the ends:
				      "mycompose" */
};

#define ENGINE_INIT                       \
	{                                 \
		-1, -1, 0, 0, "mycompose" \
	}

/* Make the two roots where they are missing and open them. -EACCES with a hint when not root. */
int engine_open(
	struct engine *engine, const char *data_path, const char *run_path, struct error *err);
void engine_release(struct engine *engine);

#endif
