/* SPDX-License-Identifier: GPL-2.0-or-later
 * complete.c - walk the words as the parser does, then list the table that is next. */
#include "cmd/complete.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "engine/base/strv.h"

static const struct flag *find_flag(const struct flag *flags, const char *word)
{
	for (; flags && flags->long_name; flags++) {
		if (word[1] == '-' ? !strcmp(word + 2, flags->long_name)
				   : flags->short_name && word[1] == flags->short_name && !word[2])
			return flags;
	}
	return NULL;
}

/* Is the word after this one the flag's value? */
static bool takes_next(const struct flag *flags, const char *word)
{
	const struct flag *flag = word[0] == '-' && word[1] ? find_flag(flags, word) : NULL;

	return flag && flag->kind != FLAG_BOOL;
}

static const struct verb *find_verb(const struct verb *const *verbs, const char *name)
{
	for (; *verbs; verbs++)
		if (!strcmp((*verbs)->name, name) ||
			((*verbs)->alias && !strcmp((*verbs)->alias, name)))
			return *verbs;
	return NULL;
}

static void print_flags(const struct flag *flags)
{
	puts("--help");
	for (; flags && flags->long_name; flags++)
		if (flags->help)
			printf("--%s\n", flags->long_name);
}

/* A file that does not load has no services to offer. */
static void print_services(struct app *app)
{
	struct compose_options options;

	app_compose_options(app, NULL, &options);
	if (!app->project && app_load(app, &options, false, NULL) < 0)
		return;
	for (size_t i = 0; i < app->project->service_count; i++)
		printf("%s\n", app->project->services[i].name);
	for (size_t i = 0; i < strv_length(app->project->disabled_services); i++)
		printf("%s\n", app->project->disabled_services[i]);
}

static void print_verbs(const struct verb *const *verbs)
{
	for (; *verbs; verbs++)
		printf("%s\n", (*verbs)->name);
}

/* The flags before the verb choose the file whose services are offered. */
static void take_global_flags(
	struct app *app, const struct flag *global_flags, char **words, size_t count)
{
	cleanup_strv char **before = NULL;
	cleanup_strv char **rest = NULL;

	for (size_t i = 0; i < count; i++)
		strv_add(&before, words[i]);
	if (before)
		(void)flags_parse(global_flags, &app->global, before, false, &rest, NULL);
}

int complete_words(struct app *app, const struct verb *const *verbs,
	const struct flag *global_flags, char **words, struct error *err)
{
	size_t count = strv_length(words), i = 0;
	const struct flag *flags = global_flags;
	const struct verb *verb = NULL;

	(void)err;
	if (count == 0)
		return 0;
	for (; i + 1 < count; i++) {
		if (takes_next(flags, words[i])) {
			if (i + 2 == count)
				return 0; /* a value: the shell's own completion knows files */
			i++;
			continue;
		}
		if (words[i][0] == '-')
			continue;
		if (verb && verb->run)
			continue;
		verb = find_verb(verb ? verb->children : verbs, words[i]);
		if (!verb)
			return 0;
		if (flags == global_flags)
			take_global_flags(app, global_flags, words, i);
		flags = verb->flags;
	}
	if (words[i][0] == '-')
		print_flags(flags);
	else if (!verb)
		print_verbs(verbs);
	else if (!verb->run)
		print_verbs(verb->children);
	else if (verb->needs & (NEEDS_PROJECT | NEEDS_NAME | MAY_USE_PROJECT))
		print_services(app);
	return 0;
}
