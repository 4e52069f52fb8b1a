/* SPDX-License-Identifier: GPL-2.0-or-later
 * format.c - print the items of a listing in the form that was asked for. */
#include "cmd/format.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/table.h"
#include "cmd/template.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"

#define TABLE_PREFIX "table "

void format_items_release(struct format_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		json_free(items->items[i].fields);
		strv_free(items->items[i].labels);
	}
	free(items->items);
	*items = (struct format_items)FORMAT_ITEMS_INIT;
}

void format_items_add(struct format_items *items, struct json *fields, char *const *labels)
{
	struct format_item *item = array_add(items->items, items->count);

	item->fields = fields;
	item->labels = strv_copy(labels);
}

static void print_objects(
	const struct format_listing *listing, const struct format_items *items, FILE *out)
{
	if (listing->json_array)
		fputc('[', out);
	for (size_t i = 0; i < items->count; i++) {
		cleanup_free char *text = json_print_go(items->items[i].fields);

		fprintf(out, "%s%s%s", listing->json_array && i ? "," : "", text,
			listing->json_array ? "" : "\n");
	}
	if (listing->json_array)
		fputs("]\n", out);
}

static char *cell_text(const struct json *fields, const char *name)
{
	const struct json *value = json_get(fields, name);

	if (!value || json_is_null(value))
		return xstrdup("");
	return json_string(value) ? xstrdup(json_string(value)) : json_print_go(value);
}

static void print_default_table(
	const struct format_listing *listing, const struct format_items *items, FILE *out)
{
	cleanup_strv char **headers = NULL;
	struct table *table;

	for (const struct format_column *column = listing->columns; column->field; column++)
		if (column->is_default)
			strv_add(&headers, column->header);
	table = table_new((const char *const *)headers, listing->minimum_width);
	for (size_t i = 0; i < items->count; i++) {
		for (const struct format_column *column = listing->columns; column->field;
			column++) {
			cleanup_free char *text = NULL;

			if (!column->is_default)
				continue;
			text = cell_text(items->items[i].fields, column->field);
			table_cell(table, text);
		}
	}
	table_print(table, out);
	table_free(table);
}

static int expand_whole(const struct template *template, const struct format_item *item,
	struct strbuf *out, struct error *err)
{
	for (size_t column = 0; column < template_columns(template); column++) {
		int r;

		if (column)
			strbuf_add_char(out, '\t');
		r = template_expand_column(template, column, item, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_rows(struct table *table, const struct template *template,
	const struct format_items *items, struct error *err)
{
	for (size_t i = 0; i < items->count; i++) {
		for (size_t column = 0; column < template_columns(template); column++) {
			cleanup_strbuf struct strbuf text = STRBUF_INIT;
			int r = template_expand_column(
				template, column, &items->items[i], &text, err);

			if (r < 0)
				return r;
			table_cell(table, strbuf_text(&text));
		}
	}
	return 0;
}

static int print_template_table(const struct template *template,
	const struct format_listing *listing, const struct format_items *items, FILE *out,
	struct error *err)
{
	cleanup_strv char **headers = NULL;
	struct table *table;
	int r;

	for (size_t column = 0; column < template_columns(template); column++) {
		struct strbuf header = STRBUF_INIT;

		template_header(template, column, listing->columns, &header);
		strv_take(&headers, strbuf_steal(&header));
	}
	table = table_new((const char *const *)headers, listing->minimum_width);
	r = fill_rows(table, template, items, err);
	if (r == 0)
		table_print(table, out);
	table_free(table);
	return r;
}

static int print_lines(const struct template *template, const struct format_items *items, FILE *out,
	struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < items->count; i++) {
		int r = expand_whole(template, &items->items[i], &text, err);

		if (r < 0)
			return r;
		strbuf_add_char(&text, '\n');
	}
	fwrite(strbuf_text(&text), 1, text.length, out);
	return 0;
}

int format_print(const char *format, const struct format_listing *listing,
	const struct format_items *items, FILE *out, struct error *err)
{
	struct template *template = NULL;
	bool is_table;
	int r;

	if (format && !strcmp(format, "json")) {
		print_objects(listing, items, out);
		return 0;
	}
	if (!format || !*format || !strcmp(format, "table")) {
		print_default_table(listing, items, out);
		return 0;
	}
	is_table = !strncmp(format, TABLE_PREFIX, strlen(TABLE_PREFIX));
	r = template_parse(is_table ? format + strlen(TABLE_PREFIX) : format, &template, err);
	if (r < 0)
		return r;
	r = is_table ? print_template_table(template, listing, items, out, err)
		     : print_lines(template, items, out, err);
	template_free(template);
	return r;
}

int format_expand(
	const char *template_text, const struct format_item *item, char **ret, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct template *template = NULL;
	int r = template_parse(template_text, &template, err);

	if (r < 0)
		return r;
	r = expand_whole(template, item, &text, err);
	template_free(template);
	if (r == 0)
		*ret = strbuf_steal(&text);
	return r;
}
