/* SPDX-License-Identifier: GPL-2.0-or-later
 * template.h - the part of Go's templates that --format needs, parsed once, expanded per item.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_TEMPLATE_H
#define MYCOMPOSE_CMD_TEMPLATE_H

#include <stddef.h>

#include "cmd/format.h"
#include "engine/base/strbuf.h"

struct template;

/* -EINVAL: "template: …". */
int template_parse(const char *text, struct template **ret, struct error *err);
void template_free(struct template *template);

/* Columns of a table template: what tabs separate. */
size_t template_columns(const struct template *template);
/* Append column `column` of the item. -EINVAL for a field the item does not have. */
int template_expand_column(const struct template *template, size_t column,
	const struct format_item *item, struct strbuf *out, struct error *err);
/* The column's header: fields by their headers, the rest as it stands. */
void template_header(const struct template *template, size_t column,
	const struct format_column *columns, struct strbuf *out);

#endif
