/* SPDX-License-Identifier: GPL-2.0-or-later
 * help.c - the three pages of --help. */
#include "cmd/help.h"

#include <string.h>

#include "engine/base/strbuf.h"

static void list_verbs(const struct verb *const *verbs, FILE *out)
{
	size_t width = 0;

	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (strlen((*verb)->name) > width)
			width = strlen((*verb)->name);
	for (; *verbs; verbs++)
		fprintf(out, "  %-*s   %s\n", (int)width, (*verbs)->name, (*verbs)->summary);
}

static void list_flags(const struct flag *flags, FILE *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	flags_help(flags, &text);
	if (text.length)
		fprintf(out, "\nOptions:\n%s", strbuf_text(&text));
}

void help_program(const struct verb *const *verbs, const struct flag *global_flags, FILE *out)
{
	fputs("Usage:  mycompose [OPTIONS] COMMAND\n\n"
	      "Run the services of a Compose file, or single containers, directly on this Linux "
	      "host\n",
		out);
	list_flags(global_flags, out);
	fputs("\nCommands:\n", out);
	list_verbs(verbs, out);
	fputs("\nRun 'mycompose COMMAND --help' for more on a command\n", out);
}

void help_group(const struct verb *group, const char *path, FILE *out)
{
	fprintf(out, "Usage:  mycompose %s COMMAND\n\n%s\n\nCommands:\n", path, group->summary);
	list_verbs(group->children, out);
	fprintf(out, "\nRun 'mycompose %s COMMAND --help' for more on a command\n", path);
}

void help_verb(const struct verb *verb, const char *path, FILE *out)
{
	fprintf(out, "Usage:  mycompose %s%s%s\n\n%s\n", path, *verb->usage ? " " : "", verb->usage,
		verb->summary);
	if (verb->alias)
		fprintf(out, "\nAliases:\n  %s, %s\n", verb->name, verb->alias);
	list_flags(verb->flags, out);
}
