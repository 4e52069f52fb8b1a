/* SPDX-License-Identifier: GPL-2.0-or-later
 * output_file.h - the file of -o: it appears whole or not at all. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_OUTPUT_FILE_H
#define MYCOMPOSE_CMD_OUTPUT_FILE_H

#include "engine/base/errors.h"

typedef int (*output_writer)(int fd, void *arg, struct error *err);

/* What `write` writes becomes the file: it is written beside its place, synced and renamed into it
 * when `write` has succeeded; nothing is left of it otherwise. A device or a FIFO is written as it
 * is. */
int output_file_write(const char *path, output_writer write, void *arg, struct error *err);
/* The same for bytes that are nothing to look at: NULL = standard output, which must be no terminal
 * (-EINVAL). */
int output_archive_write(const char *path, output_writer write, void *arg, struct error *err);

#endif
