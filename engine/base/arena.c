/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena.c - memory that lives and dies as a whole: a list of zeroed blocks, filled from the front.
 */
#include "engine/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define BLOCK_SIZE (16 * 1024)

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks; /* the first is the one being filled */
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void arena_cleanup(struct arena **arena)
{
	arena_free(*arena);
	*arena = NULL;
}

static struct block *block_new(size_t size)
{
	struct block *block;

	if (size > SIZE_MAX - sizeof(*block))
		memory_exhausted();
	block = xcalloc(1, sizeof(*block) + size);
	block->size = size;
	return block;
}

/* Something large gets a block to itself, put behind the one being filled so that the rest of that
 * is not lost. */
static void *alloc_alone(struct arena *arena, size_t size)
{
	struct block *block = block_new(size);

	block->used = size;
	if (arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		arena->blocks = block;
	}
	return block->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct block *block = arena->blocks;
	void *ptr;

	if (size >= BLOCK_SIZE / 4)
		return alloc_alone(arena, size);
	size = size ? (size + align - 1) & ~(align - 1) : align;
	if (!block || block->size - block->used < size) {
		block = block_new(BLOCK_SIZE);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	ptr = block->bytes + block->used;
	block->used += size;
	return ptr;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *s, size_t length)
{
	char *copy;

	if (!s)
		return NULL;
	length = strnlen(s, length);
	copy = arena_alloc(arena, length + 1);
	memcpy(copy, s, length);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return arena_strdup(arena, text);
}

void *arena_array_grow(struct arena *arena, void *items_ptr, size_t *count, size_t item_size)
{
	char *items, *item;

	memcpy(&items, items_ptr, sizeof(items)); /* see array_grow */
	if (*count == 0 || (*count >= 8 && (*count & (*count - 1)) == 0)) {
		size_t capacity = *count == 0 ? 8 : *count * 2, bytes;
		char *grown;

		if (__builtin_mul_overflow(capacity, item_size, &bytes))
			memory_exhausted();
		grown = arena_alloc(arena, bytes);
		if (*count > 0)
			memcpy(grown, items, *count * item_size);
		items = grown;
		memcpy(items_ptr, &items, sizeof(items));
	}
	item = items + *count * item_size;
	memset(item, 0, item_size);
	(*count)++;
	return item;
}
