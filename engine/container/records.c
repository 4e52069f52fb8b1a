/* SPDX-License-Identifier: GPL-2.0-or-later
 * records.c - find, load and list containers' records. */
#include "engine/container/records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

int records_lock(const struct engine *engine, struct error *err)
{
	return lock_take(engine->run_fd, "containers.lock", -1, NULL, err);
}

int containers_open(const struct engine *engine, struct error *err)
{
	return dir_make_open(engine->data_fd, "containers", 0700, err);
}

int names_open(const struct engine *engine, struct error *err)
{
	return dir_make_open(engine->data_fd, "containers/names", 0700, err);
}

int container_ids(const struct engine *engine, char ***ret_ids, struct error *err)
{
	cleanup_strv char **names = NULL;
	size_t kept = 0;
	int r = dir_list(engine->data_fd, "containers", &names, err);

	if (r < 0)
		return r;
	for (char **name = names; name && *name; name++) {
		if (container_id_is_valid(*name))
			names[kept++] = *name;
		else
			free(*name);
	}
	if (names)
		names[kept] = NULL;
	*ret_ids = steal_ptr(names);
	return 0;
}

int record_load(const struct engine *engine, const char *directory, struct container **ret,
	struct error *err)
{
	cleanup_free char *name = xasprintf("containers/%s/config.json", directory);
	cleanup_free char *path = xasprintf("%s/%s", engine->data_path, name);
	cleanup_container struct container *container = xcalloc(1, sizeof(*container));
	int r = fields_read_file(&container_field_type, CONTAINER_VERSION, container,
		engine->data_fd, name, path, err);

	if (r < 0)
		return r;
	r = container_check(container, err);
	if (r < 0) {
		error_wrap(err, "%s", path);
		return r;
	}
	*ret = steal_ptr(container);
	return 0;
}

int container_load(
	const struct engine *engine, const char *id, struct container **ret, struct error *err)
{
	cleanup_container struct container *container = NULL;
	int r;

	if (!container_id_is_valid(id))
		return error_set(err, -ENOENT, "No such container: %s", id);
	r = record_load(engine, id, &container, err);
	if (r == -ENOENT)
		return error_set(err, -ENOENT, "No such container: %s", id);
	if (r < 0)
		return r;
	if (strcmp(container->id, id) != 0)
		return error_set(err, -EBADMSG,
			"%s/containers/%s/config.json: 'id': is another container's, %s",
			engine->data_path, id, container->id);
	*ret = steal_ptr(container);
	return 0;
}

static int find_by_prefix(const struct engine *engine, const char *text,
	char id[static ID_LENGTH + 1], struct error *err)
{
	cleanup_strv char **ids = NULL;
	const char *found = NULL;
	int r = container_ids(engine, &ids, err);

	if (r < 0)
		return r;
	for (char **candidate = ids; candidate && *candidate && *text; candidate++) {
		if (strncmp(*candidate, text, strlen(text)) != 0)
			continue;
		if (found)
			return error_set(err, -ENOTUNIQ,
				"multiple IDs found with provided prefix: %s", text);
		found = *candidate;
	}
	if (!found)
		return error_set(err, -ENOENT, "No such container: %s", text);
	memcpy(id, found, ID_LENGTH + 1);
	return 0;
}

/* A name wins over an id prefix, a whole id over both. A link may be ahead of or behind the record
 * while a rename is under way (or was killed), so the record has the last word. */
int container_find(
	const struct engine *engine, const char *text, struct container **ret, struct error *err)
{
	cleanup_container struct container *container = NULL;
	char id[ID_LENGTH + 1];
	int r;

	if (container_id_is_valid(text)) {
		r = container_load(engine, text, ret, err);
		if (r != -ENOENT)
			return r;
	}
	if (name_lookup(engine, text, id) == 0) {
		r = container_load(engine, id, &container, err);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && strcmp(container->name, text) == 0) {
			*ret = steal_ptr(container);
			return 0;
		}
	}
	r = find_by_prefix(engine, text, id, err);
	return r < 0 ? r : container_load(engine, id, ret, err);
}

static int compare_creation(const void *a, const void *b)
{
	const struct container *left = *(struct container *const *)a;
	const struct container *right = *(struct container *const *)b;

	if (left->created_ns != right->created_ns)
		return left->created_ns < right->created_ns ? -1 : 1;
	return strcmp(left->id, right->id);
}

int container_list(const struct engine *engine, const char *group, struct container ***ret,
	size_t *ret_count, struct error *err)
{
	cleanup_strv char **ids = NULL;
	struct container **list = NULL;
	size_t count = 0;
	int r = container_ids(engine, &ids, err);

	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++) {
		cleanup_error struct error problem = ERROR_INIT;
		cleanup_container struct container *container = NULL;

		r = container_load(engine, *id, &container, &problem);
		if (r < 0 && r != -ENOENT) /* absent: removed since the directory was read */
			log_warning("container %.*s is left out: %s", ID_SHORT_LENGTH, *id,
				error_text(&problem));
		if (r < 0 || (group && strcmp(group, container->group) != 0))
			continue;
		*array_add(list, count) = steal_ptr(container);
	}
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_creation);
	*ret = list;
	*ret_count = count;
	return 0;
}

void container_list_free(struct container **containers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		container_free(containers[i]);
	free(containers);
}
