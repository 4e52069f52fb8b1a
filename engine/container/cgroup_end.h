/* SPDX-License-Identifier: GPL-2.0-or-later
 * cgroup_end.h - the end of a container's cgroup, whatever is still in it. */
#ifndef MYCOMPOSE_CONTAINER_CGROUP_END_H
#define MYCOMPOSE_CONTAINER_CGROUP_END_H

#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/cgroup/cgroup.h"

/* Kill what is left in it (bounded wait), count its OOM kills while it is there, remove it. Absent
 * is success, with a count of 0. */
int cgroup_end(const struct cgroup_host *host, const char *parent, const char *id,
	uint64_t *ret_oom_kills, struct error *err);

#endif
