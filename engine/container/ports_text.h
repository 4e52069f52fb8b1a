/* SPDX-License-Identifier: GPL-2.0-or-later
 * ports_text.h - docker's PORTS column from plain data. */
#ifndef MYCOMPOSE_CONTAINER_PORTS_TEXT_H
#define MYCOMPOSE_CONTAINER_PORTS_TEXT_H

#include <stddef.h>

#include "engine/net/network.h"

/* "127.0.0.1:8080->80/tcp, 0.0.0.0:9000-9001->9000-9001/tcp, 6379/tcp": by container port, address
 * and host port, runs of both ports folded. `exposed` ("6379/tcp") adds what is not published.
 * Heap. */
char *ports_text_format(const struct published_port *ports, size_t count, char *const *exposed);

#endif
