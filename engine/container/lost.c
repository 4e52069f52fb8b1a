/* SPDX-License-Identifier: GPL-2.0-or-later
 * lost.c - find containers without a record, write it again, or remove the rest. */
#include "engine/container/lost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/remove.h"

static bool has_record(const struct engine *engine, const char *id)
{
	char path[ID_LENGTH + sizeof("containers//config.json")];

	snprintf(path, sizeof(path), "containers/%s/config.json", id);
	return faccessat(engine->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int container_lost(const struct engine *engine, char ***ret_ids, struct error *err)
{
	cleanup_strv char **ids = NULL;
	char **lost = NULL;
	int r = container_ids(engine, &ids, err);

	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++)
		if (!has_record(engine, *id))
			strv_add(&lost, *id);
	*ret_ids = lost;
	return 0;
}

/* What it was called last: a supervisor does not hear of a rename. Heap, NULL = no name. */
static char *find_name(const struct engine *engine, const char *id)
{
	cleanup_strv char **names = NULL;
	char found[ID_LENGTH + 1];

	if (dir_list(engine->data_fd, "containers/names", &names, NULL) < 0)
		return NULL;
	for (char **name = names; name && *name; name++)
		if (name_lookup(engine, *name, found) == 0 && !strcmp(found, id))
			return xstrdup(*name);
	return NULL;
}

int container_restore(
	const struct engine *engine, const struct container *container, struct error *err)
{
	cleanup_free char *directory = xasprintf("containers/%s", container->id);
	cleanup_free char *name = NULL;
	cleanup_fd int lock_fd = -1, dir_fd = -1;
	struct container copy = *container;

	if (has_record(engine, container->id))
		return 0;
	lock_fd = records_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	dir_fd = openat(engine->data_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || has_record(engine, container->id))
		return 0;
	name = find_name(engine, container->id);
	if (name)
		copy.name = name;
	return fields_write_file(&container_field_type, CONTAINER_VERSION, &copy, dir_fd,
		"config.json", FILE_DURABLE, err);
}

static int find(const struct engine *engine, const char *text, char id[static ID_LENGTH + 1],
	struct error *err)
{
	cleanup_strv char **ids = NULL;
	size_t found = 0;
	int r = container_lost(engine, &ids, err);

	for (char **candidate = ids; candidate && *candidate; candidate++) {
		if (strlen(text) < ID_SHORT_LENGTH || strncmp(*candidate, text, strlen(text)) != 0)
			continue;
		memcpy(id, *candidate, ID_LENGTH + 1);
		found++;
	}
	if (r < 0 || found == 1)
		return r;
	return found ? error_set(
			       err, -ENOTUNIQ, "multiple IDs found with provided prefix: %s", text)
		     : error_set(err, -ENOENT, "No such container: %s", text);
}

int container_remove_lost(const struct engine *engine, const char *text, struct error *err)
{
	cleanup_free char *leftover = NULL;
	cleanup_fd int lock_fd = -1, containers_fd = -1;
	char id[ID_LENGTH + 1];
	int r = lock_fd = records_lock(engine, err);

	if (r >= 0)
		r = find(engine, text, id, err);
	if (r == 0)
		r = containers_fd = containers_open(engine, err);
	if (r < 0)
		return r;
	leftover = xasprintf(REMOVING_PREFIX "%s", id);
	if (renameat(containers_fd, id, containers_fd, leftover) < 0)
		return error_sys(err, -errno, "remove container directory");
	close_fd(&lock_fd);
	/* The name that led to it leads nowhere now, and is taken over or swept. */
	return remove_finish(engine, leftover, id, err);
}
