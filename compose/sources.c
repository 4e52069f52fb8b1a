/* SPDX-License-Identifier: GPL-2.0-or-later
 * sources.c - the files: read, parse, interpolate, bring to canonical form, merge. */
#include "compose/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "compose/canonical.h"
#include "compose/document.h"
#include "compose/interpolate.h"
#include "compose/merge.h"
#include "compose/pathnames.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* All of it, for `length` goes with it: a NUL inside is no end. */
static const char *keep(struct arena *arena, const char *data, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	memcpy(copy, data, length);
	return copy;
}

int loader_read(struct loader *l, const char *path, size_t limit, const char **ret_text,
	size_t *ret_length, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t length;
	int r;

	/* The one special file that cannot do harm, and the usual way to say "no file". */
	if (strcmp(path, "/dev/null") == 0) {
		*ret_text = "";
		*ret_length = 0;
		return 0;
	}
	r = file_read(AT_FDCWD, path, limit, &data, &length, err);
	if (r < 0)
		return r;
	*ret_text = keep(l->arena, data, length);
	*ret_length = length;
	return 0;
}

static int read_stdin(
	struct loader *l, const char **ret_text, size_t *ret_length, struct error *err)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	int r = fd_read_all(l->options->stdin_fd, DOCUMENT_SIZE_LIMIT, &buf, err);

	if (r < 0)
		return error_wrap(err, "standard input");
	*ret_length = buf.length;
	*ret_text = keep(l->arena, strbuf_text(&buf), buf.length);
	return 0;
}

static int read_source(struct loader *l, struct source *source, const char **ret_text,
	size_t *ret_length, struct error *err)
{
	int r;

	if (strcmp(source->path, "-") == 0)
		return read_stdin(l, ret_text, ret_length, err);
	r = loader_read(l, source->path, DOCUMENT_SIZE_LIMIT, ret_text, ret_length, err);
	if (r == -ENOENT)
		error_set(err, r, "open %s: no such file or directory", source->path);
	return r;
}

int source_parse(struct loader *l, struct source *source, struct error *err)
{
	const char *text;
	size_t length;
	int r = read_source(l, source, &text, &length, err);

	if (r < 0)
		return r;
	if (document_parse(l->arena, source->name, text, length, l->problems, &source->roots,
		    &source->count) < 0) {
		source->count = 0;
		return 0;
	}
	for (size_t i = 0; i < source->count; i++) {
		struct node *root = source->roots[i];

		if (root->kind == NODE_MAPPING)
			continue;
		problems_add(l->problems, &root->mark, NULL,
			"Top-level object must be a mapping, not a %s",
			node_kind_names[root->kind]);
		source->count = i;
	}
	return 0;
}

/* A file below the current folder goes by its relative name, as the user would write it. */
static const char *shown_name(struct loader *l, const char *path)
{
	size_t length = strlen(l->options->cwd);

	if (strncmp(path, l->options->cwd, length) == 0 && path[length] == '/')
		return path + length + 1;
	return path;
}

struct source source_at(struct loader *l, const char *directory, const char *name)
{
	const char *path = path_absolute(l->arena, directory, name);

	return (struct source){ .path = path, .name = shown_name(l, path) };
}

struct interpolation loader_interpolation(struct loader *l, const struct scope *scope)
{
	return (struct interpolation){
		.arena = l->arena,
		.environment = scope->environment,
		.unset = &l->unset,
	};
}

/* The name must be known before the rest is interpolated: files may refer to COMPOSE_PROJECT_NAME.
 * The last `name:` counts. */
static void decide_name(
	struct loader *l, const struct scope *scope, const struct source *sources, size_t count)
{
	struct interpolation in = loader_interpolation(l, scope);
	const char *name = l->project_name;

