/* SPDX-License-Identifier: GPL-2.0-or-later
 * canonical.c - walk a document along the key tables: check, convert, write short syntax out. */
#include "compose/canonical.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "compose/scalar.h"
#include "compose/words.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/nearest.h"
#include "engine/base/numbers.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"

/* Brings a value to the shape of its row; NULL and a problem when that cannot be. */
typedef struct node *shape_fn(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path);

static shape_fn canonical_value;

void *canon_problem(
	struct canon *c, const struct node *node, const struct path *path, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	problems_add(c->problems, &node->mark, path_text(path, c->arena), "%s", text);
	free(text);
	return NULL;
}

void canon_warning(
	struct canon *c, const struct node *node, const struct path *path, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	*arena_array_add(c->arena, c->warnings->texts, c->warnings->count) =
		arena_printf(c->arena, "%s:%u:%u: %s: %s", node->mark.file, node->mark.line,
			node->mark.column, path_text(path, c->arena), text);
}

bool canon_is_open(const struct canon *c, const struct node *node)
{
	return c->is_raw && node->kind == NODE_STRING && strchr(node->text, '$');
}

const char *noun_article(const char *noun)
{
	return strchr("aeiou", noun[0]) ? "an" : "a";
}

static struct node *wrong_type(
	struct canon *c, const struct node *node, const struct path *path, const char *expected)
{
	const char *actual = node_kind_names[node->kind];

	return canon_problem(c, node, path, "must be %s %s, not %s%s%s", noun_article(expected),
		expected, node->kind == NODE_NULL ? "" : noun_article(actual),
		node->kind == NODE_NULL ? "" : " ", actual);
}

static struct node *to_string(struct canon *c, struct node *node)
{
	node->text = node_scalar_text(c->arena, node);
	node->kind = NODE_STRING;
	return node;
}

static struct node *shape_any(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	(void)c;
	(void)row;
	(void)path;
	return node;
}

static struct node *shape_string(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_STRING)
		return node;
	/* A number may have been meant as a name: say how to write that. */
	if (node_is_scalar(node) && node->kind != NODE_NULL)
		return canon_problem(
			c, node, path, "must be a string: write %s in quotes", node->text);
	return wrong_type(c, node, path, row->normalise ? "string or mapping" : "string");
}

static struct node *shape_bool(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	(void)row;
	if (node->kind == NODE_BOOL || canon_is_open(c, node))
		return node;
	if (node->kind != NODE_STRING)
		return wrong_type(c, node, path, "boolean or string");
	if (!scalar_parse_bool(node->text, &node->boolean))
		return canon_problem(c, node, path, "'%s' is no boolean", node->text);
	node->kind = NODE_BOOL;
	return node;
}

static struct node *shape_int(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT || canon_is_open(c, node))
		return node;
	if (node->kind == NODE_FLOAT && fabs(node->real) < 9e15 &&
		(node->real == floor(node->real) || row->flags & KEY_TRUNCATE)) {
		node->integer = (int64_t)node->real;
		node->kind = NODE_INT;
		return node;
	}
	if (node->kind != NODE_STRING)
		return wrong_type(c, node, path, "integer or string");
	if (!scalar_parse_int(node->text, &node->integer))
		return canon_problem(c, node, path, "'%s' is no whole number", node->text);
	node->kind = NODE_INT;
	return node;
}

static struct node *shape_number(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	(void)row;
	if (node->kind == NODE_INT || node->kind == NODE_FLOAT || canon_is_open(c, node))
		return node;
	if (node->kind != NODE_STRING)
		return wrong_type(c, node, path, "number or string");
	if (!scalar_parse_float(node->text, &node->real))
		return canon_problem(c, node, path, "'%s' is no number", node->text);
	node->kind = NODE_FLOAT;
	return node;
}

