/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_printer.c - prefix, colour, time stamp, line. */
#include "cmd/log_printer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/app.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

#define LINE_KEPT_MAX (1 << 20) /* a line without end is passed on in pieces of this size */

struct source {
	char *label;
	struct strbuf partial[2]; /* per stream */
};

struct log_printer {
	struct log_printer_options options;
	bool color;
	FILE *files[2]; /* per stream */
	struct source *sources;
	size_t count;
	size_t width;
};

struct log_printer *log_printer_new(
	const struct app *app, const struct log_printer_options *options)
{
	struct log_printer *printer = xcalloc(1, sizeof(*printer));
	enum ansi ansi = ANSI_NEVER;

	printer->options = *options;
	log_printer_redirect(printer, stdout, stderr);
	(void)app_ansi_choose(app, STDOUT_FILENO, &ansi, NULL);
	printer->color = ansi == ANSI_COLOR && !options->no_color;
	return printer;
}

void log_printer_free(struct log_printer *printer)
{
	if (!printer)
		return;
	for (size_t i = 0; i < printer->count; i++) {
		free(printer->sources[i].label);
		strbuf_release(&printer->sources[i].partial[0]);
		strbuf_release(&printer->sources[i].partial[1]);
	}
	free(printer->sources);
	free(printer);
}

void log_printer_redirect(struct log_printer *printer, FILE *out, FILE *err)
{
	printer->files[LOG_STDOUT] = out;
	printer->files[LOG_STDERR] = err;
}

size_t log_printer_add(struct log_printer *printer, const char *label)
{
	struct source *source;

	for (size_t i = 0; i < printer->count; i++)
		if (!strcmp(printer->sources[i].label, label))
			return i;
	source = array_add(printer->sources, printer->count);
	source->label = xstrdup(label);
	if (strlen(label) > printer->width)
		printer->width = strlen(label);
	return printer->count - 1;
}

const char *log_printer_label(const struct log_printer *printer, size_t source)
{
	return printer->sources[source].label;
}

const char *log_printer_short_name(const char *project, const char *name)
{
	size_t length = project ? strlen(project) : 0;

	if (length && !strncmp(name, project, length) && name[length] == '-')
		return name + length + 1;
	return name;
}

static void print_line(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, const char *text, size_t length, bool is_finished)
{
	static const char *const colors[] = { "36", "33", "32", "35", "34", "36;1", "33;1", "32;1",
		"35;1", "34;1" };
	FILE *out = printer->files[stream];
	char stamp[31];

	if (!printer->options.no_prefix) {
		if (printer->color)
			fprintf(out, "\033[%sm", colors[source % ARRAY_LEN(colors)]);
		fprintf(out, "%-*s | ", (int)printer->width + 1, printer->sources[source].label);
		if (printer->color)
			fputs("\033[0m", out);
	}
	if (printer->options.timestamps) {
		time_format_log(time_ns, stamp);
		fprintf(out, "%s ", stamp);
	}
	fwrite(text, 1, length, out);
	if (is_finished)
		fputc('\n', out);
}

void log_printer_line(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, const char *text, size_t length)
{
	print_line(printer, source, stream, time_ns, text, length, true);
}

static void flush(const struct log_printer *printer)
{
	fflush(printer->files[LOG_STDOUT]);
	fflush(printer->files[LOG_STDERR]);
}

static void flush_partial(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, bool is_finished)
{
	struct strbuf *partial = &printer->sources[source].partial[stream];

	print_line(printer, source, stream, time_ns, strbuf_text(partial), partial->length,
		is_finished);
	strbuf_clear(partial);
}

void log_printer_bytes(struct log_printer *printer, size_t source, enum log_stream stream,
	int64_t time_ns, const char *bytes, size_t length)
{
	struct strbuf *partial = &printer->sources[source].partial[stream];

	while (length) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end ? (size_t)(end - bytes) : length;

		if (end && !partial->length) {
			log_printer_line(printer, source, stream, time_ns, bytes, part);
		} else {
			strbuf_add(partial, bytes, part);
			if (end || partial->length >= LINE_KEPT_MAX)
				flush_partial(printer, source, stream, time_ns, true);
		}
		part += end != NULL;
		bytes += part;
		length -= part;
	}
	flush(printer);
}

void log_printer_flush(struct log_printer *printer, size_t source)
{
	for (int stream = LOG_STDOUT; stream <= LOG_STDERR; stream++)
		if (printer->sources[source].partial[stream].length)
			flush_partial(printer, source, (enum log_stream)stream, time_now(),
				!printer->options.raw);
	flush(printer);
}
