/* SPDX-License-Identifier: GPL-2.0-or-later
 * print_json.c - nodes as indented JSON. */
#include "compose/print.h"

#include <math.h>
#include <string.h>

#include "engine/base/json.h"

static void add_indent(struct strbuf *out, unsigned int depth)
{
	strbuf_add_char(out, '\n');
	strbuf_add_spaces(out, depth * 2);
}

static void add_string(struct strbuf *out, const char *text)
{
	cleanup_strbuf struct strbuf quoted = STRBUF_INIT;

	json_quote(&quoted, text, strlen(text));
	for (const char *s = quoted.data; *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&')
			strbuf_addf(out, "\\u%04x", (unsigned int)*s);
		else
			strbuf_add_char(out, *s);
	}
}

/* Go switches to the exponent form only below 1e-6 and from 1e21 on. */
static void add_float(struct strbuf *out, double value)
{
	char buf[40];

	format_go_float(value, buf);
	if (fabs(value) < 1e-4 && fabs(value) >= 1e-6)
		snprintf(buf, sizeof(buf), "%.*g", 17, value);
	if (isfinite(value))
		strbuf_add_str(out, buf);
	else
		add_string(out, buf);
}

/* `key`: NULL for an item of a list. */
static void begin_entry(struct strbuf *out, bool is_first, const char *key, unsigned int depth)
{
	if (!is_first)
		strbuf_add_char(out, ',');
	add_indent(out, depth);
	if (key) {
		add_string(out, key);
		strbuf_add_str(out, ": ");
	}
}

static void add_value(struct strbuf *out, const struct node *node, unsigned int depth)
{
	bool is_mapping = node->kind == NODE_MAPPING;

	switch (node->kind) {
	case NODE_NULL:
		strbuf_add_str(out, "null");
		return;
	case NODE_BOOL:
		strbuf_add_str(out, node->boolean ? "true" : "false");
		return;
	case NODE_INT:
		strbuf_add_i64(out, node->integer);
		return;
	case NODE_FLOAT:
		add_float(out, node->real);
		return;
	case NODE_TIMESTAMP:
	case NODE_STRING:
		add_string(out, node->text);
		return;
	case NODE_SEQUENCE:
	case NODE_MAPPING:
		break;
	}
	strbuf_add_char(out, is_mapping ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		begin_entry(out, i == 0, is_mapping ? node->entries[i].key : NULL, depth + 1);
		add_value(out, node->entries[i].value, depth + 1);
	}
	if (node->count > 0)
		add_indent(out, depth);
	strbuf_add_char(out, is_mapping ? '}' : ']');
}

void print_json(const struct node *node, struct strbuf *out)
{
	add_value(out, node, 0);
}

static void open_mapping(struct printer *printer, const char *key)
{
	if (key)
		begin_entry(printer->out, !printer->has_entries, key, printer->depth);
	strbuf_add_char(printer->out, '{');
	printer->depth++;
	printer->has_entries = false;
}

static void add_entry(struct printer *printer, const char *key, const struct node *value)
{
	begin_entry(printer->out, !printer->has_entries, key, printer->depth);
	add_value(printer->out, value, printer->depth);
	printer->has_entries = true;
}

static void close_mapping(struct printer *printer)
{
	printer->depth--;
	add_indent(printer->out, printer->depth);
	strbuf_add_char(printer->out, '}');
	printer->has_entries = true;
}

const struct print_format print_format_json = { open_mapping, add_entry, close_mapping };
