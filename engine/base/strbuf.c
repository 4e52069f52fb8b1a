/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf.c - a growing byte string. */
#include "engine/base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"

#define MIN_CAPACITY 64

void strbuf_release(struct strbuf *buf)
{
	free(buf->data);
	*buf = (struct strbuf)STRBUF_INIT;
}

void strbuf_clear(struct strbuf *buf)
{
	buf->length = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void strbuf_reserve(struct strbuf *buf, size_t extra)
{
	size_t need, capacity;

	/* One byte more than asked, for the NUL. */
	if (__builtin_add_overflow(buf->length, extra, &need) ||
		__builtin_add_overflow(need, (size_t)1, &need))
		memory_exhausted();
	if (need <= buf->capacity)
		return;
	capacity = buf->capacity + buf->capacity / 2;
	if (capacity < need)
		capacity = need;
	if (capacity < MIN_CAPACITY)
		capacity = MIN_CAPACITY;
	buf->data = xrealloc(buf->data, capacity);
	buf->capacity = capacity;
	buf->data[buf->length] = '\0';
}

void strbuf_add(struct strbuf *buf, const void *bytes, size_t length)
{
	strbuf_reserve(buf, length);
	if (length > 0)
		memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
}

void strbuf_add_str(struct strbuf *buf, const char *s)
{
	strbuf_add(buf, s, strlen(s));
}

void strbuf_add_char(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void strbuf_add_spaces(struct strbuf *buf, size_t count)
{
	strbuf_reserve(buf, count);
	memset(buf->data + buf->length, ' ', count);
	buf->length += count;
	buf->data[buf->length] = '\0';
}

void strbuf_add_u64(struct strbuf *buf, uint64_t value)
{
	char text[NUMBER_TEXT_SIZE];

	strbuf_add_str(buf, format_u64(value, text));
}

void strbuf_add_i64(struct strbuf *buf, int64_t value)
{
	char text[NUMBER_TEXT_SIZE];

	strbuf_add_str(buf, format_i64(value, text));
}

void strbuf_addf(struct strbuf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(buf, fmt, ap);
	va_end(ap);
}

void strbuf_vaddf(struct strbuf *buf, const char *fmt, va_list ap)
{
	va_list again;
	size_t room;
	int length;

	strbuf_reserve(buf, MIN_CAPACITY);
	room = buf->capacity - buf->length;
	va_copy(again, ap);
	length = vsnprintf(buf->data + buf->length, room, fmt, ap);
	if (length < 0)
		memory_exhausted(); /* vsnprintf's other failures need %ls or 2 GiB of text */
	if ((size_t)length >= room) {
		strbuf_reserve(buf, (size_t)length);
		length =
			vsnprintf(buf->data + buf->length, buf->capacity - buf->length, fmt, again);
	}
	va_end(again);
	buf->length += (size_t)length;
}

void strbuf_consume(struct strbuf *buf, size_t count)
{
	if (count >= buf->length) {
		strbuf_clear(buf);
		return;
	}
	memmove(buf->data, buf->data + count, buf->length - count + 1);
	buf->length -= count;
}

const char *strbuf_text(const struct strbuf *buf)
{
	return buf->data ? buf->data : "";
}

char *strbuf_steal(struct strbuf *buf)
{
	char *data;

	strbuf_reserve(buf, 0);
	data = buf->data;
	*buf = (struct strbuf)STRBUF_INIT;
	return data;
}
