/* SPDX-License-Identifier: GPL-2.0-or-later
 * dot_env.c - read COMPOSE_* from environment files. */
#include "cmd/dot_env.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "compose/dotenv.h"
#include "engine/base/arena.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define PREFIX "COMPOSE_"

static void read_file(const char *path, struct arena *arena, const struct strmap *environment,
	struct strmap *variables)
{
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	cleanup_free char *text = NULL;
	size_t length;

	if (file_read(AT_FDCWD, path, DOTENV_SIZE_LIMIT, &text, &length, NULL) == 0)
		(void)dotenv_parse(
			arena, path, text, length, environment, variables, NULL, &problems);
}

static void fill(struct strmap *map, struct arena *arena, char *const *env)
{
	for (; env && *env; env++) {
		size_t length = strcspn(*env, "=");
		cleanup_free char *key = xstrndup(*env, length);

		if ((*env)[length])
			strmap_set(map, key, arena_strdup(arena, *env + length + 1));
	}
}

void dot_env_read(struct app *app)
{
	const char *list = app_getenv(app, "COMPOSE_ENV_FILES");
	cleanup_strv char **files = strv_copy(app->global.env_files);
	struct strmap environment = STRMAP_INIT, variables = STRMAP_INIT;
	struct arena *arena;

	if (!strv_length(files) && list && *list) {
		strv_free(files);
		files = strv_split(list, ",");
	}
	if (!strv_length(files) && app_env_true(app, "COMPOSE_DISABLE_ENV_FILE"))
		return;
	if (!strv_length(files))
		strv_add(&files, ".env");
	arena = arena_new();
	fill(&environment, arena, app->environ);
	for (char **file = files; *file; file++)
		read_file(*file, arena, &environment, &variables);
	strmap_for_each (entry, &variables)
		if (!strncmp(entry->key, PREFIX, strlen(PREFIX)) && !app_getenv(app, entry->key))
			env_set(&app->environ, entry->key, entry->value);
	strmap_release(&variables);
	strmap_release(&environment);
	arena_free(arena);
}
