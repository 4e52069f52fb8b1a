/* SPDX-License-Identifier: GPL-2.0-or-later
 * strbuf.h - a growing byte string.
 *
 * `data` is always NUL-terminated after the first write and NULL before (use strbuf_text for a C
 * string that is never NULL); it may hold NUL bytes of its own, so `length` decides. Ownership:
 * strbuf_release frees, strbuf_steal hands the heap string to the caller (never NULL) and leaves an
 * empty buffer. */
#ifndef MYCOMPOSE_BASE_STRBUF_H
#define MYCOMPOSE_BASE_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strbuf {
	char *data;
	size_t length;
	size_t capacity;
};

#define STRBUF_INIT     \
	{               \
		0, 0, 0 \
	}
#define cleanup_strbuf __attribute__((cleanup(strbuf_release)))

void strbuf_release(struct strbuf *buf);
void strbuf_clear(struct strbuf *buf);		       /* length 0, memory kept */
void strbuf_reserve(struct strbuf *buf, size_t extra); /* room for `extra` more bytes */
void strbuf_add(struct strbuf *buf, const void *bytes, size_t length);
void strbuf_add_str(struct strbuf *buf, const char *s);
void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_add_spaces(struct strbuf *buf, size_t count);
void strbuf_add_u64(struct strbuf *buf, uint64_t value); /* in decimal */
void strbuf_add_i64(struct strbuf *buf, int64_t value);
void strbuf_addf(struct strbuf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *buf, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Drop the first `count` bytes. */
void strbuf_consume(struct strbuf *buf, size_t count);
const char *strbuf_text(const struct strbuf *buf);
char *strbuf_steal(struct strbuf *buf);

#endif
