/* SPDX-License-Identifier: GPL-2.0-or-later
 * refusals.c - walk the finished tree along the key tables and note what the engine cannot do. */
#include "compose/loader.h"

#include <string.h>

static void note_value(struct loader *l, const struct key_row *row, const struct node *node,
	const struct path *path, const char *service);

static void refuse(struct loader *l, const struct node *node, const struct path *path,
	const char *service, const char *reason)
{
	struct project *project = l->project;
	struct refusal *refusal =
		arena_array_add(l->arena, project->refusals, project->refusal_count);

	refusal->mark = node->mark;
	refusal->path = path_text(path, l->arena);
	refusal->reason = reason;
	refusal->service = service;
}

static void note_mapping(struct loader *l, const struct key_table *table, const struct node *node,
	const struct path *path, const char *service)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct node_entry *entry = &node->entries[i];
		const struct key_row *row = key_find(table, entry->key);
		struct path at = { path, entry->key, 0 };

		if (row)
			note_value(l, row, entry->value, &at, service);
	}
}

static void note_value(struct loader *l, const struct key_row *row, const struct node *node,
	const struct path *path, const char *service)
{
	const char *reason = row->refuse ? row->refuse(node) : NULL;

	if (node_is_empty(node))
		return;
	if (row->status == KEY_NOT_YET || row->status == KEY_REFUSED)
		reason = row->reason;
	if (row->status == KEY_NO_EFFECT_SAY)
		loader_warn(l, "%s:%u:%u: %s has no effect: it %s", node->mark.file,
			node->mark.line, node->mark.column, path_text(path, l->arena), row->reason);
	if (reason) {
		refuse(l, node, path, service, reason);
		return;
	}
	if (!row->sub)
		return;
	if (row->shape == SHAPE_TABLE) {
		note_mapping(l, row->sub, node, path, service);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct node_entry *entry = &node->entries[i];
		struct path at = { path, entry->key, i };

		if (entry->value->kind == NODE_MAPPING)
			note_mapping(l, row->sub, entry->value, &at,
				row->sub == &service_keys ? entry->key : service);
	}
}

void loader_note_refusals(struct loader *l)
{
	note_mapping(l, &document_keys, l->tree, NULL, NULL);
}
