/* SPDX-License-Identifier: GPL-2.0-or-later
 * damage.h - what a running container has lost to somebody's hand.
 * May depend on: engine/base/, container.h. */
#ifndef MYCOMPOSE_CONTAINER_DAMAGE_H
#define MYCOMPOSE_CONTAINER_DAMAGE_H

#include "engine/container/container.h"

/* Something that it cannot be given again while it runs: an interface (a veth that was deleted
 * takes its peer inside with it), its cgroup (which needs its processes moved out first). NULL when
 * there is nothing amiss, or no way to tell. A phrase that fits behind "because". Static. */
const char *container_damage(
	const struct container *container, const struct container_state *state);

#endif
