/* SPDX-License-Identifier: GPL-2.0-or-later
 * spools.h - our own stdout and stderr, for a process that supervises the containers whose output
 * it shows: nobody who reads us may make it wait.
 * May depend on: cmd/spool.h, engine/supervisor/. */
#ifndef MYCOMPOSE_CMD_SPOOLS_H
#define MYCOMPOSE_CMD_SPOOLS_H

#include "cmd/spool.h"
#include "engine/supervisor/supervisor.h"

/* Zeroed = closed. */
struct spools {
	struct supervisor *supervisor;
	struct spool *streams[2]; /* by enum log_stream */
	void (*reader_gone)(enum log_stream stream, void *arg);
	void *arg;
};

/* Once there is room again the supervisor reads on. `reader_gone` as in spool.h; it may come in the
 * middle of a write. *spools must stay where it is. */
int spools_open(struct spools *spools, struct supervisor *supervisor,
	void (*reader_gone)(enum log_stream stream, void *arg), void *arg, struct error *err);
/* Before the supervisor goes; what is still kept is lost. */
void spools_close(struct spools *spools);
/* Where to write to: the stream itself when closed. */
FILE *spools_stream(const struct spools *spools, enum log_stream stream);
/* For the hook output_is_full. */
bool spools_are_full(const struct spools *spools);
/* The last words, to a reader that may be slow: until it has them or the user has enough, which is
 * one more signal, or a second after the first. *signals counts those that have come. */
void spools_drain(struct spools *spools, const unsigned int *signals);

#endif
