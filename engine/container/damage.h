/* SPDX-License-Identifier: GPL-2.0-or-later
 * damage.h - what a running container has lost to somebody's hand.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CONTAINER_DAMAGE_H
#define MYCOMPOSE_CONTAINER_DAMAGE_H

#include <stddef.h>
#include <sys/types.h>

/* Of the running container `id`, whose first process is `pid`, which has so many interfaces of its
 * own and mounts at these places. Something that it cannot be given again while it runs: an
 * interface (a veth that was deleted takes its peer inside with it), its cgroup (which needs its
 * processes moved out first). NULL when there is nothing amiss, or no way to tell. A phrase that
 * fits behind "because". Static.
 */
const char *container_damage(const char *id, pid_t pid, size_t interfaces, char *const *mounts);

#endif
