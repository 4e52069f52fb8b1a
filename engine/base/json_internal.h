/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_internal.h - what the files of the JSON adapter share: json_scan.c (text), json.c (tree,
 * cJSON), json_print.c. */
#ifndef MYCOMPOSE_BASE_JSON_INTERNAL_H
#define MYCOMPOSE_BASE_JSON_INTERNAL_H

#include <stddef.h>

#include "engine/base/json.h"

/* Numbers beyond this are kept by their text: a double would round them, and print them in another
 * form. */
#define JSON_PLAIN_NUMBER_MAX 2147483647.0

#define JSON_DEPTH_MAX	  200
#define JSON_NUMBER_BYTES 64 /* cJSON reads at most 63 characters of a number */

/* A text cJSON may be trusted with, and its numbers beyond JSON_PLAIN_NUMBER_MAX in the order of
 * the text. */
struct json_text {
	struct strbuf text; /* empty: the scanned text itself will do */
	char **numbers;	    /* strv */
	size_t number_count;
};

void json_text_release(struct json_text *text);
/* Refuse what RFC 8259 forbids and cJSON lets pass (control bytes, "01", "1."), depth over
 * JSON_DEPTH_MAX and NUL in names. Like Go, put U+FFFD in the place of invalid UTF-8 and of
 * unpaired surrogates; in values of "\u0000" too, since what follows it would be lost to C strings.
 * The grammar of the rest is left to cJSON. */
int json_scan(const char *bytes, size_t length, struct json_text *ret, struct error *err);

/* The number as Go writes it: the kept text, or the shortest decimal that reads back the same.
 * `buf` may be the place. */
const char *json_number_text(const struct json *json, char buf[static JSON_NUMBER_BYTES]);
/* The value of a whole number up to JSON_PLAIN_NUMBER_MAX, for which no text is needed. */
bool json_small_int(const struct json *json, int64_t *ret);
void json_format_double(double value, char buf[static JSON_NUMBER_BYTES]);

#endif
