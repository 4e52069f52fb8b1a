/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.c - merge canonical documents along the key tables. */
#include "compose/merge.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strmap.h"

static struct node *merge_value(struct canon *c, const struct key_row *row, struct node *base,
	struct node *over, const struct path *path);

/* What makes an item the same as another; texts of different kinds cannot clash because a list has
 * one kind. */
static const char *identity_of(struct canon *c, const struct key_row *row, const struct node *item)
{
	if (item->kind == NODE_MAPPING)
		return row && row->identity ? row->identity(c->arena, item) : NULL;
	return row && row->identity_text ? row->identity_text(c->arena, item)
					 : node_scalar_text(c->arena, item);
}

static void merge_lists(
	struct canon *c, const struct key_row *row, struct node *base, struct node *over)
{
	struct strmap known = STRMAP_INIT; /* identity -> index + 1 in base */
	size_t base_count = base->count;

	for (size_t i = 0; i < base_count; i++) {
		const char *identity = identity_of(c, row, base->entries[i].value);

		if (identity)
			strmap_set(&known, identity, (void *)(uintptr_t)(i + 1));
	}
	for (size_t i = 0; i < over->count; i++) {
		const char *identity = identity_of(c, row, over->entries[i].value);
		/* Each item before gives way once. */
		uintptr_t at = identity ? (uintptr_t)strmap_get(&known, identity) : 0;

		if (at) {
			base->entries[at - 1] = over->entries[i];
			strmap_set(&known, identity, NULL);
		} else {
			node_append(c->arena, base, NULL, over->entries[i].key_mark,
				over->entries[i].value);
		}
	}
	strmap_release(&known);
}

/* Of the list before, only what the later one speaks of again is left. */
static struct node *merge_later_items(struct canon *c, const struct key_row *row,
	const struct node *base, struct node *over, const struct path *path)
{
	struct strmap known = STRMAP_INIT;

	for (size_t i = base->count; i-- > 0;) {
		const char *identity = row->identity(c->arena, base->entries[i].value);

		if (identity)
			strmap_set(&known, identity, base->entries[i].value);
	}
	for (size_t i = 0; i < over->count; i++) {
		struct node *item = over->entries[i].value;
		const char *identity = row->identity(c->arena, item);
		struct node *before = identity ? strmap_get(&known, identity) : NULL;
		struct path at = { path, NULL, i };

		if (!before)
			continue;
		merge_mapping(c, row->sub, before, item, &at);
		over->entries[i].value = before;
	}
	strmap_release(&known);
	return over;
}

/* Mappings whose keys the user chose: each value by itself. */
static void merge_names(struct canon *c, const struct key_row *row, struct node *base,
	struct node *over, const struct path *path)
{
	struct key_row value_row = { .name = "", .shape = SHAPE_ANY };

	if (row && (row->shape == SHAPE_NAMED || row->shape == SHAPE_ULIMITS)) {
		value_row.shape = SHAPE_TABLE;
		value_row.sub = row->sub;
	} else if (row && row->shape == SHAPE_MAP) {
		/* A name without a value says something: it is passed through, or empty. */
		value_row.flags = KEY_REPLACE;
	}
	for (size_t i = 0; i < over->count; i++) {
		const struct node_entry *entry = &over->entries[i];
		struct node_entry *twin = node_find(c->arena, base, entry->key);
		struct path at = { path, entry->key, 0 };

		if (!twin)
			node_append(c->arena, base, entry->key, entry->key_mark, entry->value);
		else
			twin->value = merge_value(c, &value_row, twin->value, entry->value, &at);
	}
}

/* Another driver's options would mean nothing to the new one. */
static bool changes_log_driver(
	const struct key_row *row, const struct node *base, const struct node *over)
{
	const char *old, *new;

	if (strcmp(row->name, "logging") != 0)
		return false;
	old = node_get_text(base, "driver");
	new = node_get_text(over, "driver");
	return old && new &&strcmp(old, new) != 0;
}

static struct node *merge_value(struct canon *c, const struct key_row *row, struct node *base,
	struct node *over, const struct path *path)
{
	if (over->merge == NODE_MERGE_RESET || over->merge == NODE_MERGE_OVERRIDE ||
		base->merge == NODE_MERGE_RESET)
		return over;
	if (over->kind == NODE_NULL && !(row->flags & KEY_REPLACE))
		return base;
	if (row->flags & KEY_REPLACE || base->kind == NODE_NULL)
		return over;
	if (base->kind == NODE_MAPPING && over->kind == NODE_MAPPING) {
		if (changes_log_driver(row, base, over))
			return over;
		if (row->shape == SHAPE_TABLE && row->sub)
			merge_mapping(c, row->sub, base, over, path);
		else
			merge_names(c, row, base, over, path);
		return base;
	}
	if (base->kind == NODE_SEQUENCE && over->kind == NODE_SEQUENCE) {
		if (row->flags & KEY_LATER_ITEMS)
			return merge_later_items(c, row, base, over, path);
		merge_lists(c, row, base, over);
		return base;
	}
	if (node_is_scalar(base) != node_is_scalar(over) && row->shape != SHAPE_ULIMITS &&
		row->shape != SHAPE_TABLE) {
		canon_problem(c, over, path, "cannot override a %s with a %s",
			node_kind_names[base->kind], node_kind_names[over->kind]);
		return base;
	}
	return over;
}

