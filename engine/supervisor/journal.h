/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal.h - what has been taken out of a container's FIFO, kept safe until it is in the log.
 * May depend on: engine/base/, logfile.h.
 *
 * The kernel moves the bytes from the FIFO into a file of the run directory (splice(2)), so at no
 * instant do they exist in this process's memory alone: killed anywhere, nothing that left the FIFO
 * is lost, not even the beginning of a line that has not ended. The file's length is how much has
 * been taken. Its head says how much of that has become records, and, while a write to the log is
 * under way, where in the log it began and with which time: the successor repeats that write, which
 * gives the same records, and leaves out what is there already. So each line is logged once.
 *
 * Costs one more copy in memory and four short system calls for each read; at most 128 KiB of the
 * run directory for a stream, 8 KiB for one that is quiet, nothing for one that was never used. */
#ifndef MYCOMPOSE_SUPERVISOR_JOURNAL_H
#define MYCOMPOSE_SUPERVISOR_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/supervisor/logfile.h"

struct journal {
	int fd; /* -1: none, and the functions below do without */
	enum log_stream stream;
	uint64_t length;  /* of what has been taken, as offset in the file */
	uint64_t logged;  /* of what has become records */
	uint64_t dropped; /* up to here the file is a hole */
};
#define JOURNAL_INIT                    \
	{                               \
		-1, LOG_STDOUT, 0, 0, 0 \
	}

/* A new one in the directory, in place of an earlier run's. */
int journal_create(struct journal *journal, int dir_fd, enum log_stream stream, struct error *err);
/* Go on with that of a supervisor that has ended: what it had not logged is logged now, except for
 * the beginning of a line, which waits for the rest in `writer`. -ENOENT: there is none. When it
 * fails otherwise (a full disk, damage) it is given up. */
int journal_resume(struct journal *journal, int dir_fd, enum log_stream stream,
	struct log_writer *writer, struct error *err);
void journal_close(struct journal *journal);
/* That of an earlier run, if there is one. */
void journal_remove(int dir_fd, enum log_stream stream);

/* As read(2) from a FIFO that nobody else reads, non-blocking. When the file cannot take it (the
 * file system is full) the journal is given up and this is a read(2). */
ssize_t journal_read(struct journal *journal, int fifo_fd, char *buffer, size_t length);
/* As log_writer_write, for what journal_read has brought. `writer` may be NULL: it is forgotten. */
int journal_log(struct journal *journal, struct log_writer *writer, int64_t time_ns,
	const char *bytes, size_t length, struct error *err);
/* The writer was given something for the stream that did not come from here. */
void journal_settle(struct journal *journal, const struct log_writer *writer);
/* As log_writer_flush_stream. */
int journal_flush(
	struct journal *journal, struct log_writer *writer, int64_t time_ns, struct error *err);

#endif
