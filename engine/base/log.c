/* SPDX-License-Identifier: GPL-2.0-or-later
 * log.c - warnings and debug lines on stderr.
 *
 * A line goes out in one write(2), so that lines of processes that share the terminal do not mix.
 * Texts may hold what a container or a registry said: control bytes never reach the terminal as
 * they are. */
#include "engine/base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/base/utf8.h"

static const struct {
	const char *name, *mark;
} levels[] = {
	[LOG_LEVEL_WARNING] = { "warning", "WARN" },
	[LOG_LEVEL_INFO] = { "info", "INFO" },
	[LOG_LEVEL_DEBUG] = { "debug", "DEBU" },
};

/* Set once by main (see log.h). */
static enum log_level log_level = LOG_LEVEL_WARNING;
static int64_t log_start;

void log_set_level(enum log_level level)
{
	log_level = level;
	log_start = time_monotonic();
}

/* Invisible or able to change how the rest of the line is shown: C1 controls, separators, direction
 * marks. */
static bool is_unprintable(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

/* As Go's strconv.Quote writes it. */
static void add_escaped_point(struct strbuf *buf, uint32_t point)
{
	static const char controls[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
	const char *control = point && point < 0x20 ? strchr(controls, (int)point) : NULL;

	if (control)
		strbuf_addf(buf, "\\%c", letters[control - controls]);
	else if (point < 0x80)
		strbuf_addf(buf, "\\x%02" PRIx32, point);
	else
		strbuf_addf(buf, "\\u%04" PRIx32, point);
}

static void add_text(struct strbuf *buf, const char *text, bool quoted)
{
	size_t left = strlen(text), length;

	for (; left > 0; text += length, left -= length) {
		uint32_t point;

		length = utf8_decode(text, left, &point);
		if (length == 0) {
			length = 1;
			strbuf_addf(buf, "\\x%02x", (unsigned char)*text);
		} else if (is_unprintable(point)) {
			add_escaped_point(buf, point);
		} else {
			if (quoted && (point == '"' || point == '\\'))
				strbuf_add_char(buf, '\\');
			strbuf_add(buf, text, length);
		}
	}
}

static void add_line(struct strbuf *line, enum log_level level, const char *text)
{
	cleanup_free char *now = NULL;

	if (isatty(STDERR_FILENO)) {
		int64_t seconds = (time_monotonic() - log_start) / NS_PER_SEC;

		strbuf_addf(line, "%s[%04" PRId64 "] ", levels[level].mark, seconds);
		add_text(line, text, false);
	} else {
		now = time_format_rfc3339(time_now() / NS_PER_SEC * NS_PER_SEC);
		strbuf_addf(line, "time=\"%s\" level=%s msg=\"", now, levels[level].name);
		add_text(line, text, true);
		strbuf_add_char(line, '"');
	}
	strbuf_add_char(line, '\n');
}

static void log_at(enum log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void log_at(enum log_level level, const char *fmt, va_list ap)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_free char *text = NULL;

	if (level > log_level)
		return;
	if (log_start == 0)
		log_start = time_monotonic();
	text = xvasprintf(fmt, ap);
	add_line(&line, level, text);
	/* Nobody is left to be told when stderr itself fails. */
	if (write(STDERR_FILENO, line.data, line.length) < 0)
		return;
}

void log_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_LEVEL_WARNING, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_at(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