static struct node *shape_size(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	char buf[NUMBER_TEXT_SIZE];
	uint64_t bytes;
	int r;

	(void)row;
	if (canon_is_open(c, node))
		return node;
	if (node->kind != NODE_STRING && node->kind != NODE_INT && node->kind != NODE_FLOAT)
		return wrong_type(c, node, path, "number or string");
	to_string(c, node);
	/* -1 means "no limit" to the keys that know it. */
	if (strcmp(node->text, "-1") == 0)
		return node;
	r = parse_bytes(node->text, &bytes);
	if (r < 0)
		return canon_problem(c, node, path, "invalid size: '%s'%s", node->text,
			r == -ERANGE ? " is out of range" : " (like 64m or 1.5g)");
	node->text = arena_strdup(c->arena, format_u64(bytes, buf));
	return node;
}

static struct node *shape_duration(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	cleanup_free char *text = NULL;
	int64_t ns;
	int r;

	(void)row;
	if (canon_is_open(c, node))
		return node;
	if (node->kind != NODE_STRING)
		return wrong_type(c, node, path, "string like 1m30s");
	r = parse_duration(node->text, &ns);
	if (r < 0 || ns < 0)
		return canon_problem(c, node, path, "invalid duration \"%s\"%s", node->text,
			r == -ERANGE ? ": out of range"
			: r < 0	     ? " (like 1m30s)"
				     : ": it is negative");
	text = format_duration(ns);
	node->text = arena_strdup(c->arena, text);
	return node;
}

static void check_unique(struct canon *c, const struct node *list, const struct path *path)
{
	struct strmap seen = STRMAP_INIT;

	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->entries[i].value;
		struct path at = { path, NULL, i };
		const char *text;

		if (!node_is_scalar(item))
			continue;
		text = arena_join(c->arena, item->kind == NODE_STRING ? "text " : "other ",
			node_scalar_text(c->arena, item));
		if (strmap_set(&seen, text, c))
			canon_problem(c, item, &at, "array items must be unique: %s is there twice",
				node_scalar_text(c->arena, item));
	}
	strmap_release(&seen);
}

/* Keep the items that `convert` lets through. */
static struct node *convert_items(struct canon *c, const struct key_row *row, struct node *list,
	const struct path *path, shape_fn *convert)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct path at = { path, NULL, i };
		struct node *item = list->entries[i].value;

		if (item->merge != NODE_MERGE_RESET)
			item = convert(c, row, item, &at);
		if (!item)
			continue;
		list->entries[kept] = list->entries[i];
		list->entries[kept++].value = item;
	}
	list->count = kept;
	return list;
}

static struct node *plain_string(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	static const struct key_row string_row = { .name = "", .shape = SHAPE_STRING };

	(void)row;
	return shape_string(c, &string_row, node, path);
}

static struct node *string_or_number(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	(void)row;
	if (node->kind == NODE_STRING || node->kind == NODE_INT || node->kind == NODE_FLOAT)
		return to_string(c, node);
	return wrong_type(c, node, path, "string or number");
}

static struct node *shape_strings(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (canon_is_open(c, node))
		return node;
	if (node->kind != NODE_SEQUENCE)
		return wrong_type(c, node, path, "list");
	return convert_items(c, row, node, path, plain_string);
}

static struct node *shape_string_or_list(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_STRING) {
		struct node *list = node_new(c->arena, NODE_SEQUENCE, node->mark);

		list->merge = node->merge;
		node_append(c->arena, list, NULL, node->mark, node);
		return list;
	}
	if (node->kind != NODE_SEQUENCE)
		return wrong_type(c, node, path, "string or list");
	return convert_items(c, row, node, path, plain_string);
}

static struct node *shape_texts(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_SEQUENCE)
		return wrong_type(c, node, path, "list");
	return convert_items(c, row, node, path, string_or_number);
}

static struct node *shape_command(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	const char *rest;
	struct node *list;

	if (node->kind == NODE_NULL || canon_is_open(c, node))
		return node;
	if (node->kind == NODE_SEQUENCE)
		return convert_items(c, row, node, path, plain_string);
	if (node->kind != NODE_STRING)
		return wrong_type(c, node, path, "string or list");
	list = node_new(c->arena, NODE_SEQUENCE, node->mark);
	list->merge = node->merge;
	if (words_split_command(c->arena, node, list, &rest) < 0)
		return canon_problem(c, node, path,
			"invalid command line string: a quote or parenthesis is open");
	if (rest)
		canon_warning(c, node, path,
			"no shell reads this: everything from '%c' on is ignored; use a list, or "
			"sh -c",
			*rest);
	return list;
}

