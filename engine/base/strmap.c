/* SPDX-License-Identifier: GPL-2.0-or-later
 * strmap.c - a hash map that remembers insertion order.
 *
 * Keys come out of files that strangers write (labels of an image, members of a JSON object), so
 * the hash is SipHash-1-3 (Aumasson, Bernstein) under a key of this process: nobody can prepare
 * names that all meet in one bucket. The key is the 16 random bytes the kernel gives every program
 * (AT_RANDOM). Order never shows: iteration is by insertion. */
#include "engine/base/strmap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "engine/base/memory.h"

#define MIN_BUCKETS 16
#define MAX_ENTRIES (UINT32_MAX - 1)

static uint64_t rotate_left(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[3];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[2] = rotate_left(v[2], 32);
}

static void sip_word(uint64_t v[static 4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static uint64_t hash_string(const char *s)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	uint64_t key[2] = { 0, 0 }, v[4], word;
	size_t length = strlen(s), i;

	if (random)
		memcpy(key, random, sizeof(key));
	v[0] = key[0] ^ 0x736f6d6570736575;
	v[1] = key[1] ^ 0x646f72616e646f6d;
	v[2] = key[0] ^ 0x6c7967656e657261;
	v[3] = key[1] ^ 0x7465646279746573;
	for (i = 0; i + 8 <= length; i += 8) {
		memcpy(&word, s + i, 8);
		sip_word(v, word);
	}
	word = 0;
	memcpy(&word, s + i, length - i);
	sip_word(v, word | (uint64_t)length << 56);
	v[2] ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void strmap_release(struct strmap *map)
{
	strmap_release_with(map, NULL);
}

void strmap_release_with(struct strmap *map, void (*free_value)(void *value))
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->entries[i].key);
		if (free_value)
			free_value(map->entries[i].value);
	}
	free(map->entries);
	free(map->buckets);
	*map = (struct strmap)STRMAP_INIT;
}

/* The bucket that holds `key`, or the free one where it belongs. There is always a free one: the
 * table is at most 3/4 full. */
static uint32_t *find_bucket(const struct strmap *map, const char *key, uint64_t hash)
{
	size_t mask = map->bucket_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		uint32_t *bucket = &map->buckets[i];
		const struct strmap_entry *entry;

		if (!*bucket)
			return bucket;
		entry = &map->entries[*bucket - 1];
		if (entry->hash == hash && strcmp(entry->key, key) == 0)
			return bucket;
	}
}

static void fill_buckets(struct strmap *map)
{
	size_t mask = map->bucket_count - 1;

	memset(map->buckets, 0, map->bucket_count * sizeof(*map->buckets));
	for (size_t n = 0; n < map->count; n++) {
		size_t i = map->entries[n].hash & mask;

		while (map->buckets[i]) /* keys differ, so none need be compared */
			i = (i + 1) & mask;
		map->buckets[i] = (uint32_t)n + 1;
	}
}

static void make_room(struct strmap *map)
{
	if (map->count >= MAX_ENTRIES)
		memory_exhausted();
	if (map->count == map->capacity) {
		map->capacity = map->capacity ? map->capacity * 2 : 8;
		map->entries = xreallocarray(map->entries, map->capacity, sizeof(*map->entries));
	}
	if ((map->count + 1) * 4 > map->bucket_count * 3) {
		map->bucket_count = map->bucket_count ? map->bucket_count * 2 : MIN_BUCKETS;
		map->buckets =
			xreallocarray(map->buckets, map->bucket_count, sizeof(*map->buckets));
		fill_buckets(map);
	}
}

static struct strmap_entry *find_entry(const struct strmap *map, const char *key)
{
	uint32_t index;

	if (map->count == 0)
		return NULL;
	index = *find_bucket(map, key, hash_string(key));
	return index ? &map->entries[index - 1] : NULL;
}

void *strmap_set(struct strmap *map, const char *key, void *value)
{
	struct strmap_entry *entry = find_entry(map, key);
	uint64_t hash;

	if (entry) {
		void *old = entry->value;

		entry->value = value;
		return old;
	}
	make_room(map);
	hash = hash_string(key);
	*find_bucket(map, key, hash) = (uint32_t)map->count + 1;
	map->entries[map->count++] =
		(struct strmap_entry){ .key = xstrdup(key), .value = value, .hash = hash };
	return NULL;
}

void *strmap_get(const struct strmap *map, const char *key)
{
	const struct strmap_entry *entry = find_entry(map, key);

	return entry ? entry->value : NULL;
}

bool strmap_has(const struct strmap *map, const char *key)
{
	return find_entry(map, key) != NULL;
}

void *strmap_remove(struct strmap *map, const char *key)
{
	struct strmap_entry *entry = find_entry(map, key);
	size_t after;
	void *value;

	if (!entry)
		return NULL;
	value = entry->value;
	free(entry->key);
	after = map->count - 1 - (size_t)(entry - map->entries);
	memmove(entry, entry + 1, after * sizeof(*entry));
	map->count--;
	fill_buckets(map); /* every index behind the gap has moved */
	return value;
}

static int compare_entries(const void *a, const void *b)
{
	const struct strmap_entry *left = a, *right = b;

	return strcmp(left->key, right->key);
}

void strmap_sort(struct strmap *map)
{
	if (map->count < 2)
		return;
	qsort(map->entries, map->count, sizeof(*map->entries), compare_entries);
	fill_buckets(map);
}
