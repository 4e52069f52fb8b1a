/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_print.c - values as text: compact, indented, and as Go's encoder writes them.
 *
 * cJSON's own printer is not used: it passes invalid UTF-8 on, writes 1e+15 and indents by tabs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json_internal.h"
#include "engine/base/memory.h"
#include "engine/base/utf8.h"

enum form {
	FORM_COMPACT,
	FORM_PRETTY,
	FORM_GO,
};

/* The fewest digits that read back as `value` (> 0), "d1d2d3..", and e for d1.d2d3.. * 10^e. */
static int shortest_digits(double value, char digits[static 24])
{
	char text[32];
	size_t n = 0;
	char *at;

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	for (at = text; *at != 'e'; at++)
		if (*at != '.')
			digits[n++] = *at;
	digits[n] = '\0';
	return (int)strtol(at + 1, NULL, 10);
}

/* The point goes behind digit e + 1, with zeros where there is no digit. */
static void place_point(const char *digits, int e, char *at)
{
	int count = (int)strlen(digits);

	if (e < 0)
		*at++ = '0';
	for (int i = e < 0 ? e + 1 : 0; i < count || i <= e; i++) {
		if (i == e + 1)
			*at++ = '.';
		*at++ = i >= 0 && i < count ? digits[i] : '0';
	}
	*at = '\0';
}

void json_format_double(double value, char buf[static JSON_NUMBER_BYTES])
{
	double size = fabs(value);
	char digits[24], *at = buf;
	int e;

	if (size == 0 || !isfinite(value)) {
		snprintf(buf, JSON_NUMBER_BYTES, "%s", size == 0 ? "0" : "null");
		return;
	}
	if (value < 0)
		*at++ = '-';
	e = shortest_digits(size, digits);
	if (size < 1e-6 || size >= 1e21) /* where encoding/json changes its form */
		snprintf(at, JSON_NUMBER_BYTES - 1, "%c%s%se%+d", digits[0], digits[1] ? "." : "",
			digits + 1, e);
	else
		place_point(digits, e, at);
}

static void add_escape(struct strbuf *buf, uint32_t point)
{
	static const char controls[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
	const char *control = point && point < 0x80 ? strchr(controls, (int)point) : NULL;

	if (control)
		strbuf_addf(buf, "\\%c", letters[control - controls]);
	else
		strbuf_addf(buf, "\\u%04x", (unsigned int)point);
}

static bool needs_escape(uint32_t point, enum form form)
{
	if (point < 0x20 || point == '"' || point == '\\')
		return true;
	return form == FORM_GO &&
	       (point == '<' || point == '>' || point == '&' || point == 0x2028 || point == 0x2029);
}

static void add_string(struct strbuf *buf, const char *s, size_t left, enum form form)
{
	size_t length;

	strbuf_add_char(buf, '"');
	for (; left > 0; s += length, left -= length) {
		uint32_t point;

		length = utf8_decode(s, left, &point);
		if (length == 0) {
			strbuf_add_str(buf, UTF8_REPLACEMENT);
			length = 1;
		} else if (needs_escape(point, form)) {
			add_escape(buf, point);
		} else {
			strbuf_add(buf, s, length);
		}
	}
	strbuf_add_char(buf, '"');
}

void json_quote(struct strbuf *buf, const char *s, size_t length)
{
	add_string(buf, s, length, FORM_COMPACT);
}

static void add_break(struct strbuf *buf, enum form form, int depth)
{
	if (form != FORM_PRETTY)
		return;
	strbuf_add_char(buf, '\n');
	strbuf_add_spaces(buf, 2 * (size_t)depth);
}

static void add_value(struct strbuf *buf, const struct json *json, enum form form, int depth);

static void add_children(struct strbuf *buf, const struct json *json, enum form form, int depth)
{
	const bool object = json_is_object(json);
	const char *separator = "";

	strbuf_add_char(buf, object ? '{' : '[');
	json_for_each (child, json) {
		strbuf_add_str(buf, separator);
		separator = ",";
		add_break(buf, form, depth + 1);
		if (object) {
			add_string(buf, json_key(child), strlen(json_key(child)), form);
			strbuf_add_str(buf, form == FORM_PRETTY ? ": " : ":");
		}
		add_value(buf, child, form, depth + 1);
	}
	if (json_first(json))
		add_break(buf, form, depth);
	strbuf_add_char(buf, object ? '}' : ']');
}

static void add_value(struct strbuf *buf, const struct json *json, enum form form, int depth)
{
	char number[JSON_NUMBER_BYTES];
	const char *s = json_string(json);

	if (json_is_object(json) || json_is_array(json))
		add_children(buf, json, form, depth);
	else if (s)
		add_string(buf, s, strlen(s), form);
	else if (json_is_number(json))
		strbuf_add_str(buf, json_number_text(json, number));
	else if (json_is_bool(json))
		strbuf_add_str(buf, json_is_true(json) ? "true" : "false");
	else
		strbuf_add_str(buf, "null");
}

static char *print(const struct json *json, enum form form)
{
	struct strbuf buf = STRBUF_INIT;

	add_value(&buf, json, form, 0);
	return strbuf_steal(&buf);
}

char *json_print(const struct json *json)
{
	return print(json, FORM_COMPACT);
}

char *json_print_pretty(const struct json *json)
{
	return print(json, FORM_PRETTY);
}

char *json_print_go(const struct json *json)
{
	return print(json, FORM_GO);
}
