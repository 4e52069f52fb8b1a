/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena.c - memory that lives and dies as a whole: a list of zeroed blocks, filled from the front.
 */
#include "engine/base/arena.h"

#include <stdalign.h>
#include <stdbool.h>
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

/* Texts need no alignment: they fill the block from its end. */
static char *alloc_text(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;

	if (!block || block->size - block->used < size)
		return arena_alloc(arena, size);
	block->size -= size;
	return block->bytes + block->size;
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
	copy = alloc_text(arena, length + 1);
	memcpy(copy, s, length);
	copy[length] = '\0';
	return copy;
}

char *arena_join_texts(struct arena *arena, const char *first, ...)
{
	size_t length = 0;
	char *joined, *end;
	va_list ap;

	va_start(ap, first);
	for (const char *text = first; text; text = va_arg(ap, const char *))
		if (__builtin_add_overflow(length, strlen(text), &length))
			memory_exhausted();
	va_end(ap);
	joined = end = alloc_text(arena, length + 1);
	va_start(ap, first);
	for (const char *text = first; text; text = va_arg(ap, const char *))
		end = stpcpy(end, text);
	va_end(ap);
	*end = '\0';
	return joined;
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

/* Make what was allocated last longer, in its place. */
static bool extend_last(struct arena *arena, const char *items, size_t old_bytes, size_t bytes)
{
	const size_t align = alignof(max_align_t);
	struct block *block = arena->blocks;
	size_t start;

	if (!block || items < block->bytes || items >= block->bytes + block->used)
		return false;
	start = (size_t)(items - block->bytes);
	old_bytes = (old_bytes + align - 1) & ~(align - 1);
	bytes = (bytes + align - 1) & ~(align - 1);
	if (start + old_bytes != block->used || bytes > block->size - start)
		return false;
	block->used = start + bytes;
	return true;
}

/* Capacities are 2, 4, 6, 8, 12, 16, 24, …: powers of two and what is half way between. Which of
 * them an array has is seen from its count, so that nobody needs to keep it. */
static size_t next_capacity(size_t capacity)
{
	size_t more = capacity < 4			 ? 2
		      : (capacity & (capacity - 1)) == 0 ? capacity / 2
							 : capacity / 3;

	if (__builtin_add_overflow(capacity, more, &capacity))
		memory_exhausted();
	return capacity;
}

/* Has an array that has grown to `count` items no room for more? */
static bool is_full(size_t count)
{
	size_t odd = count % 3 == 0 ? count / 3 : count;

	return count != 1 && count != 3 && (odd & (odd - 1)) == 0;
}

static size_t array_bytes(size_t capacity, size_t item_size)
{
	size_t bytes;

	if (__builtin_mul_overflow(capacity, item_size, &bytes))
		memory_exhausted();
	return bytes;
}

void *arena_array_room(struct arena *arena, size_t count, size_t item_size)
{
	size_t capacity = 2;

	if (count == 0)
		return NULL;
	while (capacity < count)
		capacity = next_capacity(capacity);
	return arena_alloc(arena, array_bytes(capacity, item_size));
}

void *arena_array_grow(struct arena *arena, void *items_ptr, size_t *count, size_t item_size)
{
	char *items, *item;

	memcpy(&items, items_ptr, sizeof(items)); /* see array_grow */
	if (is_full(*count)) {
		size_t bytes = array_bytes(next_capacity(*count), item_size);

		if (*count == 0 || !extend_last(arena, items, *count * item_size, bytes)) {
			char *grown = arena_alloc(arena, bytes);

			if (*count > 0)
				memcpy(grown, items, *count * item_size);
			items = grown;
			memcpy(items_ptr, &items, sizeof(items));
		}
	}
	item = items + *count * item_size;
	memset(item, 0, item_size);
	(*count)++;
	return item;
}
