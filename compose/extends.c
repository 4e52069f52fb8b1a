/* SPDX-License-Identifier: GPL-2.0-or-later
 * extends.c - a service that builds on another one, of the same file or of another. */
#include "compose/sources.h"

#include <errno.h>
#include <string.h>

#include "compose/canonical.h"
#include "compose/merge.h"
#include "compose/pathnames.h"
#include "engine/base/memory.h"

/* Longer than any honest chain; a longer one would only cost stack. */
#define CHAIN_LIMIT 100

/* Nodes that the services of a document may take over from others, for a short file can ask for
 * many copies of a long service. */
#define COPY_LIMIT 1000000

/* The services that are being resolved, innermost first. */
struct link {
	const struct link *up;
	const char *path; /* of the file */
	const char *name; /* of the file, for messages */
	const char *service;
	bool is_foreign; /* of a file that is only read to be extended from: not in canonical form
			    yet */
};

struct extender {
	struct loader *l;
	const struct scope *scope;
	struct strmap
		*files; /* path -> struct source *, of files that were read for this document */
	size_t copied;	/* nodes */
};

static int resolve(struct extender *x, const struct link *link, const char *directory,
	struct node *services, struct node_entry *entry, struct error *err);

static void complain(
	struct extender *x, const struct node *node, const struct link *link, const char *text)
{
	problems_add(x->l->problems, &node->mark,
		arena_printf(x->l->arena, "services.%s.extends", link->service), "%s", text);
}

static bool report_cycle(struct extender *x, const struct node *extends, const struct link *link,
	const char *path, const char *service)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct link *again = link;
	size_t depth = 0;

	for (; again; again = again->up, depth++)
		if (strcmp(again->path, path) == 0 && strcmp(again->service, service) == 0)
			break;
	if (!again && depth < CHAIN_LIMIT)
		return false;
	strbuf_addf(&text, "Circular reference: %s", service);
	for (const struct link *l = link; again && l != again->up; l = l->up)
		strbuf_addf(&text, " <- %s (%s)", l->service, l->name);
	complain(x, extends, link, again ? strbuf_text(&text) : "extends chain is too long");
	return true;
}

/* Read another file once for all services that extend its services. NULL when it has problems. */
static int open_file(struct extender *x, const char *directory, const char *name,
	struct source **ret, struct error *err)
{
	struct source at = source_at(x->l, directory, name);
	struct source *source = strmap_get(x->files, at.path);
	int r;

	if (!source) {
		source = arena_alloc(x->l->arena, sizeof(*source));
		*source = at;
		r = source_parse(x->l, source, err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < source->count; i++)
			source_interpolate(x->l, x->scope, source->roots[i]);
		strmap_set(x->files, at.path, source);
	}
	*ret = source;
	return 0;
}

static struct node *services_of(const struct source *source)
{
	for (size_t i = 0; i < source->count; i++) {
		struct node *services = node_get(source->roots[i], "services");

		if (services && services->kind == NODE_MAPPING)
			return services;
	}
	return NULL;
}

/* The service to build on, resolved itself. NULL in *ret_base when there are problems.
 * *ret_directory: where its file is when that is another one, else NULL. */
