/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_options.h - -p and -P as published ports of a container. Pure.
 * May depend on: engine/container/container.h. */
#ifndef MYCOMPOSE_CMD_PORT_OPTIONS_H
#define MYCOMPOSE_CMD_PORT_OPTIONS_H

#include "engine/container/container.h"

/* "[[IP:][HOST]:]CONTAINER[/PROTOCOL]", ranges of equal length allowed, "[::1]:80:80" too. Adds to
 * the container. -EINVAL with the text that is wrong, -EOPNOTSUPP for a range of host ports of
 * which one is to be chosen. */
int port_options_apply(char *const *texts, struct container *container, struct error *err);
/* A free host port for each exposed port that is not published yet. */
void port_options_publish_exposed(struct container *container);
/* "80", "80/tcp", "8000-8010/udp" of --expose, added to container->exposed. */
int port_options_expose(char *const *texts, struct container *container, struct error *err);

#endif
