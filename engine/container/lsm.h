/* SPDX-License-Identifier: GPL-2.0-or-later
 * lsm.h - which security modules this host has, and the one whose profiles a container may name.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CONTAINER_LSM_H
#define MYCOMPOSE_CONTAINER_LSM_H

#include <stdbool.h>

#include "engine/base/errors.h"

bool lsm_has_apparmor(void);
bool lsm_has_selinux(void);
/* Can a container run under this profile? "unconfined" always; -ENOTSUP where AppArmor is not
 * enabled. Whether a profile is loaded the kernel says when it is taken. */
int lsm_check_apparmor(const char *profile, struct error *err);
/* For the calling process, from its next execve(2) on. `root_fd`: the root whose /proc is used. */
int lsm_set_apparmor(int root_fd, const char *profile, struct error *err);

#endif