static int find_base(struct extender *x, const struct link *link, const char *directory,
	struct node *services, const struct node *extends, struct node **ret_base,
	const char **ret_directory, struct error *err)
{
	const char *file = node_get_text(extends, "file");
	const char *service = node_get_text(extends, "service");
	struct link next = { link, link->path, link->name, service, link->is_foreign };
	struct node_entry *entry;
	int r;

	*ret_base = NULL;
	*ret_directory = NULL;
	if (!service)
		return 0;
	if (file) {
		struct source *source;

		r = open_file(x, directory, file, &source, err);
		if (r < 0)
			return error_wrap(err, "%s:%u:%u: services.%s.extends", extends->mark.file,
				extends->mark.line, extends->mark.column, link->service);
		next.path = source->path;
		next.name = source->name;
		next.is_foreign = true;
		services = services_of(source);
		*ret_directory = directory = path_directory(x->l->arena, source->path);
	}
	if (report_cycle(x, extends, link, next.path, service))
		return 0;
	entry = node_find(x->l->arena, services, service);
	/* A service without a line of its own is a base with nothing in it. */
	if (entry && entry->value->kind == NODE_NULL && next.is_foreign)
		entry->value = node_new(x->l->arena, NODE_MAPPING, entry->value->mark);
	if (!entry || entry->value->kind != NODE_MAPPING) {
		complain(x, extends, link,
			arena_printf(x->l->arena,
				"cannot extend service \"%s\" in %s: service \"%s\" not found",
				link->service, next.name, service));
		return 0;
	}
	if (next.is_foreign) {
		struct canon c = loader_canon(x->l);
		struct path top = { NULL, "services", 0 };
		struct path at = { &top, service, 0 };

		/* Only what is extended must make sense; it is brought to form where it stands,
		 * once is enough. */
		canonical_mapping(&c, &service_keys, entry->value, &at);
	}
	r = resolve(x, &next, directory, services, entry, err);
	*ret_base = entry->value;
	return r;
}

static size_t count_nodes(const struct node *node)
{
	size_t count = 1;

	for (size_t i = 0; i < node->count; i++)
		count += count_nodes(node->entries[i].value);
	return count;
}

/* Room for one copy more? A document without it is refused as a whole, as for its aliases. */
static int count_copy(struct extender *x, const struct link *link, const struct node *extends,
	const struct node *base, struct error *err)
{
	x->copied += count_nodes(base);
	if (x->copied <= COPY_LIMIT)
		return 0;
	return error_set(err, -E2BIG,
		"%s:%u:%u: services.%s.extends: the services that extend others take over more "
		"than %d nodes: the document is refused",
		extends->mark.file, extends->mark.line, extends->mark.column, link->service,
		COPY_LIMIT);
}

static int resolve(struct extender *x, const struct link *link, const char *directory,
	struct node *services, struct node_entry *entry, struct error *err)
{
	struct canon c = loader_canon(x->l);
	struct node *extends = node_get(entry->value, "extends");
	struct path top = { NULL, "services", 0 };
	struct path at = { &top, entry->key, 0 };
	struct node *base, *own = entry->value;
	const char *base_directory;
	int r;

	if (!extends || extends->kind != NODE_MAPPING)
		return 0;
	r = find_base(x, link, directory, services, extends, &base, &base_directory, err);
	if (r < 0)
		return r;
	node_remove(own, "extends");
	if (!base)
		return 0;
	r = count_copy(x, link, extends, base, err);
	if (r < 0)
		return r;
	base = node_copy(x->l->arena, base);
	base->mark = own->mark;
	/* Relative ones that shall stay so start from the extending file's folder from here on. */
	if (base_directory)
		loader_resolve_service_paths(x->l, base,
			x->l->options->no_path_resolution
				? path_relative(x->l->arena, directory, base_directory)
				: base_directory);
	merge_mapping(&c, &service_keys, base, own, &at);
	entry->value = base;
	return 0;
}

int extends_apply(struct loader *l, const struct scope *scope, const struct source *source,
	struct node *root, struct error *err)
{
	struct node *services = node_get(root, "services");
	struct strmap files = STRMAP_INIT;
	struct extender x = { .l = l, .scope = scope, .files = &files };
	int r = 0;

	if (!services || services->kind != NODE_MAPPING)
		return 0;
	for (size_t i = 0; r == 0 && i < services->count; i++) {
		struct node_entry *entry = &services->entries[i];
		struct link link = { NULL, source->path, source->name, entry->key, false };

		if (entry->value->kind == NODE_MAPPING)
			r = resolve(&x, &link, scope->directory, services, entry, err);
	}
	strmap_release(&files);
	return r;
}
