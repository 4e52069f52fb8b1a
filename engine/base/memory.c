/* SPDX-License-Identifier: GPL-2.0-or-later
 * memory.c - allocation that ends the process instead of failing, growing arrays, cleanup
 * functions. */
#include "engine/base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void memory_exhausted(void)
{
	static const char text[] = "mycompose: out of memory\n";

	/* No stdio and no exit handlers: both may want memory. */
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)written; /* nobody is left to be told */
	_exit(1);
}

static void *not_null(void *ptr)
{
	if (!ptr)
		memory_exhausted();
	return ptr;
}

void *xmalloc(size_t size)
{
	return not_null(malloc(size ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	return not_null(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return not_null(realloc(ptr, size ? size : 1));
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		memory_exhausted();
	return xrealloc(ptr, bytes);
}

char *xstrdup(const char *s)
{
	return s ? not_null(strdup(s)) : NULL;
}

char *xstrndup(const char *s, size_t length)
{
	return s ? not_null(strndup(s, length)) : NULL;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		memory_exhausted();
	return s;
}

void *array_grow(void *items_ptr, size_t *count, size_t item_size)
{
	char *items, *item;

	/* `items_ptr` is the address of some T *: copied as bytes, for a void ** may not alias it.
	 */
	memcpy(&items, items_ptr, sizeof(items));
	if (*count == 0 || (*count >= 8 && (*count & (*count - 1)) == 0)) {
		size_t capacity = *count == 0 ? 8 : *count * 2;

		items = xreallocarray(items, capacity, item_size);
		memcpy(items_ptr, &items, sizeof(items));
	}
	item = items + *count * item_size;
	memset(item, 0, item_size);
	(*count)++;
	return item;
}

void cleanup_free_ptr(void *ptr_to_ptr)
{
	void *ptr;

	memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
	free(ptr);
}

void cleanup_close_fd(int *fd)
{
	close_fd(fd);
}

void cleanup_fclose_file(FILE **file)
{
	int saved = errno;

	if (*file)
		fclose(*file);
	*file = NULL;
	errno = saved;
}

int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}
