/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.c - the key tables as a page for users. */
#include "compose/support.h"

#include <string.h>

#include "compose/keys.h"

static const char *const status_texts[] = {
	[KEY_SUPPORTED] = "works",
	[KEY_NO_EFFECT] = "accepted, no effect on one host",
	[KEY_NO_EFFECT_SAY] = "accepted, no effect; a warning says so",
	[KEY_NOT_YET] = "read and printed; `up` refuses it",
	[KEY_REFUSED] = "refused",
};

static const char *suffix_of(const struct key_row *row)
{
	return row->shape == SHAPE_TABLES ? "[]" : row->shape == SHAPE_NAMED ? ".NAME" : "";
}

static void add_rows(struct strbuf *out, const struct key_table *table, const char *prefix)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct key_row *row = &table->rows[i];
		const char *status = status_texts[row->status];

		if (row->status == KEY_SUPPORTED && row->refuse)
			status = "works; some values are refused";
		strbuf_addf(out, "| `%s%s` | %s | %s |\n", prefix, row->name, status,
			row->status != KEY_SUPPORTED && row->reason ? row->reason : "");
		if (row->sub && row->status == KEY_SUPPORTED) {
			cleanup_strbuf struct strbuf below = STRBUF_INIT;

			strbuf_addf(&below, "%s%s%s.", prefix, row->name, suffix_of(row));
			add_rows(out, row->sub, strbuf_text(&below));
		}
	}
}

void support_page(struct strbuf *out)
{
	strbuf_add_str(out,
		"# Which keys of a Compose file work\n\n"
		"Made from the key tables of the program; a test fails when it is out "
		"of date. Every key of the Compose\n"
		"Specification is read, checked and printed by `mycompose config`. "
		"`x-` keys are accepted everywhere and ignored, but for those in the table. "
		"What is said of a key that does not work\nis said of all below it.\n\n"
		"| key | status | why |\n|---|---|---|\n");
	add_rows(out, &document_keys, "");
}
