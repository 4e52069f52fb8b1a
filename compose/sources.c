/* SPDX-License-Identifier: GPL-2.0-or-later
 * sources.c - the files: read, parse, interpolate, bring to canonical form, merge. */
#include "compose/loader.h"

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

/* One file's documents. */
struct source {
	const char *name; /* for marks: as the user knows it */
	struct node **roots;
	size_t count;
};

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
	*ret_text = arena_strndup(l->arena, data, length);
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
	*ret_text = arena_strndup(l->arena, strbuf_text(&buf), buf.length);
	return 0;
}

static int parse_file(struct loader *l, struct source *source, struct error *err)
{
	const char *text;
	size_t length;
	int r;

	if (strcmp(source->name, "-") == 0) {
		source->name = "<stdin>";
		r = read_stdin(l, &text, &length, err);
	} else {
		r = loader_read(l, path_absolute(l->arena, l->options->cwd, source->name),
			DOCUMENT_SIZE_LIMIT, &text, &length, err);
		if (r == -ENOENT)
			return error_set(err, r, "open %s: no such file or directory",
				path_absolute(l->arena, l->options->cwd, source->name));
	}
	if (r < 0)
		return r;
	if (document_parse(l->arena, source->name, text, length, l->problems, &source->roots,
		    &source->count) < 0)
		return 0;
	if (source->count == 0)
		problems_add(l->problems, &(struct mark){ source->name, 0, 0 }, NULL,
			"empty compose file");
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

static struct interpolation loader_interpolation(struct loader *l)
{
	return (struct interpolation){
		.arena = l->arena,
		.environment = &l->environment,
		.unset = &l->unset,
	};
}

/* The name must be known before the rest is interpolated: files may refer to COMPOSE_PROJECT_NAME.
 * The last `name:` counts. */
static void decide_name(struct loader *l, const struct source *sources, size_t count)
{
	struct interpolation in = loader_interpolation(l);
	const char *name = l->project_name;

	for (size_t i = 0; !l->project_name && i < count; i++)
		for (size_t j = 0; j < sources[i].count; j++) {
			const char *text = node_get_text(sources[i].roots[j], "name");
			const char *problem, *expanded;

			/* A wrong one is reported when the whole document is interpolated. */
			if (text && interpolate_text(&in, text, &expanded, &problem) == 0 &&
				*expanded)
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

static void warn_version(struct loader *l, const struct source *source, const struct node *root)
{
	if (node_get(root, "version"))
		loader_warn(l, "%s: `version` is obsolete", source->name);
}

/* One document, from what the text says to what it means by itself, on top of the tree. */
static void take_document(struct loader *l, const struct source *source, struct node *root)
{
	struct canon c = loader_canon(l);

	warn_version(l, source, root);
	if (!l->options->no_interpolate) {
		struct interpolation in = loader_interpolation(l);

		interpolate_tree(&in, root, NULL, l->problems);
	}
	canonical_document(&c, root);
	if (!l->tree)
		l->tree = root;
	else
		merge_mapping(&c, &document_keys, l->tree, root, NULL);
}

int loader_read_sources(struct loader *l, struct error *err)
{
	size_t count = strv_length(l->files);
	struct source *sources = arena_alloc(l->arena, count * sizeof(*sources));
	struct canon c = loader_canon(l);

	for (size_t i = 0; i < count; i++) {
		int r;

		sources[i].name = arena_strdup(l->arena, l->files[i]);
		r = parse_file(l, &sources[i], err);
		if (r < 0)
			return r;
	}
	/* What does not parse has no meaning to complain about. */
	if (l->problems->count > 0)
		return 0;
	decide_name(l, sources, count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < sources[i].count; j++)
			take_document(l, &sources[i], sources[i].roots[j]);
	merge_finish(&c, &document_keys, l->tree);
	return 0;
}
