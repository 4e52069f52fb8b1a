/* SPDX-License-Identifier: GPL-2.0-or-later
 * signals.h - signals by name, as Compose files, images and command lines write them. */
#ifndef MYCOMPOSE_BASE_SIGNALS_H
#define MYCOMPOSE_BASE_SIGNALS_H

#include "engine/base/errors.h"

/* "SIGTERM", "term", "15", "SIGRTMIN+3" -> the number. -EINVAL otherwise. */
int signal_parse(const char *text, int *ret, struct error *err);

#endif
