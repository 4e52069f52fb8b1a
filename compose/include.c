/* SPDX-License-Identifier: GPL-2.0-or-later
 * include.c - whole projects that become part of this one. */
#include "compose/sources.h"

#include <errno.h>
#include <string.h>

#include "compose/dotenv.h"
#include "compose/pathnames.h"
#include "engine/base/memory.h"

#define INCLUDE_DEPTH_LIMIT 50

/* Report an include that leads back to a file it comes from. */
static bool report_cycle(
	struct loader *l, const struct scope *scope, const struct node *include, const char *path)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct scope *again = scope;
	size_t depth = 0;

	for (; again; again = again->up, depth++)
		if (again->file && strcmp(again->file, path) == 0)
			break;
	if (!again && depth < INCLUDE_DEPTH_LIMIT)
		return false;
	strbuf_addf(&text, "include cycle detected: %s", path);
	for (const struct scope *s = scope; again && s != again->up; s = s->up)
		strbuf_addf(&text, " <- %s", s->file);
	problems_add(l->problems, &include->mark, "include", "%s",
		again ? strbuf_text(&text) : "includes nest too deeply");
	return true;
}

static int add_env_file(struct loader *l, const char *path, const struct scope *scope,
	struct strmap *variables, struct error *err)
{
	const char *text;
	size_t length;
	int r = loader_read(l, path, DOTENV_SIZE_LIMIT, &text, &length, err);

	if (r == 0)
		dotenv_parse(l->arena, path, text, length, scope->environment, variables, &l->unset,
			l->problems);
	return r;
}

/* The included project sees the including one's environment, and below it its own env files. */
static int make_environment(struct loader *l, const struct scope *scope, const struct node *include,
	const char *directory, struct strmap *ret, struct error *err)
{
	const struct node *env_files = node_get(include, "env_file");
	struct strmap variables = STRMAP_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && env_files && i < env_files->count; i++) {
		const char *path = path_absolute(
			l->arena, scope->directory, env_files->entries[i].value->text);

		r = add_env_file(l, path, scope, &variables, err);
	}
	if (!env_files || env_files->count == 0) {
		cleanup_error struct error own = ERROR_INIT;

		/* .env need not be there, nor be a file. */
		add_env_file(
			l, path_absolute(l->arena, directory, ".env"), scope, &variables, &own);
	}
	strmap_for_each (entry, scope->environment)
		strmap_set(ret, entry->key, entry->value);
	strmap_for_each (entry, &variables)
		if (!strmap_has(ret, entry->key))
			strmap_set(ret, entry->key, entry->value);
	strmap_release(&variables);
	return r;
}

/* Everything the included project declares is declared here; the same thing twice must be the same.
 */
static void import_section(struct loader *l, struct node *root, const struct node *include,
	const char *name, const struct node *section)
{
	struct node *own = node_get(root, name);

	if (!own) {
		own = node_new(l->arena, NODE_MAPPING, section->mark);
		node_set(l->arena, root, name, own);
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct node_entry *entry = &section->entries[i];
		const struct node_entry *twin = node_find(l->arena, own, entry->key);

		if (!twin)
			node_append(l->arena, own, entry->key, entry->key_mark, entry->value);
		else if (!node_equal(twin->value, entry->value))
			problems_add(l->problems, &twin->key_mark,
				arena_printf(l->arena, "%s.%s", name, entry->key),
				"%s.%s conflicts with imported resource (%s:%u:%u, included at "
				"line %u)",
				name, entry->key, entry->key_mark.file, entry->key_mark.line,
				entry->key_mark.column, include->mark.line);
	}
}

static void import(
	struct loader *l, struct node *root, const struct node *include, struct node *tree)
{
	static const char *const sections[] = { "services", "networks", "volumes", "secrets",
		"configs", "models" };

	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const struct node *section = node_get(tree, sections[i]);

		if (section && section->kind == NODE_MAPPING)
			import_section(l, root, include, sections[i], section);
	}
}

static int apply_one(struct loader *l, const struct scope *scope, const struct node *include,
	struct node *root, struct error *err)
{
	const struct node *paths = node_get(include, "path");
	const char *directory = node_get_text(include, "project_directory");
	struct strmap environment = STRMAP_INIT;
	struct source *sources;
	struct node *tree = NULL;
	struct scope inner = { .up = scope };
	int r;

	if (!paths || paths->count == 0) {
		problems_add(l->problems, &include->mark, "include", "path is required");
		return 0;
	}
	sources = arena_alloc(l->arena, paths->count * sizeof(*sources));
	for (size_t i = 0; i < paths->count; i++)
		sources[i] = source_at(l, scope->directory, paths->entries[i].value->text);
	inner.file = sources[0].path;
	if (report_cycle(l, scope, include, inner.file))
		return 0;
	inner.directory = directory ? path_absolute(l->arena, scope->directory, directory)
				    : path_directory(l->arena, inner.file);
	r = make_environment(l, scope, include, inner.directory, &environment, err);
	inner.environment = &environment;
	if (r == 0)
		r = sources_load(l, &inner, sources, paths->count, &tree, err);
	if (r < 0)
		error_wrap(err, "%s:%u:%u: include", include->mark.file, include->mark.line,
			include->mark.column);
	if (tree)
		import(l, root, include, tree);
	strmap_release(&environment);
	return r;
}

int includes_apply(
	struct loader *l, const struct scope *scope, struct node *root, struct error *err)
{
	const struct node *includes = node_get(root, "include");
	int r = 0;

	for (size_t i = 0; r == 0 && includes && i < includes->count; i++)
		r = apply_one(l, scope, includes->entries[i].value, root, err);
	node_remove(root, "include");
	return r;
}
