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

static void print_table(const struct loader *l, struct strmap *known, struct strbuf *out)
{
	static const char *const head[] = { "NAME", "REQUIRED", "DEFAULT VALUE",
		"ALTERNATE VALUE" };
	size_t widths[4];

	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		widths[i] = strlen(head[i]);
	strmap_sort(known);
	strmap_for_each (entry, known) {
		const struct variable *variable = entry->value;
		size_t name = strlen(variable->name);
		size_t value = variable->default_value ? strlen(variable->default_value) : 0;

		widths[0] = name > widths[0] ? name : widths[0];
		widths[2] = value > widths[2] ? value : widths[2];
	}
	(void)l;
	strbuf_addf(out, "%-*s   %-*s   %-*s   %s\n", (int)widths[0], head[0], (int)widths[1],
		head[1], (int)widths[2], head[2], head[3]);
	strmap_for_each (entry, known) {
		const struct variable *variable = entry->value;

		strbuf_addf(out, "%-*s   %-*s   %-*s   %s\n", (int)widths[0], variable->name,
			(int)widths[1], variable->is_required ? "true" : "false", (int)widths[2],
			variable->default_value ? variable->default_value : "",
			variable->alternate_value ? variable->alternate_value : "");
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
		print_table(&l, &known, out);
	strmap_release(&known);
	loader_close(&l);
	return r;
}
