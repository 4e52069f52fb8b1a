/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_record.h - one line of a log file taken apart, and the place of the last N lines in a file.
 * May depend on: logfile.h. */
#ifndef MYCOMPOSE_SUPERVISOR_LOG_RECORD_H
#define MYCOMPOSE_SUPERVISOR_LOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/strbuf.h"
#include "engine/supervisor/logfile.h"

/* Parse a raw line (no "\n" at its end) into stream, time and the unescaped text, which replaces
 * what `text` holds. false: not a record (a fragment left by a crash or a full disk). */
bool log_record_parse(const char *line, size_t length, struct strbuf *text, enum log_stream *stream,
	int64_t *time_ns);

/* Walk a file backwards until *lines lines have begun in it; *open says whether something of a line
 * already lies behind the place we are at (it begins in an earlier record). Returns the offset
 * where to start reading, or -1 when the file has fewer: *lines and *open then serve for the next
 * older file. A negative errno below -1 is a read error. */
off_t log_tail_offset(int fd, int64_t *lines, bool *open);

#endif
