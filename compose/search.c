/* SPDX-License-Identifier: GPL-2.0-or-later
 * search.c - before any file is read: the environment, which files, which folder, which name. */
#include "compose/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compose/dotenv.h" /* DOTENV_SIZE_LIMIT */
#include "compose/pathnames.h"
#include "engine/base/ascii.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static const char *const file_names[] = { "compose.yaml", "compose.yml", "docker-compose.yml",
	"docker-compose.yaml", NULL };
static const char *const override_names[] = { "compose.override.yml", "compose.override.yaml",
	"docker-compose.override.yml", "docker-compose.override.yaml", NULL };

const char *loader_getenv(const struct loader *l, const char *name)
{
	return strmap_get(&l->environment, name);
}

static bool is_true(const char *text)
{
	return text && (strcmp(text, "1") == 0 || strcasecmp(text, "t") == 0 ||
			       strcasecmp(text, "true") == 0 || strcasecmp(text, "y") == 0);
}

static void add_process_environment(struct loader *l)
{
	for (char *const *env = l->options->environ; env && *env; env++) {
		const char *equals = strchr(*env, '=');

		if (!equals || equals == *env)
			continue;
		strmap_set(&l->environment, arena_strndup(l->arena, *env, (size_t)(equals - *env)),
			arena_strdup(l->arena, equals + 1));
	}
}

/* Parse one env file on top of what earlier ones said. */
static int read_env_file(
	struct loader *l, const char *path, struct strmap *variables, struct error *err)
{
	const char *text;
	size_t length;
	int r = loader_read(l, path, DOTENV_SIZE_LIMIT, &text, &length, err);

	if (r < 0)
		return r;
	loader_parse_env_file(l, path, text, length, variables);
	return 0;
}

/* The process environment wins over what files say. */
static void add_missing(struct loader *l, const struct strmap *variables)
{
	strmap_for_each (entry, variables)
		if (!strmap_has(&l->environment, entry->key))
			strmap_set(&l->environment, entry->key, entry->value);
}

static int add_named_env_files(struct loader *l, char *const *files, struct error *err)
{
	struct strmap variables = STRMAP_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_length(files); i++) {
		const char *path = path_absolute(l->arena, l->options->cwd, files[i]);

		strv_add(&l->project->env_files, path);
		r = read_env_file(l, path, &variables, err);
		if (r == -ENOENT)
			error_set(err, -ENOENT, "Couldn't find env file: %s", path);
	}
	add_missing(l, &variables);
	strmap_release(&variables);
	return r;
}

/* A .env that is not there is no error, and most projects have none: it is not tried first, since a
 * text for what fails would be made for nothing. */
static int add_default_env_file(struct loader *l, const char *directory, struct error *err)
{
	const char *path = path_absolute(l->arena, directory, ".env");
	cleanup_error struct error own = ERROR_INIT;
	struct strmap variables = STRMAP_INIT;
	int r;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = read_env_file(l, path, &variables, &own);
	if (r == 0)
		add_missing(l, &variables);
	strmap_release(&variables);
	/* A folder of that name is common (a Python environment) and not meant for us. */
	if (r < 0 && r != -ENOENT && r != -EISDIR && r != -EINVAL && r != -ENOTDIR)
		return error_move(err, &own);
	return 0;
}

static int add_env_files(struct loader *l, struct error *err)
{
	cleanup_strv char **from_env = NULL;
	char *const *files = l->options->env_files;
	const char *list = loader_getenv(l, "COMPOSE_ENV_FILES");

	if (strv_length(files) == 0 && list && *list) {
		from_env = strv_split(list, ",");
		files = from_env;
	}
	if (strv_length(files) > 0)
		return add_named_env_files(l, files, err);
	if (is_true(loader_getenv(l, "COMPOSE_DISABLE_ENV_FILE")))
		return 0;
	return add_default_env_file(l, l->options->cwd, err);
}

static bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* Shown to the user, so short where it can be: a file in the current folder goes by its name. */
static char *shown_path(struct loader *l, const char *directory, const char *name)
{
	if (strcmp(directory, l->options->cwd) == 0)
		return arena_strdup(l->arena, name);
	return path_absolute(l->arena, directory, name);
}

static bool search_folder(struct loader *l, const char *directory)
{
	cleanup_strv char **found = NULL;

	for (size_t i = 0; file_names[i]; i++) {
		const char *path = path_absolute(l->arena, directory, file_names[i]);

		if (file_exists(path))
			strv_add(&found, shown_path(l, directory, file_names[i]));
	}
	if (strv_length(found) == 0)
		return false;
	if (strv_length(found) > 1) {
		cleanup_free char *list = strv_join(found, ", ");

		loader_warn(l, "Found multiple config files with supported names: %s", list);
		loader_warn(l, "Using %s", found[0]);
	}
	strv_add(&l->files, found[0]);
	for (size_t i = 0; override_names[i]; i++)
		if (file_exists(path_absolute(l->arena, directory, override_names[i]))) {
			strv_add(&l->files, shown_path(l, directory, override_names[i]));
			break;
		}
	return true;
}

