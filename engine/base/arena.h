/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena.h - memory that lives and dies as a whole (a project, a plan).
 *
 * Everything from arena_alloc is zeroed, aligned for pointers, 64-bit integers and doubles, and
 * freed at once by arena_free; texts lie wherever there is room. */
#ifndef MYCOMPOSE_BASE_ARENA_H
#define MYCOMPOSE_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

#define cleanup_arena __attribute__((cleanup(arena_cleanup)))
struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
void arena_cleanup(struct arena **arena);

void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t length);
/* The texts one after the other. For what is made by the thousand: printf is slower, and its pages
 * of the C library are a tenth of what `config` needs. */
#define arena_join(arena, ...) arena_join_texts((arena), __VA_ARGS__, (char *)NULL)
char *arena_join_texts(struct arena *arena, const char *first, ...) __attribute__((sentinel));
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An array that grows inside the arena: as array_add of memory.h, for arena-owned
 * items. */
void *arena_array_grow(struct arena *arena, void *items_ptr, size_t *count, size_t item_size);
/* An array of `count` zeroed items to be filled by the caller; arena_array_add may go on with it.
 * NULL for none. */
void *arena_array_room(struct arena *arena, size_t count, size_t item_size);
#ifdef __cppcheck__ /* its parser knows no typeof in a cast */
#define arena_array_add(arena, items, count) \
	((items) = arena_alloc((arena), ++(count) * sizeof(*(items))), &(items)[(count)-1])
#else
#define arena_array_add(arena, items, count) \
	((__typeof__(items))arena_array_grow((arena), &(items), &(count), sizeof(*(items))))
#endif

#endif
