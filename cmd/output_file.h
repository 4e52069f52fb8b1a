/* SPDX-License-Identifier: GPL-2.0-or-later
 * output_file.h - the file of -o: it appears whole or not at all. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_OUTPUT_FILE_H
#define MYCOMPOSE_CMD_OUTPUT_FILE_H

#include <stdbool.h>

#include "engine/base/errors.h"

struct output_file {
	int fd;
	int dir_fd;	 /* -1: written in place (a device, a FIFO) */
	char *name;	 /* in dir_fd */
	char *temp_name; /* in dir_fd */
};
#define OUTPUT_FILE_INIT     \
	{                    \
		-1, -1, 0, 0 \
	}

/* Open a temporary file beside `path`, or `path` itself where it is no regular file. */
int output_file_open(const char *path, struct output_file *ret, struct error *err);
/* Sync and rename into place. */
int output_file_commit(struct output_file *file, struct error *err);
/* Remove what was not committed; safe on OUTPUT_FILE_INIT and after a commit. */
void output_file_release(struct output_file *file);

#endif