static int search_upwards(struct loader *l, struct error *err)
{
	const char *directory =
		l->options->project_directory
			? path_absolute(l->arena, l->options->cwd, l->options->project_directory)
			: l->options->cwd;

	for (;;) {
		if (search_folder(l, directory))
			return 0;
		if (strcmp(directory, "/") == 0)
			return error_set(err, -ENOENT, "no configuration file provided: not found");
		directory = path_directory(l->arena, directory);
	}
}

static int find_files(struct loader *l, struct error *err)
{
	const char *list = loader_getenv(l, "COMPOSE_FILE");
	const char *separator = loader_getenv(l, "COMPOSE_PATH_SEPARATOR");

	if (strv_length(l->options->files) > 0)
		l->files = strv_copy(l->options->files);
	else if (list && *list)
		l->files = strv_split(list, separator && *separator ? separator : ":");
	if (strv_length(l->files) == 0)
		return search_upwards(l, err);
	return 0;
}

static const char *project_folder(struct loader *l)
{
	if (l->options->project_directory)
		return path_absolute(l->arena, l->options->cwd, l->options->project_directory);
	if (strcmp(l->files[0], "-") == 0)
		return l->options->cwd;
	return path_directory(l->arena, path_absolute(l->arena, l->options->cwd, l->files[0]));
}

char *project_name_normalise(struct arena *arena, const char *text)
{
	char *name = arena_strdup(arena, text);
	size_t used = 0;

	for (const char *s = text; *s; s++) {
		char c = ascii_to_lower(*s);

		if (!ascii_is_alnum(c) && c != '_' && c != '-')
			continue;
		if (used == 0 && (c == '_' || c == '-'))
			continue;
		name[used++] = c;
	}
	name[used] = '\0';
	return name;
}

static int find_name(struct loader *l, struct error *err)
{
	const char *name = l->options->project_name;

	if (!name || !*name)
		name = loader_getenv(l, "COMPOSE_PROJECT_NAME");
	if (!name || !*name)
		return 0;
	if (strcmp(project_name_normalise(l->arena, name), name) != 0)
		return error_set(err, -EINVAL,
			"invalid project name \"%s\": must consist only of lowercase alphanumeric "
			"characters, hyphens, and underscores as well as start with a letter or "
			"number",
			name);
	l->project_name = arena_strdup(l->arena, name);
	return 0;
}

static void find_profiles(struct loader *l)
{
	const char *list = loader_getenv(l, "COMPOSE_PROFILES");
	cleanup_strv char **from_env = NULL;

	if (strv_length(l->options->profiles) > 0) {
		l->project->profiles = strv_copy(l->options->profiles);
		return;
	}
	from_env = list ? strv_split(list, ", ") : NULL;
	strv_extend(&l->project->profiles, from_env);
}

int loader_prepare(struct loader *l, struct error *err)
{
	int r;

	add_process_environment(l);
	r = add_env_files(l, err);
	if (r == 0)
		r = find_files(l, err);
	if (r < 0)
		return r;
	l->project->working_dir = project_folder(l);
	if (strv_length(l->project->env_files) == 0 &&
		!is_true(loader_getenv(l, "COMPOSE_DISABLE_ENV_FILE")) &&
		strcmp(l->project->working_dir, l->options->cwd) != 0)
		r = add_default_env_file(l, l->project->working_dir, err);
	for (size_t i = 0; i < strv_length(l->files); i++)
		strv_add(&l->project->config_files,
			strcmp(l->files[i], "-") == 0
				? "-"
				: path_absolute(l->arena, l->options->cwd, l->files[i]));
	if (r == 0)
		r = find_name(l, err);
	find_profiles(l);
	return r;
}

int compose_environment(
	const struct compose_options *options, char ***ret_environment, struct error *err)
{
	struct loader l;
	int r;

	loader_open(&l, options);
	add_process_environment(&l);
	r = add_env_files(&l, err);
	if (r == 0)
		r = problems_to_error(l.problems, err);
	if (r == 0) {
		char **environment = NULL;

		strmap_for_each (entry, &l.environment)
			strv_take(
				&environment, xasprintf("%s=%s", entry->key, (char *)entry->value));
		*ret_environment = environment;
	}
	loader_close(&l);
	return r;
}