	for (size_t i = 0; !l->project_name && i < count; i++)
		for (size_t j = 0; j < sources[i].count; j++) {
			const char *text = node_get_text(sources[i].roots[j], "name");
			const char *problem, *expanded;

			/* A wrong one is reported when the whole document is interpolated. */
			if (text && *text && interpolate_text(&in, text, &expanded, &problem) == 0)
				name = project_name_normalise(l->arena, expanded);
		}
	if (!name)
		name = project_name_normalise(
			l->arena, path_base_name(l->arena, l->project->working_dir));
	if (!*name)
		problems_add(l->problems, NULL, NULL, "project name must not be empty");
	l->project->name = name;
	strmap_set(&l->environment, "COMPOSE_PROJECT_NAME", (void *)name);
}

static void collect_variables(struct loader *l, const struct scope *scope, struct node *root)
{
	struct interpolation in = loader_interpolation(l, scope);

	in.wants_variables = true;
	in.variables = l->variables;
	in.variable_count = l->variable_count;
	interpolate_tree(&in, root, NULL, l->problems);
	l->variables = in.variables;
	l->variable_count = in.variable_count;
}

void source_interpolate(struct loader *l, const struct scope *scope, struct node *root)
{
	struct interpolation in = loader_interpolation(l, scope);

	if (!l->options->no_interpolate)
		interpolate_tree(&in, root, NULL, l->problems);
}

/* One document, from what the text says to what it means by itself, on top of the tree. */
static int take_document(struct loader *l, const struct scope *scope, const struct source *source,
	struct node *root, struct node **tree, struct error *err)
{
	struct canon c = loader_canon(l);
	int r;

	if (l->wants_variables) {
		collect_variables(l, scope, root);
		return 0;
	}
	if (node_get(root, "version"))
		loader_warn(l, "%s: `version` is obsolete", source->name);
	source_interpolate(l, scope, root);
	canonical_document(&c, root);
	r = extends_apply(l, scope, source, root, err);
	if (r < 0)
		return r;
	r = includes_apply(l, scope, root, err);
	if (r < 0)
		return r;
	if (*tree)
		merge_mapping(&c, &document_keys, *tree, root, NULL);
	else
		*tree = root;
	return 0;
}

int sources_load(struct loader *l, const struct scope *scope, struct source *sources, size_t count,
	struct node **ret_tree, struct error *err)
{
	struct canon c = loader_canon(l);
	struct node *tree = NULL;
	size_t problems_before = l->problems->count;

	for (size_t i = 0; i < count; i++) {
		int r = source_parse(l, &sources[i], err);

		if (r < 0)
			return r;
	}
	/* What does not parse has no meaning to complain about. */
	if (l->problems->count > problems_before)
		return 0;
	if (!scope->up)
		decide_name(l, scope, sources, count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sources[i].count; j++) {
			int r = take_document(
				l, scope, &sources[i], sources[i].roots[j], &tree, err);

			if (r < 0)
				return r;
		}
	if (!l->wants_variables && (!tree || tree->count == 0))
		problems_add(l->problems, &(struct mark){ sources[0].name, 0, 0 }, NULL,
			"empty compose file");
	if (tree)
		merge_finish(&c, tree);
	if (tree && !l->options->no_path_resolution)
		loader_resolve_paths(l, tree, scope->directory);
	else if (tree && scope->up)
		loader_resolve_paths(
			l, tree, path_relative(l->arena, scope->up->directory, scope->directory));
	*ret_tree = tree;
	return 0;
}

int loader_read_sources(struct loader *l, struct error *err)
{
	size_t count = strv_length(l->files);
	struct source *sources = arena_alloc(l->arena, count * sizeof(*sources));
	struct scope scope = {
		.directory = l->project->working_dir,
		.environment = &l->environment,
	};

	for (size_t i = 0; i < count; i++) {
		/* The user's own spelling is what the messages name. */
		sources[i].path = l->project->config_files[i];
		sources[i].name = arena_strdup(l->arena, l->files[i]);
		if (strcmp(sources[i].path, "-") == 0)
			sources[i].name = "<stdin>";
	}
	scope.file = count > 0 ? sources[0].path : NULL;
	return sources_load(l, &scope, sources, count, &l->tree, err);
}
