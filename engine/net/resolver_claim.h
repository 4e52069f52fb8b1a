/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_claim.h - which process serves a network's names, and on which port.
 * May depend on: engine/base/.
 *
 * <run>/networks/NAME/resolver is held by flock by the one process that serves, and holds the port
 * number its sockets have on the gateway address. The lock, not the file, says that somebody
 * serves: it goes with the process whatever way that ends. */
#ifndef MYCOMPOSE_NET_RESOLVER_CLAIM_H
#define MYCOMPOSE_NET_RESOLVER_CLAIM_H

#include <stdint.h>

#include "engine/base/errors.h"

#define RESOLVER_CLAIM_FILE "resolver"

/* The claim's fd; -EWOULDBLOCK when another process serves. */
int resolver_claim_take(int dir_fd, struct error *err);
int resolver_claim_publish(int claim_fd, uint16_t port, struct error *err);

#endif
