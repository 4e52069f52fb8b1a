/* SPDX-License-Identifier: GPL-2.0-or-later
 * signals.h - names of signals as Compose files write them. May depend on: libc. */
#ifndef MYCOMPOSE_COMPOSE_SIGNALS_H
#define MYCOMPOSE_COMPOSE_SIGNALS_H

/* "SIGTERM", "term", "15", "SIGRTMIN+3" to a number; -EINVAL when it names none. */
int signal_number(const char *name);

#endif
