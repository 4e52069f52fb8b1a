/* SPDX-License-Identifier: GPL-2.0-or-later
 * node.h - the tree a Compose document is worked on as: mappings, sequences and scalars that know
 * where they came from.
 *
 * The loader's stages all change this one tree in place. May depend on: engine/base/.
 * Ownership: nodes and their texts live in the arena they were made in; nothing is freed one by
 * one. */
#ifndef MYCOMPOSE_COMPOSE_NODE_H
#define MYCOMPOSE_COMPOSE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose/problems.h"
#include "engine/base/arena.h"

enum node_kind {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_FLOAT,
	NODE_TIMESTAMP, /* text is in the form Go prints it */
	NODE_STRING,
	NODE_SEQUENCE,
	NODE_MAPPING,
};
extern const char *const node_kind_names[]; /* "null", "boolean", "integer", … for messages */

/* What a tag asks of the merge with the files before: drop what they say here, or let nothing of it
 * through. */
enum node_merge { NODE_MERGE_NORMAL, NODE_MERGE_RESET, NODE_MERGE_OVERRIDE };

struct node_entry {
	const char *key; /* NULL in sequences */
	struct mark key_mark;
	struct node *value;
};

/* A document is made of little else: kept small. */
struct node {
	enum node_kind kind : 8;
	enum node_merge merge : 8;
	bool is_quoted; /* written in quotes or as a block: always a string */
	uint32_t count; /* of the entries */
	struct mark mark;
	const char *text; /* scalars: as written, or what a stage made of it */
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct node_index *index; /* mappings: made on demand by node_find */
	};
	struct node_entry *entries;
};

/* A place in the tree, linked on the stack from the leaf up; written out only when there is
 * something to say. */
struct path {
	const struct path *up; /* NULL: the document itself */
	const char *key;       /* NULL: item number `index` of a sequence */
	size_t index;
};
/* "services.web.ports[0]" */
char *path_text(const struct path *path, struct arena *arena);

struct node *node_new(struct arena *arena, enum node_kind kind, struct mark mark);
struct node *node_string(
	struct arena *arena, const char *text, struct mark mark); /* text is copied */
struct node *node_int(struct arena *arena, int64_t value, struct mark mark);
struct node *node_bool(struct arena *arena, bool value, struct mark mark);
/* A mapping of the entries that have a value, each key standing where its value does. The keys are
 * kept, not copied. */
struct node *node_mapping(
	struct arena *arena, struct mark mark, const struct node_entry *entries, size_t count);
struct node *node_copy(struct arena *arena, const struct node *node); /* deep */
/* The node with entries of its own, whose values are still the original's. */
struct node *node_copy_flat(struct arena *arena, const struct node *node);

/* Mappings. node_find gives the entry or NULL; node_get its value. `node` may be NULL or no
 * mapping: nothing is found. The pointers stay valid until an entry is added or removed. */
struct node_entry *node_find(struct arena *arena, struct node *node, const char *key);
struct node *node_get(const struct node *node, const char *key);
/* Set or replace; the key is copied when new. The value's mark marks the key. */
void node_set(struct arena *arena, struct node *node, const char *key, struct node *value);
void node_set_string(struct arena *arena, struct node *node, const char *key, const char *text);
void node_remove(struct node *node, const char *key);
void node_remove_at(struct node *node, size_t i);
/* Append without looking for the key (the caller knows it is new); key NULL for sequences. */
void node_append(struct arena *arena, struct node *node, const char *key, struct mark key_mark,
	struct node *value);
/* What a mapping or sequence has, all at once; copied. */
void node_fill(
	struct arena *arena, struct node *node, const struct node_entry *entries, size_t count);
/* Order entries by key, bytewise; or as `compare` says of two struct node_entry. */
void node_sort(struct node *node);
void node_sort_by(struct node *node, int (*compare)(const void *a, const void *b));

bool node_is_scalar(const struct node *node);
/* null, false, 0, "" and what has no entries. */
bool node_is_empty(const struct node *node);
/* The value as Go's fmt prints it: strings as they are, true, 42, 1.5, 1e+21; null gives "". Arena
 * or static memory. */
const char *node_scalar_text(struct arena *arena, const struct node *node);
bool node_equal(const struct node *a,
	const struct node *b); /* same value, marks ignored; mappings in any order */
/* The text of a string child, NULL when absent or no string. */
const char *node_get_text(const struct node *node, const char *key);
bool node_get_bool(const struct node *node, const char *key, bool fallback);

/* Go's shortest %v form of a float64. */
void format_go_float(double value, char buf[static 40]);

#endif
