/* SPDX-License-Identifier: GPL-2.0-or-later
 * ls.c - `ls`: the projects that have containers on this host. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/listed.h"
#include "cmd/verbs.h"
#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct ls_options {
	bool all;
	bool quiet;
	char **filters;
	char *format;
};

#define L(field) offsetof(struct ls_options, field)
static const struct flag ls_flags[] = {
	{ 'a', "all", FLAG_BOOL, L(all), NULL, "Show also projects of which nothing runs", 0 },
	{ 'q', "quiet", FLAG_BOOL, L(quiet), NULL, "Only names", 0 },
	{ 0, "filter", FLAG_LIST, L(filters), "KEY=VALUE",
		"Only what matches: name (a regular expression)", 0 },
	{ 0, "format", FLAG_STRING, L(format), "FORMAT", "table or json", 0 },
	FLAG_END,
};

static const struct format_column columns[] = {
	{ "Name", "NAME", true },
	{ "Status", "STATUS", true },
	{ "ConfigFiles", "CONFIG FILES", true },
	{ NULL, NULL, false },
};

/* Project first, so that each one's containers stand together. */
static int compare_projects(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;

	return strcmp(container_label(a->container, LABEL_PROJECT),
		container_label(b->container, LABEL_PROJECT));
}

/* One-off containers make no project. */
static bool is_of_project(const struct listed *listed, void *arg)
{
	const struct ls_options *options = arg;

	return container_label(listed->container, LABEL_PROJECT) && !listed_is_one_off(listed) &&
	       (options->all || listed_is_up(listed));
}

/* "exited(1), running(2)" */
static char *status_text(const struct listed *items, size_t count)
{
	cleanup_strv char **states = NULL;
	cleanup_strv char **parts = NULL;
	size_t same = 0;

	for (size_t i = 0; i < count; i++)
		strv_add(&states, container_status_name(items[i].state.status));
	strv_sort(states);
	for (char **state = states; state && *state; state++) {
		same++;
		if (state[1] && !strcmp(state[0], state[1]))
			continue;
		strv_take(&parts, xasprintf("%s(%zu)", *state, same));
		same = 0;
	}
	return strv_join(parts, ", ");
}

static char *files_text(const struct listed *items, size_t count)
{
	cleanup_strv char **files = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *label = container_label(items[i].container, LABEL_CONFIG_FILES);
		cleanup_strv char **own = label ? strv_split(label, ",") : NULL;

		for (char **file = own; file && *file; file++)
			if (!strv_contains(files, *file))
				strv_add(&files, *file);
	}
	return files ? strv_join(files, ",") : xstrdup("N/A");
}

static void add_project(const struct listed *items, size_t count, struct format_items *ret)
{
	cleanup_free char *status = status_text(items, count);
	cleanup_free char *files = files_text(items, count);
	struct json *fields = json_new_object();

	json_set_string(fields, "Name", container_label(items->container, LABEL_PROJECT));
	json_set_string(fields, "Status", status);
	json_set_string(fields, "ConfigFiles", files);
	format_items_add(ret, fields, NULL);
}

/* 1 = it passes, 0 = not. */
static int passes(const char *name, char *const *filters, struct error *err)
{
	int all = 1;

	for (; filters && *filters; filters++) {
		regex_t expression;

		if (strncmp(*filters, "name=", strlen("name=")))
			return error_set(err, -EINVAL, "invalid filter '%s'", *filters);
		if (regcomp(&expression, *filters + strlen("name="), REG_EXTENDED | REG_NOSUB))
			return error_set(
				err, -EINVAL, "invalid regular expression in '%s'", *filters);
		all &= regexec(&expression, name, 0, NULL, 0) == 0;
		regfree(&expression);
	}
	return all;
}

static int collect(const struct listed_set *set, const struct ls_options *options,
	struct format_items *items, struct error *err)
{
	for (size_t i = 0, next; i < set->count; i = next) {
		const char *name = container_label(set->items[i].container, LABEL_PROJECT);
		int r = passes(name, options->filters, err);

		for (next = i + 1;
			next < set->count && !compare_projects(&set->items[i], &set->items[next]);
			next++)
			;
		if (r < 0)
			return r;
		if (r)
			add_project(&set->items[i], next - i, items);
	}
	return 0;
}

static int run_ls(struct app *app, void *opaque, char **args, struct error *err)
{
	static const struct format_listing listing = { columns, 20, true };
	struct ls_options *options = opaque;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_listed struct listed_set set = LISTED_INIT;
	int r = app_need_operands(app, args, 0, 0, err);

	if (r == 0 && options->filters)
		r = passes("", options->filters, err) < 0 ? err->code : 0;
	if (r == 0)
		r = listed_load(&app->engine, NULL, &set, err);
	if (r < 0)
		return r;
	listed_filter(&set, is_of_project, options);
	if (set.count)
		qsort(set.items, set.count, sizeof(*set.items), compare_projects);
	r = collect(&set, options, &items, err);
	if (r < 0 || !options->quiet)
		return r < 0 ? r : format_print(options->format, &listing, &items, stdout, err);
	for (size_t i = 0; i < items.count; i++)
		printf("%s\n", json_string(json_get(items.items[i].fields, "Name")));
	return 0;
}

const struct verb verb_ls = {
	.name = "ls",
	.usage = "[OPTIONS]",
	.summary = "List the projects of this host",
	.flags = ls_flags,
	.options_size = sizeof(struct ls_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_ls,
};
