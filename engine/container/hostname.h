/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostname.h - the host name of a container that was not given one, as Docker chooses it. */
#ifndef MYCOMPOSE_CONTAINER_HOSTNAME_H
#define MYCOMPOSE_CONTAINER_HOSTNAME_H

#include "engine/container/container.h"

/* Own network: the short id. The host's network or UTS: the host's name. Another container's
 * network: that one's name. Sets spec.hostname (not with the host's UTS, where nothing may be set)
 * and HOSTNAME in the environment unless it is there. */
int hostname_fill(const struct engine *engine, struct container *container, struct error *err);

#endif
