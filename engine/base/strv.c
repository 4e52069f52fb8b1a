/* SPDX-License-Identifier: GPL-2.0-or-later
 * strv.c - NULL-terminated vectors of heap strings. */
#include "engine/base/strv.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

void strv_cleanup(char ***strv)
{
	strv_free(*strv);
	*strv = NULL;
}

size_t strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

void strv_free(char **strv)
{
	for (char **s = strv; s && *s; s++)
		free(*s);
	free(strv);
}

char **strv_copy(char *const *strv)
{
	char **copy = NULL;

	strv_extend(&copy, strv);
	return copy;
}

void strv_add(char ***strv, const char *s)
{
	strv_take(strv, xstrdup(s));
}

void strv_take(char ***strv, char *s)
{
	size_t n = strv_length(*strv);

	if (!s)
		return;
	*strv = xreallocarray(*strv, n + 2, sizeof(**strv));
	(*strv)[n] = s;
	(*strv)[n + 1] = NULL;
}

void strv_extend(char ***strv, char *const *more)
{
	size_t n = strv_length(*strv), extra = strv_length(more);

	if (extra == 0)
		return;
	*strv = xreallocarray(*strv, n + extra + 1, sizeof(**strv));
	for (size_t i = 0; i < extra; i++)
		(*strv)[n + i] = xstrdup(more[i]);
	(*strv)[n + extra] = NULL;
}

bool strv_contains(char *const *strv, const char *s)
{
	for (; strv && *strv; strv++)
		if (strcmp(*strv, s) == 0)
			return true;
	return false;
}

bool strv_equal(char *const *a, char *const *b)
{
	size_t n = strv_length(a);

	if (n != strv_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

void strv_remove(char **strv, const char *s)
{
	char **kept = strv;

	if (!strv)
		return;
	for (; *strv; strv++) {
		if (strcmp(*strv, s) == 0)
			free(*strv);
		else
			*kept++ = *strv;
	}
	*kept = NULL;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **strv)
{
	size_t n = strv_length(strv);

	if (n > 1)
		qsort(strv, n, sizeof(*strv), compare_strings);
}

char *strv_join(char *const *strv, const char *separator)
{
	struct strbuf buf = STRBUF_INIT;

	for (size_t i = 0; strv && strv[i]; i++) {
		if (i > 0)
			strbuf_add_str(&buf, separator);
		strbuf_add_str(&buf, strv[i]);
	}
	return strbuf_steal(&buf);
}

char **strv_split(const char *s, const char *separators)
{
	char **fields = NULL;
	size_t count = 0;

	for (;;) {
		size_t length = 0;

		while (*s && strchr(separators, *s))
			s++;
		if (!*s)
			break;
		while (s[length] && !strchr(separators, s[length]))
			length++;
		*array_add(fields, count) = xstrndup(s, length);
		s += length;
	}
	if (fields)
		array_add(fields, count); /* the NULL at the end */
	return fields;
}

/* The index of KEY's entry; the length of the vector when there is none. */
static size_t env_find(char *const *env, const char *key, size_t key_length)
{
	size_t i = 0;

	for (; env && env[i]; i++)
		if (strncmp(env[i], key, key_length) == 0 && env[i][key_length] == '=')
			break;
	return i;
}

const char *env_get(char *const *env, const char *key)
{
	size_t length = strlen(key), i = env_find(env, key, length);

	return env && env[i] ? env[i] + length + 1 : NULL;
}

/* Takes `entry` ("KEY=value") over. */
static void env_put(char ***env, char *entry, size_t key_length)
{
	size_t i = env_find(*env, entry, key_length);

	if (!*env || !(*env)[i]) {
		strv_take(env, entry);
		return;
	}
	free((*env)[i]);
	(*env)[i] = entry;
}

static void env_drop(char **env, const char *key)
{
	size_t length = strlen(key), i;

	while (i = env_find(env, key, length), env && env[i]) {
		free(env[i]);
		for (; env[i]; i++)
			env[i] = env[i + 1];
	}
}

void env_set(char ***env, const char *key, const char *value)
{
	if (value)
		env_put(env, xasprintf("%s=%s", key, value), strlen(key));
	else
		env_drop(*env, key);
}

void env_merge(char ***env, char *const *more)
{
	for (; more && *more; more++) {
		const char *equals = strchr(*more, '=');

		if (equals)
			env_put(env, xstrdup(*more), (size_t)(equals - *more));
	}
}
