/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_printer.h - containers' lines with their names before them, as `up` and `logs` show them. */
#ifndef MYCOMPOSE_CMD_LOG_PRINTER_H
#define MYCOMPOSE_CMD_LOG_PRINTER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/verb.h"
#include "engine/supervisor/logfile.h"

struct log_printer_options {
	bool no_prefix;
	bool timestamps;
	bool no_color;
	bool raw; /* one container's output as it was: an unfinished line stays unfinished */
};
/* Colour is used when stdout is a terminal and neither --ansi nor NO_COLOR forbid it. */
struct log_printer;
struct log_printer *log_printer_new(
	const struct app *app, const struct log_printer_options *options);
void log_printer_free(struct log_printer *printer);
/* Lines go to these instead of stdout and stderr; they stay the caller's. */
void log_printer_redirect(struct log_printer *printer, FILE *out, FILE *err);
/* Announce a name, so that the width is known before the first line. Returns the source's number.
 */
size_t log_printer_add(struct log_printer *printer, const char *label);
const char *log_printer_label(const struct log_printer *printer, size_t source);
/* "PROJECT-web-1" is shown as "web-1"; another name, or any without a project (NULL), whole. Points
 * into `name`. */
const char *log_printer_short_name(const char *project, const char *name);
/* A whole line without its end. stdout's lines go to stdout, stderr's to stderr. */
void log_printer_line(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, const char *text, size_t length);
/* Raw bytes as they come: whole lines are printed, the rest is kept for more. */
void log_printer_bytes(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, const char *bytes, size_t length);
/* Print what is kept as if its line had ended (raw: as it is). */
void log_printer_flush(struct log_printer *printer, size_t source);

#endif
