/* SPDX-License-Identifier: GPL-2.0-or-later
 * logfile.h - a container's output on disk: docker's json-file form, written by the supervisor,
 * read by anyone. May depend on: engine/base/. One line a record:
 * {"log":"text\n","stream":"stdout","time":"RFC3339Nano"}; the text is escaped, so a container
 * cannot forge a record. A line over 16 KiB is split and rejoined when read (a record without "\n"
 * continues). Rotation: container.log -> .1 -> … -> .(max_file-1); files are renamed or unlinked,
 * never truncated, so that a reader finishes what it holds open. */
#ifndef MYCOMPOSE_SUPERVISOR_LOGFILE_H
#define MYCOMPOSE_SUPERVISOR_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

enum log_stream { LOG_STDOUT, LOG_STDERR };
const char *log_stream_name(enum log_stream stream); /* "stdout" */

#define LOG_FILE_NAME "container.log"
#define LOG_PIECE_MAX 16384	/* bytes of text in one record on disk */
#define LOG_LINE_MAX  (1 << 20) /* bytes of text that a reader joins to one record */

struct log_writer;
int log_writer_open(const struct engine *engine, const char *container_id, uint64_t max_size,
	uint32_t max_file, struct log_writer **ret, struct error *err);
/* Takes raw bytes as they come; whole lines become records, the rest waits for more (or
 * log_writer_flush). A full disk is an error told once by the caller; the bytes are dropped and
 * counted, the container is never blocked for it. `time_ns` is the receipt. */
int log_writer_write(struct log_writer *writer, enum log_stream stream, int64_t time_ns,
	const void *bytes, size_t length, struct error *err);
/* What has come of a last line becomes a record without a line end: of both streams, of one. */
int log_writer_flush(struct log_writer *writer, int64_t time_ns, struct error *err);
int log_writer_flush_stream(
	struct log_writer *writer, enum log_stream stream, int64_t time_ns, struct error *err);
/* Bytes that wait for the rest of their line; whether earlier pieces of it are on disk. */
size_t log_writer_unfinished(
	const struct log_writer *writer, enum log_stream stream, bool *ret_continued);

/* Where the next record goes. */
struct log_place {
	uint64_t inode;
	uint64_t size;
	bool torn; /* the file ends in the middle of a record */
};
void log_writer_place(const struct log_writer *writer, struct log_place *ret);
/* The next call of log_writer_write or log_writer_flush_stream repeats one that a kill interrupted:
 * with the bytes, the time and, in the stream, the state of then it gives the same records, of
 * which those on disk are not written again. `continued` also serves alone, with `from` NULL. */
void log_writer_repeat(struct log_writer *writer, enum log_stream stream, bool continued,
	const struct log_place *from);
void log_writer_free(struct log_writer *writer);

struct log_record {
	int64_t time_ns;
	enum log_stream stream;
	const char *text; /* without the line end; valid until the next call */
	size_t length;
	bool has_newline; /* false: an unfinished last line, or a piece of one over LOG_LINE_MAX,
			     which goes on in the stream's next record */
};

struct log_reader_options {
	int64_t tail;	  /* last N lines, -1 = all */
	int64_t since_ns; /* 0 = no bound */
	int64_t until_ns; /* 0 = no bound */
};
struct log_reader;
int log_reader_open(const struct engine *engine, const char *container_id,
	const struct log_reader_options *options, struct log_reader **ret, struct error *err);
/* 1 = a record, 0 = nothing more at the moment, negative = error. Survives rotation: no line is
 * lost or told twice. */
int log_reader_next(struct log_reader *reader, struct log_record *ret, struct error *err);
/* inotify fd that becomes readable when log_reader_next may have more. */
int log_reader_fd(const struct log_reader *reader);
void log_reader_free(struct log_reader *reader);

#endif
