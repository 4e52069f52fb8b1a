/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_image.h - `run IMAGE`: docker's meaning. */
#ifndef MYCOMPOSE_CMD_RUN_IMAGE_H
#define MYCOMPOSE_CMD_RUN_IMAGE_H

#include "cmd/run_options.h"

/* `words` are the image and the command. */
int run_image(struct app *app, const struct run_options *options, char **words, struct error *err);

#endif