/* Mapping values may be null, booleans and numbers beside strings; all become strings, null stays
 * or becomes "". */
static struct node *map_value(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_NULL && !(row->flags & KEY_EMPTY_NULLS))
		return node;
	if (!node_is_scalar(node))
		return wrong_type(c, node, path, "string, number, boolean or null");
	return to_string(c, node);
}

static struct node *list_to_map(struct canon *c, const struct key_row *row, const struct node *list,
	const struct path *path)
{
	struct node *map = node_new(c->arena, NODE_MAPPING, list->mark);

	map->merge = list->merge;
	for (size_t i = 0; i < list->count; i++) {
		struct node *item = list->entries[i].value, *value;
		struct path at = { path, NULL, i };
		const char *equals;

		if (item->kind != NODE_STRING) {
			wrong_type(c, item, &at, "string");
			continue;
		}
		equals = strchr(item->text, '=');
		if (equals)
			value = node_string(c->arena, equals + 1, item->mark);
		else if (row->flags & KEY_EMPTY_NULLS)
			value = node_string(c->arena, "", item->mark);
		else
			value = node_new(c->arena, NODE_NULL, item->mark);
		if (equals == item->text) {
			canon_problem(c, item, &at, "'%s' has no name before the =", item->text);
			continue;
		}
		node_set(c->arena, map,
			equals ? arena_strndup(c->arena, item->text, (size_t)(equals - item->text))
			       : item->text,
			value);
	}
	return map;
}

static struct node *convert_values(struct canon *c, const struct key_row *row, struct node *map,
	const struct path *path, shape_fn *convert)
{
	for (size_t i = 0; i < map->count;) {
		struct path at = { path, map->entries[i].key, 0 };
		struct node *value = map->entries[i].value;

		if (value->merge != NODE_MERGE_RESET)
			value = convert(c, row, value, &at);
		if (value)
			map->entries[i++].value = value;
		else
			node_remove_at(map, i);
	}
	return map;
}

static struct node *shape_map(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_SEQUENCE)
		return list_to_map(c, row, node, path);
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping or list");
	if (node_get(node, ""))
		return canon_problem(c, node_get(node, ""), path, "a name must not be empty");
	return convert_values(c, row, node, path, map_value);
}

static struct node *option_value(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	/* In a later file it leaves what was said before; merge_finish makes it a text. */
	if (node->kind == NODE_NULL)
		return node;
	return string_or_number(c, row, node, path);
}

static struct node *shape_options(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping");
	return convert_values(c, row, node, path, option_value);
}

static struct node *shape_string_map(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping");
	return convert_values(c, row, node, path, plain_string);
}

static struct node *shape_table(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (canon_is_open(c, node))
		return node;
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping");
	canonical_mapping(c, row->sub, node, path);
	return node;
}

static struct node *shape_tables(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_SEQUENCE)
		return wrong_type(c, node, path, "list");
	return convert_items(c, row, node, path, shape_table);
}

static bool is_element_name(const char *name)
{
	const char *c = name;

	while (ascii_is_alnum(*c) || *c == '.' || *c == '_' || *c == '-')
		c++;
	return c > name && !*c;
}

static struct node *shape_named(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping");
	for (size_t i = 0; i < node->count; i++) {
		struct node_entry *entry = &node->entries[i];
		struct path at = { path, entry->key, 0 };

		if (!is_element_name(entry->key) && !(c->is_raw && strchr(entry->key, '$'))) {
			problems_add(c->problems, &entry->key_mark, path_text(path, c->arena),
				"Additional property %s is not allowed: a name is made of letters, "
				"digits, '.', '_' and '-'",
				entry->key);
			continue;
		}
		if (entry->value->merge == NODE_MERGE_RESET ||
			(entry->value->kind == NODE_NULL && row->flags & KEY_NULLABLE))
			continue;
		/* A wrong one still counts as being there. */
		if (!shape_table(c, row, entry->value, &at))
			entry->value = node_new(c->arena, NODE_MAPPING, entry->value->mark);
	}
	return node;
}

