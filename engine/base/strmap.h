/* SPDX-License-Identifier: GPL-2.0-or-later
 * strmap.h - a hash map from string to pointer that remembers insertion order.
 *
 * Keys are copied; values stay the caller's (pass a free function to strmap_release_with to end
 * them). Iterate over entries[0..count) in insertion order; strmap_remove keeps the order of the
 * rest. */
#ifndef MYCOMPOSE_BASE_STRMAP_H
#define MYCOMPOSE_BASE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strmap_entry {
	char *key;
	void *value;
	uint64_t hash;
};

struct strmap {
	struct strmap_entry *entries;
	size_t count;
	size_t capacity;
	uint32_t *buckets; /* index + 1 into entries, 0 = free; open addressing */
	size_t bucket_count;
};

#define STRMAP_INIT           \
	{                     \
		0, 0, 0, 0, 0 \
	}

void strmap_release(struct strmap *map);
void strmap_release_with(struct strmap *map, void (*free_value)(void *value));
/* Insert or replace; returns the value that was there before, or NULL. */
void *strmap_set(struct strmap *map, const char *key, void *value);
void *strmap_get(const struct strmap *map, const char *key); /* NULL when absent */
bool strmap_has(const struct strmap *map, const char *key);
void *strmap_remove(struct strmap *map, const char *key); /* returns the removed value */
/* Entries in byte order of their keys (the map itself is reordered; look-ups stay right). */
void strmap_sort(struct strmap *map);

#define strmap_for_each(entry, map)                       \
	for (struct strmap_entry *entry = (map)->entries; \
		entry && entry < (map)->entries + (map)->count; entry++)

#endif
