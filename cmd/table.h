/* SPDX-License-Identifier: GPL-2.0-or-later
 * table.h - left-aligned tables as docker prints them; cells are escaped, so a container's words
 * cannot drive the terminal. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_TABLE_H
#define MYCOMPOSE_CMD_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table;

/* `headers` ends with NULL. Columns are at least minimum_width wide and separated by three blanks.
 */
struct table *table_new(const char *const *headers, size_t minimum_width);
void table_free(struct table *table);
/* Blanks between columns instead of three. */
void table_set_gap(struct table *table, size_t gap);
/* Append one cell (copied) to the current row; rows end by themselves. */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Header first, also when there is no row. Width counts characters, not bytes. */
void table_print(const struct table *table, FILE *out);

#endif