static struct node *ulimit_value(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind == NODE_MAPPING)
		return shape_table(c, row, node, path);
	return shape_int(c, row, node, path);
}

static struct node *shape_ulimits(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	if (node->kind != NODE_MAPPING)
		return wrong_type(c, node, path, "mapping");
	return convert_values(c, row, node, path, ulimit_value);
}

static shape_fn *const shapes[] = {
	[SHAPE_ANY] = shape_any,
	[SHAPE_STRING] = shape_string,
	[SHAPE_BOOL] = shape_bool,
	[SHAPE_INT] = shape_int,
	[SHAPE_NUMBER] = shape_number,
	[SHAPE_SIZE] = shape_size,
	[SHAPE_DURATION] = shape_duration,
	[SHAPE_COMMAND] = shape_command,
	[SHAPE_STRINGS] = shape_strings,
	[SHAPE_STRING_OR_LIST] = shape_string_or_list,
	[SHAPE_TEXTS] = shape_texts,
	[SHAPE_MAP] = shape_map,
	[SHAPE_OPTIONS] = shape_options,
	[SHAPE_STRING_MAP] = shape_string_map,
	[SHAPE_TABLE] = shape_table,
	[SHAPE_TABLES] = shape_tables,
	[SHAPE_NAMED] = shape_named,
	[SHAPE_ULIMITS] = shape_ulimits,
};

static struct node *canonical_value(
	struct canon *c, const struct key_row *row, struct node *node, const struct path *path)
{
	enum node_merge merge = node->merge;

	/* In a later file null means "nothing to say", so only what is left after merging is judged
	 * (merge_finish). */
	if (merge == NODE_MERGE_RESET || node->kind == NODE_NULL)
		return node;
	if (row->flags & KEY_NO_TWINS && node->kind == NODE_SEQUENCE)
		check_unique(c, node, path);
	if (row->normalise)
		node = row->normalise(c, node, path);
	if (node)
		node = shapes[row->shape](c, row, node, path);
	if (!node)
		return NULL;
	node->merge = merge;
	if (row->check)
		row->check(c, node, path);
	return node;
}

static void unknown_key(struct canon *c, const struct key_table *table,
	const struct node_entry *entry, const struct path *path)
{
	struct nearest nearest;
	const char *near;

	nearest_begin(&nearest, entry->key, strlen(entry->key));
	/* Not for what is only counted. */
	for (size_t i = 0; i < table->count && c->problems->count < PROBLEM_LIMIT; i++)
		nearest_offer(&nearest, table->rows[i].name);
	near = nearest.name;
	problems_add(c->problems, &entry->key_mark, path_text(path, c->arena),
		"Additional property %s is not allowed%s%s%s", entry->key,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void check_required(struct canon *c, const struct key_table *table, const struct node *node,
	const struct path *path)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].flags & KEY_REQUIRED && !node_get(node, table->rows[i].name))
			canon_problem(c, node, path, "%s is required", table->rows[i].name);
}

void canonical_mapping(
	struct canon *c, const struct key_table *table, struct node *node, const struct path *path)
{
	check_required(c, table, node, path);
	for (size_t i = 0; i < node->count;) {
		struct node_entry *entry = &node->entries[i];
		const struct key_row *row = key_find(table, entry->key);
		struct path at = { path, entry->key, 0 };
		struct node *value = entry->value;

		if (row) {
			value = canonical_value(c, row, value, &at);
		} else if (strncmp(entry->key, "x-", 2) != 0 || table->is_closed) {
			unknown_key(c, table, entry, path);
			value = NULL;
		}
		if (!value) {
			node_remove_at(node, i);
			continue;
		}
		/* A normaliser may have added entries (`external: {name: x}`), so the array may
		 * have moved. */
		node->entries[i++].value = value;
	}
}

void canonical_document(struct canon *c, struct node *root)
{
	canonical_mapping(c, &document_keys, root, NULL);
}
