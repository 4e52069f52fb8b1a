/* SPDX-License-Identifier: GPL-2.0-or-later
 * spool.h - output to a stream whose reader may be slow, stopped or gone, for a process that must
 * never wait for it: what cannot be written at once is kept and written by the loop.
 * May depend on: engine/base/, engine/supervisor/loop.h. */
#ifndef MYCOMPOSE_CMD_SPOOL_H
#define MYCOMPOSE_CMD_SPOOL_H

#include <stdbool.h>
#include <stdio.h>

#include "engine/base/errors.h"
#include "engine/supervisor/loop.h"

struct spool;

struct spool_options {
	/* It was full and has room again. */
	void (*has_room)(void *arg);
	/* The reader has gone; from now on everything is thrown away. */
	void (*reader_gone)(void *arg);
	void *arg;
};
/* fd stays the caller's and keeps its flags, for others share it. */
int spool_new(struct loop *loop, int fd, const struct spool_options *options, struct spool **ret,
	struct error *err);
void spool_free(struct spool *spool); /* what is still kept is lost */

/* To be written to like any other; fflush hands over to the spool and does not wait. The spool's.
 */
FILE *spool_stream(struct spool *spool);
/* More is kept than a writer with manners adds to. */
bool spool_is_full(const struct spool *spool);
bool spool_is_empty(const struct spool *spool);

#endif
