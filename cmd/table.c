/* SPDX-License-Identifier: GPL-2.0-or-later
 * table.c - collect cells, then print them aligned. */
#include "cmd/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/escape.h"
#include "engine/base/memory.h"

#define GAP 3 /* unless table_set_gap says otherwise */

struct table {
	char **cells; /* header first, row after row */
	size_t count;
	size_t columns;
	size_t minimum_width;
	size_t gap;
};

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void add_cell(struct table *table, char *cell)
{
	*array_add(table->cells, table->count) = cell;
}

struct table *table_new(const char *const *headers, size_t minimum_width)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->minimum_width = minimum_width;
	table->gap = GAP;
	for (; headers[table->columns]; table->columns++)
		add_cell(table, xstrdup(headers[table->columns]));
	return table;
}

void table_set_gap(struct table *table, size_t gap)
{
	table->gap = gap;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void table_cell(struct table *table, const char *text)
{
	add_cell(table, escape_control(text ? text : ""));
}

void table_cellf(struct table *table, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	table_cell(table, text);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = table->minimum_width > table->gap ? table->minimum_width - table->gap : 0;

	for (size_t i = column; i < table->count; i += table->columns)
		if (width_of(table->cells[i]) > width)
			width = width_of(table->cells[i]);
	return width;
}

void table_print(const struct table *table, FILE *out)
{
	cleanup_free size_t *widths = xcalloc(table->columns + 1, sizeof(*widths));

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;

		fputs(table->cells[i], out);
		if (column + 1 == table->columns)
			fputc('\n', out);
		else
			fprintf(out, "%*s",
				(int)(widths[column] - width_of(table->cells[i]) + table->gap), "");
	}
}
