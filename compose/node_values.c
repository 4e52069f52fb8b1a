/* SPDX-License-Identifier: GPL-2.0-or-later
 * node_values.c - values of the checked canonical tree, as the model wants them. */
#include "compose/node_values.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/times.h"

const char *value_text(const struct node *node, const char *key)
{
	const char *text = node_get_text(node, key);

	return text && *text ? text : NULL;
}

int64_t value_int(const struct node *node, const char *key, int64_t fallback)
{
	const struct node *child = node_get(node, key);

	if (!child)
		return fallback;
	return child->kind == NODE_INT	   ? child->integer
	       : child->kind == NODE_FLOAT ? (int64_t)child->real
					   : fallback;
}

/* Sizes are decimal strings in the canonical form; "-1" where no limit is meant. */
int64_t value_size(const struct node *node, const char *key, int64_t fallback)
{
	const char *text = node_get_text(node, key);
	int64_t value;

	return text && parse_i64(text, -1, INT64_MAX, &value) == 0 ? value : fallback;
}

int64_t value_duration(const struct node *node, const char *key, int64_t fallback)
{
	const char *text = node_get_text(node, key);
	int64_t value;

	return text && parse_duration(text, &value) == 0 ? value : fallback;
}

uint64_t value_permille(const struct node *node, const char *key)
{
	const struct node *child = node_get(node, key);

	if (!child || (child->kind != NODE_INT && child->kind != NODE_FLOAT))
		return 0;
	return (uint64_t)((child->kind == NODE_INT ? (double)child->integer : child->real) * 1000 +
			  0.5);
}

/* A list of texts as a vector; NULL when empty. */
char **value_list(struct loader *l, const struct node *node, const char *key)
{
	const struct node *list = node_get(node, key);
	char **strv;

	if (!list || list->kind != NODE_SEQUENCE || list->count == 0)
		return NULL;
	strv = arena_alloc(l->arena, (list->count + 1) * sizeof(*strv));
	for (size_t i = 0; i < list->count; i++)
		strv[i] =
			arena_strdup(l->arena, node_scalar_text(l->arena, list->entries[i].value));
	return strv;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A mapping as a sorted vector of "key=value"; entries without a value are left out. */
char **value_pairs(struct loader *l, const struct node *node, const char *key)
{
	const struct node *map = node_get(node, key);
	size_t count = 0;
	char **strv;

	if (!map || map->kind != NODE_MAPPING || map->count == 0)
		return NULL;
	strv = arena_alloc(l->arena, (map->count + 1) * sizeof(*strv));
	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].value->kind != NODE_NULL)
			strv[count++] = arena_join(l->arena, map->entries[i].key, "=",
				node_scalar_text(l->arena, map->entries[i].value));
	qsort(strv, count, sizeof(*strv), compare_strings);
	return count > 0 ? strv : NULL;
}

struct command_line value_command(struct loader *l, const struct node *service, const char *key)
{
	const struct node *list = node_get(service, key);

	if (!list || list->kind != NODE_SEQUENCE)
		return (struct command_line){ 0 };
	return (struct command_line){ .is_set = true, .argv = value_list(l, service, key) };
}

/* The index of `text` in a table of names, or `fallback`. */
unsigned int value_index(const char *const *names, const char *text, unsigned int fallback)
{
	for (unsigned int i = 0; text && names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return fallback;
}
