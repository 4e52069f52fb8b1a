/* SPDX-License-Identifier: GPL-2.0-or-later
 * node.c - make, find and change nodes of the document tree. */
#include "compose/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"

/* Below this many entries a mapping is searched linearly. */
#define INDEX_THRESHOLD 24
/* Up to this many are sorted by insertion. */
#define INSERTION_LIMIT 64

const char *const node_kind_names[] = {
	[NODE_NULL] = "null",
	[NODE_BOOL] = "boolean",
	[NODE_INT] = "integer",
	[NODE_FLOAT] = "number",
	[NODE_TIMESTAMP] = "timestamp",
	[NODE_STRING] = "string",
	[NODE_SEQUENCE] = "list",
	[NODE_MAPPING] = "mapping",
};

static void add_path(struct strbuf *buf, const struct path *path)
{
	if (path->up)
		add_path(buf, path->up);
	if (!path->key)
		strbuf_addf(buf, "[%zu]", path->index);
	else
		strbuf_addf(buf, "%s%s", buf->length > 0 ? "." : "", path->key);
}

char *path_text(const struct path *path, struct arena *arena)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;

	if (path)
		add_path(&buf, path);
	return arena_strdup(arena, strbuf_text(&buf));
}

struct node *node_new(struct arena *arena, enum node_kind kind, struct mark mark)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	node->kind = kind;
	node->mark = mark;
	return node;
}

struct node *node_string(struct arena *arena, const char *text, struct mark mark)
{
	struct node *node = node_new(arena, NODE_STRING, mark);

	node->text = arena_strdup(arena, text);
	return node;
}

struct node *node_int(struct arena *arena, int64_t value, struct mark mark)
{
	struct node *node = node_new(arena, NODE_INT, mark);
	char buf[NUMBER_TEXT_SIZE];

	node->integer = value;
	node->text = arena_strdup(arena, format_i64(value, buf));
	return node;
}

struct node *node_bool(struct arena *arena, bool value, struct mark mark)
{
	struct node *node = node_new(arena, NODE_BOOL, mark);

	node->boolean = value;
	node->text = value ? "true" : "false";
	return node;
}

static void drop_index(struct node *node)
{
	if (node->kind == NODE_MAPPING)
		node->index = NULL;
}

void node_fill(
	struct arena *arena, struct node *node, const struct node_entry *entries, size_t count)
{
	node->entries = arena_array_room(arena, count, sizeof(*entries));
	node->count = (uint32_t)count;
	drop_index(node);
	for (size_t i = 0; i < count; i++)
		node->entries[i] = entries[i];
}

struct node *node_mapping(
	struct arena *arena, struct mark mark, const struct node_entry *entries, size_t count)
{
	struct node *node = node_new(arena, NODE_MAPPING, mark);

	for (size_t i = 0; i < count; i++)
		if (entries[i].value)
			node_append(arena, node, entries[i].key, entries[i].value->mark,
				entries[i].value);
	return node;
}

struct node *node_copy_flat(struct arena *arena, const struct node *node)
{
	struct node *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *node;
	node_fill(arena, copy, node->entries, node->count);
	return copy;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
	struct node *copy = node_copy_flat(arena, node);

	for (size_t i = 0; i < node->count; i++)
		copy->entries[i].value = node_copy(arena, node->entries[i].value);
	return copy;
}

static uint64_t hash_key(const char *key)
{
	uint64_t hash = 14695981039346656037u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211u;
	return hash ^ hash >> 29;
}

/* Hash of the keys of a large mapping. */
struct node_index {
	size_t size;	  /* slots, a power of two */
	size_t indexed;	  /* entries it knows */
	uint32_t slots[]; /* entry number + 1, 0 = free */
};

static struct node_index *index_new(struct arena *arena, size_t count)
{
	struct node_index *index;
	size_t size = 64;

	while (size < count * 4)
		size *= 2;
	index = arena_alloc(arena, sizeof(*index) + size * sizeof(*index->slots));
	index->size = size;
	return index;
}

static void index_entry(struct node_index *index, const char *key, size_t i)
{
	size_t slot = hash_key(key) & (index->size - 1);

	while (index->slots[slot])
		slot = (slot + 1) & (index->size - 1);
	index->slots[slot] = (uint32_t)i + 1;
}

static void update_index(struct arena *arena, struct node *node)
{
	if (!node->index || node->index->size < node->count * 2)
		node->index = index_new(arena, node->count);
	for (; node->index->indexed < node->count; node->index->indexed++)
		index_entry(
			node->index, node->entries[node->index->indexed].key, node->index->indexed);
}

static struct node_entry *find_linear(const struct node *node, const char *key)
{
	for (size_t i = 0; i < node->count; i++)
		if (node->entries[i].key[0] == key[0] && strcmp(node->entries[i].key, key) == 0)
			return &node->entries[i];
	return NULL;
}

struct node_entry *node_find(struct arena *arena, struct node *node, const char *key)
{
	if (!node || node->kind != NODE_MAPPING)
		return NULL;
	if (node->count < INDEX_THRESHOLD)
		return find_linear(node, key);
	if (!node->index || node->index->indexed < node->count)
		update_index(arena, node);
	for (size_t slot = hash_key(key) & (node->index->size - 1); node->index->slots[slot];
		slot = (slot + 1) & (node->index->size - 1)) {
		struct node_entry *entry = &node->entries[node->index->slots[slot] - 1];

		if (strcmp(entry->key, key) == 0)
			return entry;
	}
	return NULL;
}

