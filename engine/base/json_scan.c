/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_scan.c - what is looked at before cJSON sees a text that strangers wrote. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/utf8.h"

struct scanner {
	const char *bytes;
	size_t length, at;
	size_t copied; /* bytes before this are in out->text, if there is one */
	int depth;
	struct json_text *out;
	struct error *err;
};

void json_text_release(struct json_text *text)
{
	strbuf_release(&text->text);
	strv_free(text->numbers);
	*text = (struct json_text){ .text = STRBUF_INIT };
}

static int refuse(const struct scanner *s, const char *why)
{
	return error_set(s->err, -EBADMSG, "invalid JSON at byte %zu: %s", s->at, why);
}

/* Most texts can be taken as they are, so there is no copy before something must be replaced. */
static void replace_next(struct scanner *s, size_t length)
{
	strbuf_add(&s->out->text, s->bytes + s->copied, s->at - s->copied);
	strbuf_add_str(&s->out->text, UTF8_REPLACEMENT);
	s->at += length;
	s->copied = s->at;
}

static bool at_digit(const struct scanner *s)
{
	return s->at < s->length && s->bytes[s->at] >= '0' && s->bytes[s->at] <= '9';
}

static bool at_char(const struct scanner *s, const char *set)
{
	return s->at < s->length && s->bytes[s->at] && strchr(set, s->bytes[s->at]);
}

static bool skip_digits(struct scanner *s)
{
	bool any = at_digit(s);

	while (at_digit(s))
		s->at++;
	return any;
}

/* number = [ "-" ] int [ frac ] [ exp ], RFC 8259 section 6 */
static bool skip_number(struct scanner *s)
{
	if (at_char(s, "-"))
		s->at++;
	if (at_char(s, "0"))
		s->at++;
	else if (!skip_digits(s))
		return false;
	if (at_char(s, ".")) {
		s->at++;
		if (!skip_digits(s))
			return false;
	}
	if (at_char(s, "eE")) {
		s->at++;
		if (at_char(s, "+-"))
			s->at++;
		if (!skip_digits(s))
			return false;
	}
	return !at_char(s, "0123456789+-.eE");
}

/* Whatever the digits, an integer of so few characters is below JSON_PLAIN_NUMBER_MAX. */
#define SURELY_PLAIN 9

static int scan_number(struct scanner *s)
{
	char text[JSON_NUMBER_BYTES];
	size_t start = s->at, length;
	double value;

	if (!skip_number(s))
		return refuse(s, "not a number");
	length = s->at - start;
	if (length >= sizeof(text))
		return refuse(s, "number too long");
	if (length <= SURELY_PLAIN && !memchr(s->bytes + start, 'e', length) &&
		!memchr(s->bytes + start, 'E', length))
		return 0;
	memcpy(text, s->bytes + start, length);
	text[length] = '\0';
	value = strtod(text, NULL);
	if (!isfinite(value))
		return refuse(s, "number out of range");
	if (fabs(value) > JSON_PLAIN_NUMBER_MAX) {
		if (s->out->number_count == 0)
			array_add(s->out->numbers, s->out->number_count); /* the NULL at the end */
		array_add(s->out->numbers, s->out->number_count);
		s->out->numbers[s->out->number_count - 2] = xstrdup(text);
	}
	return 0;
}

/* The four digits of a \u escape whose backslash is at `at`; -1 when it is none. */
static int32_t unicode_escape(const struct scanner *s, size_t at)
{
	int32_t value = 0;

	if (at + 6 > s->length || s->bytes[at] != '\\' || s->bytes[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *digit = strchr(digits, s->bytes[i]);

		if (!digit || !*digit)
			return -1;
		value = value * 16 + (int32_t)(digit - digits) - (digit - digits > 15 ? 6 : 0);
	}
	return value;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

static int scan_escape(struct scanner *s, bool *has_nul)
{
	int32_t unit = unicode_escape(s, s->at);
	size_t length = 6;

	if (unit < 0) {
		if (s->at + 1 >= s->length || !strchr("\"\\/bfnrt", s->bytes[s->at + 1]) ||
			!s->bytes[s->at + 1])
			return refuse(s, "not an escape sequence");
		length = 2;
	} else if (is_high_surrogate(unit) && is_low_surrogate(unicode_escape(s, s->at + 6))) {
		length = 12;
	} else if (unit == 0 || is_high_surrogate(unit) || is_low_surrogate(unit)) {
		*has_nul |= unit == 0;
		replace_next(s, length);
		return 0;
	}
	s->at += length;
	return 0;
}

static int scan_string_part(struct scanner *s, bool *has_nul)
{
	unsigned char c = (unsigned char)s->bytes[s->at];
	uint32_t point;
	size_t length;

	if (c < 0x20)
		return refuse(s, "control byte in a string");
	if (c == '\\')
		return scan_escape(s, has_nul);
	length = utf8_decode(s->bytes + s->at, s->length - s->at, &point);
	if (length > 0)
		s->at += length;
	else
		replace_next(s, 1);
	return 0;
}

static void skip_plain(struct scanner *s)
{
	while (s->at < s->length && s->bytes[s->at] >= 0x20 && s->bytes[s->at] < 0x7f &&
		s->bytes[s->at] != '"' && s->bytes[s->at] != '\\')
		s->at++;
}

static int scan_string(struct scanner *s)
{
	bool has_nul = false;

	s->at++;
	for (skip_plain(s); s->at < s->length && s->bytes[s->at] != '"'; skip_plain(s)) {
		int r = scan_string_part(s, &has_nul);

		if (r < 0)
			return r;
	}
	if (s->at == s->length)
		return refuse(s, "unfinished string");
	s->at++;
	while (at_char(s, " \t\r\n"))
		s->at++;
	if (has_nul && at_char(s, ":"))
		return refuse(s, "NUL in a name");
	return 0;
}

static int scan_token(struct scanner *s)
{
	char c = s->bytes[s->at];

	if (c == '"')
		return scan_string(s);
	if (at_digit(s) || c == '-')
		return scan_number(s);
	if (!c || !strchr(" \t\r\n[]{}:,truefalsn", c)) /* the letters of true, false and null */
		return refuse(s, "unexpected byte");
	if (c == '[' || c == '{')
		s->depth++;
	else if (c == ']' || c == '}')
		s->depth--;
	if (s->depth > JSON_DEPTH_MAX)
		return refuse(s, "nested too deeply");
	s->at++;
	return 0;
}

int json_scan(const char *bytes, size_t length, struct json_text *ret, struct error *err)
{
	struct json_text text = { .text = STRBUF_INIT };
	struct scanner s = { .bytes = bytes, .length = length, .out = &text, .err = err };

	while (s.at < length) {
		int r = scan_token(&s);

		if (r < 0) {
			json_text_release(&text);
			return r;
		}
	}
	if (s.copied > 0)
		strbuf_add(&text.text, bytes + s.copied, length - s.copied);
	*ret = text;
	return 0;
}
