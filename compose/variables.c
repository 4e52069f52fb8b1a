/* SPDX-License-Identifier: GPL-2.0-or-later
 * variables.c - the table of `config --variables`: what the files could be given from outside. */
#include "compose/config.h"

#include <string.h>

#include "compose/interpolate.h"
#include "compose/loader.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* One mention per name: the first that says something about it wins. */
static void fold_variable(struct strmap *known, struct variable *variable)
{
	struct variable *first = strmap_get(known, variable->name);

	if (!first) {
		strmap_set(known, variable->name, variable);
		return;
	}
	first->is_required = first->is_required || variable->is_required;
	if (!first->default_value)
		first->default_value = variable->default_value;
	if (!first->alternate_value)
		first->alternate_value = variable->alternate_value;
}

/* Columns as Docker Compose sets them: three blanks apart, and not narrower than 20. */
#define COLUMN_GAP   3
#define COLUMN_WIDTH 20

static void print_row(struct strbuf *out, const size_t widths[3], const char *const cells[4])
{
	for (size_t i = 0; i < 3; i++) {
		size_t width = widths[i] + COLUMN_GAP;

		strbuf_addf(
			out, "%-*s", (int)(width < COLUMN_WIDTH ? COLUMN_WIDTH : width), cells[i]);
	}
	strbuf_addf(out, "%s\n", cells[3]);
}

static void variable_cells(const struct variable *variable, const char *cells[4])
{
	cells[0] = variable->name;
	cells[1] = variable->is_required ? "true" : "false";
	cells[2] = variable->default_value ? variable->default_value : "";
	cells[3] = variable->alternate_value ? variable->alternate_value : "";
}

static void print_table(struct strmap *known, struct strbuf *out)
{
	const char *cells[4] = { "NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE" };
	size_t widths[3] = { 0 };

	strmap_sort(known);
	strmap_for_each (entry, known) {
		const char *values[4];

		variable_cells(entry->value, values);
		for (size_t i = 0; i < ARRAY_LEN(widths); i++)
			if (strlen(values[i]) > widths[i])
				widths[i] = strlen(values[i]);
	}
	print_row(out, widths, cells);
	strmap_for_each (entry, known) {
		variable_cells(entry->value, cells);
		print_row(out, widths, cells);
	}
}

int config_list_variables(
	const struct compose_options *options, struct strbuf *out, struct error *err)
{
	struct strmap known = STRMAP_INIT;
	struct loader l;
	int r;

	loader_open(&l, options);
	r = loader_prepare(&l, err);
	l.wants_variables = true;
	if (r == 0)
		r = loader_read_sources(&l, err);
	if (r == 0)
		r = problems_to_error(l.problems, err);
	for (size_t i = 0; r == 0 && i < l.variable_count; i++)
		fold_variable(&known, &l.variables[i]);
	if (r == 0)
		print_table(&known, out);
	strmap_release(&known);
	loader_close(&l);
	return r;
}
