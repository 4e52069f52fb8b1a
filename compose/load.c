/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.c - the stages of a load, in their order. */
#include "compose/load.h"

#include <string.h>

#include "compose/loader.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct canon loader_canon(struct loader *l)
{
	return (struct canon){
		.arena = l->arena,
		.problems = l->problems,
		.is_raw = l->options->no_interpolate,
		.warnings = &l->warnings,
		.unfolded_ports = &l->unfolded_ports,
	};
}

void loader_warn(struct loader *l, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	*arena_array_add(l->arena, l->warnings.texts, l->warnings.count) =
		arena_strdup(l->arena, text);
}

/* Was all that is wrong so far told of a member of a section (a service, a network)? Then the rest
 * of the document still means what it says, and its references can be checked in the same run. */
static bool can_check_further(const struct loader *l)
{
	for (size_t i = 0; i < l->problems->count; i++)
		if (!strchr(l->problems->items[i].path, '.'))
			return false;
	return l->tree && l->problems->dropped == 0;
}

bool loader_was_told(const struct loader *l, const char *path)
{
	return problems_lie_below(l->problems, l->problems_of_sources, path);
}

static int run_stages(struct loader *l, struct error *err)
{
	const struct compose_options *options = l->options;
	int r = loader_prepare(l, err);
	bool is_checked;

	if (r < 0)
		return r;
	r = loader_read_sources(l, err);
	if (r < 0 || (l->problems->count > 0 && !can_check_further(l)))
		return r;
	l->problems_of_sources = l->problems->count;
	loader_apply_profiles(l);
	/* What is not interpolated need not fit together yet. */
	is_checked = !options->no_consistency && !options->no_interpolate;
	if (is_checked)
		loader_check_declared(l);
	loader_normalise(l);
	if (!options->no_interpolate)
		loader_drop_unused(l);
	if (is_checked)
		loader_check(l);
	if (l->problems->count > 0)
		return 0;
	if (options->no_interpolate || options->only_tree)
		return 0;
	loader_note_refusals(l);
	loader_build(l);
	loader_hash(l);
	return 0;
}

/* Vectors of the project live on the heap while they grow and in the arena afterwards. */
static char **to_arena(struct arena *arena, char ***strv)
{
	size_t count = strv_length(*strv);
	char **copy;

	if (count == 0) {
		strv_cleanup(strv);
		*strv = NULL;
		return NULL;
	}
	copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(arena, (*strv)[i]);
	strv_cleanup(strv);
	*strv = NULL;
	return copy;
}

static void settle_vectors(struct loader *l)
{
	struct project *project = l->project;
	char **environment =
		arena_alloc(l->arena, (l->environment.count + 1) * sizeof(*environment));
	size_t count = 0;

	strmap_for_each (entry, &l->unset)
		loader_warn(l, "The \"%s\" variable is not set. Defaulting to a blank string.",
			entry->key);
	strmap_for_each (entry, &l->environment)
		environment[count++] =
			arena_join(l->arena, entry->key, "=", (const char *)entry->value);
	strv_sort(environment);
	project->environment = environment;
	arena_array_add(l->arena, l->warnings.texts, l->warnings.count); /* the NULL at the end */
	project->warnings = l->warnings.texts;
	project->config_files = to_arena(l->arena, &project->config_files);
	project->env_files = to_arena(l->arena, &project->env_files);
	project->profiles = to_arena(l->arena, &project->profiles);
	project->is_raw = l->options->no_interpolate;
	project->tree = l->tree;
}

void loader_open(struct loader *l, const struct compose_options *options)
{
	*l = (struct loader){ .options = options, .arena = arena_new() };
	l->project = arena_alloc(l->arena, sizeof(*l->project));
	l->project->arena = l->arena;
	l->problems = options->problems ? options->problems : &l->own_problems;
}

struct project *loader_finish(struct loader *l)
{
	problems_forget_sources(l->problems);
	problems_release(&l->own_problems);
	settle_vectors(l);
	strv_free(l->files);
	strmap_release(&l->environment);
	strmap_release(&l->unset);
	return l->project;
}

void loader_close(struct loader *l)
{
	project_free(loader_finish(l));
}

int compose_load(
	const struct compose_options *options, struct project **ret_project, struct error *err)
{
	struct loader l;
	int r;

	loader_open(&l, options);
	r = run_stages(&l, err);
	if (r == 0)
		r = problems_to_error(l.problems, err);
	if (r < 0) {
		loader_close(&l);
		return r;
	}
	*ret_project = loader_finish(&l);
	return 0;
}
