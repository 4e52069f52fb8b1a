/* SPDX-License-Identifier: GPL-2.0-or-later
 * env_options.c - collect the environment that the command line asks for. */
#include "cmd/env_options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define ENV_FILE_MAX (1 << 20)

static int add_word(const char *word, char *const *environ, char ***env, struct error *err)
{
	size_t length = strcspn(word, "=");
	cleanup_free char *key = xstrndup(word, length);
	const char *value = word[length] ? word + length + 1 : env_get(environ, key);

	if (!*key || strpbrk(key, " \t"))
		return error_set(err, -EINVAL, "invalid environment variable: %s", word);
	if (value)
		env_set(env, key, value);
	return 0;
}

static int add_file(const char *path, char *const *environ, char ***env, struct error *err)
{
	cleanup_strv char **lines = NULL;
	cleanup_free char *text = NULL;
	size_t length;
	int r = file_read(AT_FDCWD, path, ENV_FILE_MAX, &text, &length, err);

	if (r < 0)
		return r;
	if (strlen(text) != length)
		return error_set(err, -EINVAL, "%s: NUL byte in an environment file", path);
	lines = strv_split(text, "\n");
	for (size_t i = 0; r == 0 && i < strv_length(lines); i++) {
		char *line = lines[i] + strspn(lines[i], " \t");
		size_t end = strlen(line);

		if (end && line[end - 1] == '\r')
			line[end - 1] = '\0';
		if (*line && *line != '#')
			r = add_word(line, environ, env, err);
	}
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}

int env_options_collect(char *const *files, char *const *words, char *const *environ, char ***env,
	struct error *err)
{
	int r = 0;

	for (; r == 0 && files && *files; files++)
		r = add_file(*files, environ, env, err);
	for (; r == 0 && words && *words; words++)
		r = add_word(*words, environ, env, err);
	return r;
}
