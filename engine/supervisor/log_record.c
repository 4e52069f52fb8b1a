/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_record.c - one line of a log file taken apart, and the place of the last N lines in a file.
 */
#include "engine/supervisor/log_record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

/* More than the longest record: 16 KiB of text, each byte six ("\u0001") when escaped. */
#define WINDOW (128 * 1024)

struct cursor {
	const char *at;
	const char *end;
};

static bool take(struct cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length) != 0)
		return false;
	cursor->at += length;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool take_hex4(struct cursor *cursor, uint32_t *ret)
{
	uint32_t value = 0;

	if (cursor->end - cursor->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(*cursor->at++);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return true;
}

static void add_utf8(struct strbuf *buf, uint32_t c)
{
	if (c < 0x80) {
		strbuf_add_char(buf, (char)c);
		return;
	}
	if (c < 0x800) {
		strbuf_add_char(buf, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		strbuf_add_char(buf, (char)(0xe0 | c >> 12));
		strbuf_add_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		strbuf_add_char(buf, (char)(0xf0 | c >> 18));
		strbuf_add_char(buf, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_add_char(buf, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	strbuf_add_char(buf, (char)(0x80 | (c & 0x3f)));
}

static bool take_unicode(struct cursor *cursor, struct strbuf *out)
{
	uint32_t c, low;

	if (!take_hex4(cursor, &c))
		return false;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!take(cursor, "\\u") || !take_hex4(cursor, &low) || low < 0xdc00 ||
			low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return false;
	}
	add_utf8(out, c);
	return true;
}

static bool take_escape(struct cursor *cursor, struct strbuf *out)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *name;
	char c;

	if (cursor->at == cursor->end)
		return false;
	c = *cursor->at++;
	if (c == 'u')
		return take_unicode(cursor, out);
	name = c ? strchr(names, c) : NULL;
	if (!name)
		return false;
	strbuf_add_char(out, bytes[name - names]);
	return true;
}

static bool take_string(struct cursor *cursor, struct strbuf *out)
{
	strbuf_clear(out);
	if (!take(cursor, "\""))
		return false;
	while (cursor->at < cursor->end) {
		const char *start = cursor->at;

		while (cursor->at < cursor->end && *cursor->at != '"' && *cursor->at != '\\')
			cursor->at++;
		strbuf_add(out, start, (size_t)(cursor->at - start));
		if (cursor->at == cursor->end)
			return false;
		if (*cursor->at++ == '"')
			return true;
		if (!take_escape(cursor, out))
			return false;
	}
	return false;
}

bool log_record_parse(const char *line, size_t length, struct strbuf *text, enum log_stream *stream,
	int64_t *time_ns)
{
	struct cursor cursor = { line, line + length };
	cleanup_strbuf struct strbuf time = STRBUF_INIT;
	enum log_stream which;

	if (!take(&cursor, "{\"log\":") || !take_string(&cursor, text))
		return false;
	if (take(&cursor, ",\"stream\":\"stdout\""))
		which = LOG_STDOUT;
	else if (take(&cursor, ",\"stream\":\"stderr\""))
		which = LOG_STDERR;
	else
		return false;
	if (!take(&cursor, ",\"time\":") || !take_string(&cursor, &time) || !take(&cursor, "}") ||
		cursor.at != cursor.end)
		return false;
	if (time_parse_rfc3339(strbuf_text(&time), time_ns) < 0)
		return false;
	*stream = which;
	return true;
}

enum raw_line {
	RAW_FRAGMENT, /* no record */
	RAW_PIECE,    /* a record whose line goes on */
	RAW_LINE_END,
};

/* Judge the raw line that ends at `end` (its "\n" stands there) by its tail, which has a fixed
 * form: `…\n","stream":"stdout","time":"…"}`. A quote inside the text is escaped, so the last
 * `","stream":` is the real one; the "n" before it is a line end only after an odd number of
 * backslashes. */
static enum raw_line judge(const char *window, size_t end)
{
	static const char mark[] = "\",\"stream\":\"";
	size_t length = sizeof(mark) - 1, lowest = end > 128 ? end - 128 : 0, at, backslashes = 0;

	if (end < length + 2 || window[end - 1] != '}')
		return RAW_FRAGMENT;
	for (at = end - length; at > lowest; at--) {
		if (window[at] == '\n')
			return RAW_FRAGMENT;
		if (memcmp(window + at, mark, length) == 0)
			break;
	}
	if (at <= lowest || at < 2)
		return RAW_FRAGMENT;
	while (backslashes + 2 <= at && window[at - 2 - backslashes] == '\\')
		backslashes++;
	return window[at - 1] == 'n' && backslashes % 2 == 1 ? RAW_LINE_END : RAW_PIECE;
}

static ssize_t read_window(int fd, char *window, size_t length, off_t at)
{
	size_t done = 0;

	while (done < length) {
		ssize_t n = pread(fd, window + done, length - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO; /* cut off behind our back */
		done += (size_t)n;
	}
	return (ssize_t)done;
}

off_t log_tail_offset(int fd, int64_t *lines, bool *open)
{
	cleanup_free char *window = NULL;
	struct stat st;
	off_t end; /* everything from here on has been judged */

	if (fstat(fd, &st) < 0)
		return -errno < -1 ? -errno : -EIO;
	end = st.st_size;
	if (*lines == 0)
		return end;
	window = xmalloc(WINDOW);
	while (end > 0) {
		size_t length = end < WINDOW ? (size_t)end : WINDOW, at = length;
		off_t base = end - (off_t)length;
		/* What lies at the lower end has too little before it: the next window's. */
		size_t margin = base > 0 ? WINDOW / 2 : 0;
		enum raw_line kind;

		if (read_window(fd, window, length, base) < 0)
			return -EIO;
		while (at > margin) {
			const char *newline = memrchr(window + margin, '\n', at - margin);

			if (!newline)
				break;
			at = (size_t)(newline - window);
			kind = judge(window, at);
			if (kind == RAW_LINE_END && *open && --*lines == 0)
				return base + (off_t)at + 1;
			/* The record itself belongs to a line that begins further up. */
			if (kind != RAW_FRAGMENT)
				*open = true;
		}
		end = base + (off_t)margin;
	}
	return -1;
}
