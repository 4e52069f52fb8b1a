/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_datagrams.h - the part for UDP of the relay of published ports (uplink_relay.c).
 * May depend on: engine/base/, loop.h. */
#ifndef MYCOMPOSE_SUPERVISOR_UPLINK_DATAGRAMS_H
#define MYCOMPOSE_SUPERVISOR_UPLINK_DATAGRAMS_H

#include <sys/socket.h>

#include "engine/supervisor/loop.h"

struct datagrams;

/* Carry datagrams between who asks at `fd`, which stays the caller's, and the target. */
int datagrams_start(struct loop *loop, int fd, const struct sockaddr_storage *target,
	socklen_t target_length, struct datagrams **ret, struct error *err);
void datagrams_stop(struct datagrams *datagrams); /* NULL is fine */

#endif
