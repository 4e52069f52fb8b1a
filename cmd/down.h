/* SPDX-License-Identifier: GPL-2.0-or-later
 * down.h - `down` for a verb that ends with it. */
#ifndef MYCOMPOSE_CMD_DOWN_H
#define MYCOMPOSE_CMD_DOWN_H

#include "cmd/verb.h"

/* As `down` without flags. Returns the exit code. */
int down_project(struct app *app, struct error *err);

#endif
