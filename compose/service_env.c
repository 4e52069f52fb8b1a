/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_env.c - where a service's variables and labels come from besides its own lines: env_file,
 * label_file, the shell. */
#include "compose/loader.h"

#include <errno.h>
#include <string.h>

#include "compose/dotenv.h"
#include "compose/pathnames.h"
#include "engine/base/memory.h"

static void report(struct loader *l, const struct node *node, const char *service, const char *key,
	const char *text)
{
	problems_add(l->problems, &node->mark,
		arena_printf(l->arena, "services.%s.%s", service, key), "%s", text);
}

void loader_parse_env_file(struct loader *l, const char *path, const char *text, size_t length,
	struct strmap *variables)
{
	struct strmap known = STRMAP_INIT, own = STRMAP_INIT;

	strmap_for_each (entry, variables)
		strmap_set(&known, entry->key, entry->value);
	strmap_for_each (entry, &l->environment)
		strmap_set(&known, entry->key, entry->value);
	dotenv_parse(l->arena, path, text, length, &known, &own, &l->unset, l->problems);
	strmap_for_each (entry, &own)
		strmap_set(variables, entry->key, entry->value);
	strmap_release(&known);
	strmap_release(&own);
}

/* Read one file into `variables`. A missing file that is not required is fine. */
static void read_env_file(
	struct loader *l, const char *service, const struct node *item, struct strmap *variables)
{
	cleanup_error struct error err = ERROR_INIT;
	const char *path = node_get_text(item, "path");
	const char *full = path ? path_absolute(l->arena, l->project->working_dir, path) : NULL;
	const char *format = node_get_text(item, "format");
	const char *text;
	size_t length;
	int r;

	if (!path)
		return;
	r = loader_read(l, full, DOTENV_SIZE_LIMIT, &text, &length, &err);
	if (r == -ENOENT && !node_get_bool(item, "required", true))
		return;
	if (r == -ENOENT) {
		report(l, item, service, "env_file",
			arena_printf(l->arena, "env file %s not found", path));
		return;
	}
	if (r < 0) {
		report(l, item, service, "env_file", error_text(&err));
		return;
	}
	if (format && strcmp(format, "raw") == 0)
		dotenv_parse_raw(l->arena, path, text, length, variables, l->problems);
	else if (format && *format)
		report(l, item, service, "env_file",
			arena_printf(l->arena, "unsupported env_file format \"%s\"", format));
	else
		loader_parse_env_file(l, path, text, length, variables);
}

/* What the files say stands below what the service says itself. */
static struct node *below(struct loader *l, const struct node *service,
	const struct strmap *variables, const struct node *own)
{
	struct node *merged = node_new(l->arena, NODE_MAPPING, own ? own->mark : service->mark);

	strmap_for_each (entry, variables)
		node_set_string(l->arena, merged, entry->key, entry->value);
	for (size_t i = 0; own && i < own->count; i++)
		node_set(l->arena, merged, own->entries[i].key, own->entries[i].value);
	return merged;
}

static void resolve_env_files(struct loader *l, const char *name, struct node *service)
{
	const struct node *files = node_get(service, "env_file");
	struct strmap variables = STRMAP_INIT;

	for (size_t i = 0; files && i < files->count; i++)
		read_env_file(l, name, files->entries[i].value, &variables);
	if (variables.count > 0)
		node_set(l->arena, service, "environment",
			below(l, service, &variables, node_get(service, "environment")));
	if (files)
		node_remove(service, "env_file");
	strmap_release(&variables);
}

static void resolve_label_files(struct loader *l, const char *name, struct node *service)
{
	const struct node *files = node_get(service, "label_file");
	struct strmap variables = STRMAP_INIT, nothing = STRMAP_INIT;

	for (size_t i = 0; files && i < files->count; i++) {
		cleanup_error struct error err = ERROR_INIT;
		const struct node *file = files->entries[i].value;
		const char *text;
		size_t length;

		if (loader_read(l, file->text, DOTENV_SIZE_LIMIT, &text, &length, &err) < 0)
			report(l, file, name, "label_file", error_text(&err));
		else
			/* Labels are the same whoever loads the file: no variable of the shell
			 * reaches them. */
			dotenv_parse(l->arena, file->text, text, length, &nothing, &variables, NULL,
				l->problems);
	}
	if (variables.count > 0)
		node_set(l->arena, service, "labels",
			below(l, service, &variables, node_get(service, "labels")));
	if (files)
		node_remove(service, "label_file");
	strmap_release(&variables);
}

/* `environment: [KEY]` takes the value of the shell; one that is not set there stays null. */
static void resolve_pass_through(struct loader *l, struct node *environment)
{
	for (size_t i = 0; environment && i < environment->count; i++) {
		struct node_entry *entry = &environment->entries[i];
		const char *value;

		if (entry->value->kind != NODE_NULL)
			continue;
		value = loader_getenv(l, entry->key);
		if (value)
			entry->value = node_string(l->arena, value, entry->value->mark);
	}
}

void loader_resolve_environment(struct loader *l, const char *name, struct node *service)
{
	resolve_pass_through(l, node_get(service, "environment"));
	resolve_env_files(l, name, service);
	resolve_label_files(l, name, service);
}
