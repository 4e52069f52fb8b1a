/* SPDX-License-Identifier: GPL-2.0-or-later
 * format.h - the forms of a listing: table, JSON, "{{.Field}}" templates and "table TEMPLATE".
 *
 * An item is a JSON object whose members are the fields; members are put in alphabetical order when
 * printed, as Go prints maps and docker its structs. Templates know {{.A}}, {{.A.B}}, {{json .}},
 * {{upper .A}}, {{lower .A}}, {{title .A}}, {{len .A}}, {{.Label "key"}}, {{println}} and the
 * trimming dashes; anything else is an error, never printed as it stands. \t and \n are escapes.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_FORMAT_H
#define MYCOMPOSE_CMD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/base/errors.h"
#include "engine/base/json.h"

struct format_item {
	struct json *fields;
	char **labels; /* "key=value", for .Label */
};

struct format_column {
	const char *field;
	const char *header;
	bool is_default; /* in the table that no format asks for */
};

struct format_listing {
	const struct format_column *columns; /* ends with a NULL field; default ones in order */
	size_t minimum_width;
	bool json_array; /* one array instead of an object a line */
};

struct format_items {
	struct format_item *items;
	size_t count;
};
#define FORMAT_ITEMS_INIT \
	{                 \
		0, 0      \
	}
#define cleanup_items __attribute__((cleanup(format_items_release)))
void format_items_release(struct format_items *items);
/* Takes `fields` over, copies the labels (NULL = none). */
void format_items_add(struct format_items *items, struct json *fields, char *const *labels);

/* Print all. `format` NULL, "" or "table": the default columns; "json"; else a template. -EINVAL:
 * "template: …" with what is wrong in it. Nothing is printed then. */
int format_print(const char *format, const struct format_listing *listing,
	const struct format_items *items, FILE *out, struct error *err);

/* One template for one item, without an end of line: what `inspect --format` prints. Heap. */
int format_expand(
	const char *template_text, const struct format_item *item, char **ret, struct error *err);

#endif