struct node *node_get(const struct node *node, const char *key)
{
	struct node_entry *entry;

	if (!node || node->kind != NODE_MAPPING)
		return NULL;
	entry = find_linear(node, key);
	return entry ? entry->value : NULL;
}

void node_append(struct arena *arena, struct node *node, const char *key, struct mark key_mark,
	struct node *value)
{
	size_t count = node->count;
	struct node_entry *entry = arena_array_add(arena, node->entries, count);

	node->count = (uint32_t)count;
	entry->key = key;
	entry->key_mark = key_mark;
	entry->value = value;
}

void node_set(struct arena *arena, struct node *node, const char *key, struct node *value)
{
	struct node_entry *entry = node_find(arena, node, key);

	if (entry)
		entry->value = value;
	else
		node_append(arena, node, arena_strdup(arena, key), value->mark, value);
}

void node_set_string(struct arena *arena, struct node *node, const char *key, const char *text)
{
	node_set(arena, node, key, node_string(arena, text, node->mark));
}

void node_remove_at(struct node *node, size_t i)
{
	memmove(node->entries + i, node->entries + i + 1,
		(node->count - i - 1) * sizeof(*node->entries));
	node->count--;
	drop_index(node);
}

void node_remove(struct node *node, const char *key)
{
	struct node_entry *entry;

	if (!node || node->kind != NODE_MAPPING)
		return;
	entry = find_linear(node, key);
	if (entry)
		node_remove_at(node, (size_t)(entry - node->entries));
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct node_entry *)a)->key, ((const struct node_entry *)b)->key);
}

/* For the few entries that nearly all mappings have. qsort would ask the kernel how much memory
 * there is before it sorts more than a kilobyte. */
static void insertion_sort(
	struct node_entry *entries, size_t count, int (*compare)(const void *a, const void *b))
{
	for (size_t i = 1; i < count; i++) {
		const struct node_entry entry = entries[i];
		size_t at = i;

		for (; at > 0 && compare(&entries[at - 1], &entry) > 0; at--)
			entries[at] = entries[at - 1];
		entries[at] = entry;
	}
}

void node_sort_by(struct node *node, int (*compare)(const void *a, const void *b))
{
	if (node->count <= INSERTION_LIMIT)
		insertion_sort(node->entries, node->count, compare);
	else
		qsort(node->entries, node->count, sizeof(*node->entries), compare);
	drop_index(node);
}

void node_sort(struct node *node)
{
	node_sort_by(node, compare_keys);
}

bool node_is_empty(const struct node *node)
{
	switch (node->kind) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
		return !node->boolean;
	case NODE_INT:
		return node->integer == 0;
	case NODE_FLOAT:
		return node->real == 0;
	case NODE_STRING:
		return *node->text == '\0';
	case NODE_SEQUENCE:
	case NODE_MAPPING:
		return node->count == 0;
	default:
		return false;
	}
}

bool node_is_scalar(const struct node *node)
{
	return node->kind < NODE_SEQUENCE;
}

/* strconv 'g' with the shortest digits that read back, exponent form below 1e-4 and from 1e21 on.
 */
void format_go_float(double value, char buf[static 40])
{
	char digits[40];
	int precision = 0, exponent;
	const char *e;

	if (isnan(value) || isinf(value)) {
		snprintf(buf, 40, "%s", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
		return;
	}
	for (; precision < 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*e", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	e = strchr(digits, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	if (exponent < -4 || exponent >= 21)
		snprintf(buf, 40, "%s", digits);
	else
		snprintf(buf, 40, "%.*f", precision > exponent ? precision - exponent : 0, value);
}

const char *node_scalar_text(struct arena *arena, const struct node *node)
{
	char buf[40];

	switch (node->kind) {
	case NODE_BOOL:
		return node->boolean ? "true" : "false";
	case NODE_INT:
		return arena_strdup(arena, format_i64(node->integer, buf));
	case NODE_FLOAT:
		/* A whole number that only fits 64 bits without a sign: what was written has all
		 * its digits. */
		if (node->text && node->real < 18446744073709551616.0 &&
			node->real >= 9223372036854775808.0 &&
			strspn(node->text, "0123456789") == strlen(node->text))
			return node->text;
		format_go_float(node->real, buf);
		return arena_strdup(arena, buf);
	case NODE_TIMESTAMP:
	case NODE_STRING:
		return node->text;
	default:
		return "";
	}
}

static bool children_equal(const struct node *a, const struct node *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct node *other = a->kind == NODE_MAPPING ? node_get(b, a->entries[i].key)
								   : b->entries[i].value;

		if (!other || !node_equal(a->entries[i].value, other))
			return false;
	}
	return true;
}

bool node_equal(const struct node *a, const struct node *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
		return a->boolean == b->boolean;
	case NODE_INT:
		return a->integer == b->integer;
	case NODE_FLOAT:
		return a->real == b->real;
	case NODE_TIMESTAMP:
	case NODE_STRING:
		return strcmp(a->text, b->text) == 0;
	default:
		return children_equal(a, b);
	}
}

const char *node_get_text(const struct node *node, const char *key)
{
	const struct node *child = node_get(node, key);

	return child && child->kind == NODE_STRING ? child->text : NULL;
}

bool node_get_bool(const struct node *node, const char *key, bool fallback)
{
	const struct node *child = node_get(node, key);

	return child && child->kind == NODE_BOOL ? child->boolean : fallback;
}