void merge_mapping(struct canon *c, const struct key_table *table, struct node *base,
	struct node *over, const struct path *path)
{
	static const struct key_row extension = { .name = "x-", .shape = SHAPE_ANY };

	for (size_t i = 0; i < over->count; i++) {
		const struct node_entry *entry = &over->entries[i];
		const struct key_row *row = key_find(table, entry->key);
		struct node_entry *twin = node_find(c->arena, base, entry->key);
		struct path at = { path, entry->key, 0 };

		if (!twin) {
			node_append(c->arena, base, entry->key, entry->key_mark, entry->value);
			continue;
		}
		twin->key_mark = entry->key_mark;
		twin->value =
			merge_value(c, row ? row : &extension, twin->value, entry->value, &at);
	}
}

static void drop_twins(struct canon *c, const struct key_row *row, struct node *list)
{
	struct strmap known = STRMAP_INIT;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct node *item = list->entries[i].value;
		const char *identity = row->identity || item->kind != NODE_MAPPING
					       ? identity_of(c, row, item)
					       : NULL;
		uintptr_t at = identity ? (uintptr_t)strmap_get(&known, identity) : 0;

		/* The last one wins, in the place of the first. */
		if (at) {
			list->entries[at - 1] = list->entries[i];
			continue;
		}
		list->entries[kept++] = list->entries[i];
		if (identity)
			strmap_set(&known, identity, (void *)(uintptr_t)kept);
	}
	list->count = kept;
	strmap_release(&known);
}

static void drop_resets(struct node *node)
{
	for (size_t i = 0; i < node->count;) {
		if (node->entries[i].value->merge == NODE_MERGE_RESET) {
			node_remove_at(node, i);
			continue;
		}
		drop_resets(node->entries[i++].value);
	}
}

/* Options that no file has given a value. */
static void finish_options(
	struct canon *c, const struct key_row *row, struct node *options, const struct path *path)
{
	for (size_t i = 0; i < options->count; i++) {
		struct node_entry *entry = &options->entries[i];
		struct path at = { path, entry->key, i };

		if (entry->value->kind != NODE_NULL)
			continue;
		if (row->flags & KEY_EMPTY_NULLS)
			entry->value = node_string(c->arena, "", entry->value->mark);
		else
			canon_problem(c, entry->value, &at, "must be a string or number, not null");
	}
}

static void finish_mapping(
	struct canon *c, const struct key_table *table, struct node *node, const struct path *path);

static void finish_value(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	/* For mappings of names the flag speaks of the entries. */
	if (node->kind == NODE_NULL && (!(row->flags & KEY_NULLABLE) || row->shape == SHAPE_NAMED))
		canon_problem(c, node, path, "must be %s %s, not null",
			noun_article(key_shape_names[row->shape]), key_shape_names[row->shape]);
	if (node->kind == NODE_SEQUENCE && !(row->flags & KEY_LATER_ITEMS) &&
		(row->flags & KEY_UNIQUE || row->identity))
		drop_twins(c, row, node);
	if (row->shape == SHAPE_OPTIONS)
		finish_options(c, row, node, path);
	if (!row->sub)
		return;
	if (node->kind == NODE_MAPPING && row->shape == SHAPE_TABLE) {
		finish_mapping(c, row->sub, node, path);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		struct path at = { path, node->entries[i].key, i };

		if (node->entries[i].value->kind == NODE_MAPPING)
			finish_mapping(c, row->sub, node->entries[i].value, &at);
		else if (node->entries[i].value->kind == NODE_NULL && !(row->flags & KEY_NULLABLE))
			canon_problem(
				c, node->entries[i].value, &at, "must be a mapping, not null");
	}
}

static void finish_mapping(
	struct canon *c, const struct key_table *table, struct node *node, const struct path *path)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct key_row *row = key_find(table, node->entries[i].key);
		struct path at = { path, node->entries[i].key, 0 };

		if (row)
			finish_value(c, row, node->entries[i].value, &at);
	}
}

void merge_finish(struct canon *c, struct node *root)
{
	drop_resets(root);
	finish_mapping(c, &document_keys, root, NULL);
}
