/* SPDX-License-Identifier: GPL-2.0-or-later
 * memory.h - allocation that cannot fail, cleanup attributes, steal.
 *
 * Running out of memory ends the process here and nowhere else: runs are short and the state on
 * disk is always whole. Variables with a cleanup attribute are declared with their invalid value
 * (NULL, -1) and are moved on by steal_ptr()/steal_fd(). */
#ifndef MYCOMPOSE_BASE_MEMORY_H
#define MYCOMPOSE_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Say so on stderr and end the process; for adapters whose library answers NULL. */
void memory_exhausted(void) __attribute__((noreturn));
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);
/* realloc(ptr, count * size) that ends the process on overflow */
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xstrndup(const char *s, size_t length);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Make room for one more item of an array { T *items; size_t count; } and return the zeroed new
 * item's address. Capacity is implied: the next power of two from 8 on, so only ever grow such an
 * array by this call. */
void *array_grow(void *items_ptr, size_t *count, size_t item_size);
#ifdef __cppcheck__ /* its parser knows no typeof in a cast */
#define array_add(items, count) \
	((items) = xreallocarray((items), ++(count), sizeof(*(items))), &(items)[(count)-1])
#else
#define array_add(items, count) \
	((__typeof__(items))array_grow(&(items), &(count), sizeof(*(items))))
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void cleanup_free_ptr(void *ptr_to_ptr);
void cleanup_close_fd(int *fd);
void cleanup_fclose_file(FILE **file);

#define cleanup_free __attribute__((cleanup(cleanup_free_ptr)))
#define cleanup_fd   __attribute__((cleanup(cleanup_close_fd)))
#define cleanup_file __attribute__((cleanup(cleanup_fclose_file)))

/* Read the value and leave the invalid one behind. */
#define steal_ptr(p)                         \
	({                                   \
		__typeof__(p) stolen_ = (p); \
		(p) = NULL;                  \
		stolen_;                     \
	})
int steal_fd(int *fd);
/* Close if open and set to -1; errno is kept. */
void close_fd(int *fd);

#endif
