/* SPDX-License-Identifier: GPL-2.0-or-later
 * proc_file.h - files of the calling process in a container's /proc, and no others.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CONTAINER_PROC_FILE_H
#define MYCOMPOSE_CONTAINER_PROC_FILE_H

#include "engine/base/errors.h"

/* "oom_score_adj" below /proc/<own pid> of root_fd. What could lead a write elsewhere is refused:
 * a /proc that is no procfs or not its root, links, anything mounted below it. Returns the fd. */
int proc_self_open(int root_fd, const char *name, int flags, struct error *err);

#endif
