/* SPDX-License-Identifier: GPL-2.0-or-later
 * names.c - the index of container names: <data>/containers/names/NAME is a symlink to the id, for
 * symlinkat(2) is atomic and refuses a second one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/container/records.h"

static int read_link(int dir_fd, const char *name, char id[static ID_LENGTH + 1])
{
	char target[ID_LENGTH + 2];
	ssize_t length = readlinkat(dir_fd, name, target, sizeof(target));

	if (length < 0)
		return -errno;
	if (length != ID_LENGTH)
		return -EBADMSG;
	memcpy(id, target, ID_LENGTH);
	id[ID_LENGTH] = '\0';
	return container_id_is_valid(id) ? 0 : -EBADMSG;
}

int name_lookup(const struct engine *engine, const char *name, char id[static ID_LENGTH + 1])
{
	cleanup_free char *path = NULL;

	if (!name_is_safe(name))
		return -ENOENT;
	path = xasprintf("containers/names/%s", name);
	return read_link(engine->data_fd, path, id);
}

/* Is the link what is left of a creation, rename or removal that was killed? A record that cannot
 * be read keeps its name. */
static bool is_stale(const struct engine *engine, const char *name, const char *id)
{
	cleanup_container struct container *container = NULL;
	int r = container_load(engine, id, &container, NULL);

	return r == -ENOENT || (r == 0 && strcmp(container->name, name) != 0);
}

static int conflict(const char *name, const char *id, struct error *err)
{
	return error_set(err, -EEXIST,
		"Conflict. The container name \"/%s\" is already in use by container \"%s\". You "
		"have to remove (or rename) that container to be able to reuse that name.",
		name, id);
}

int name_claim(const struct engine *engine, const char *name, const char *id, struct error *err)
{
	cleanup_fd int dir_fd = names_open(engine, err);
	char holder[ID_LENGTH + 1];
	int r;

	if (dir_fd < 0)
		return dir_fd;
	if (symlinkat(id, dir_fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return error_sys(err, -errno, "claim the name '%s'", name);
	r = read_link(dir_fd, name, holder);
	if (r == 0 && strcmp(holder, id) == 0)
		return 0;
	if (r == 0 && !is_stale(engine, name, holder))
		return conflict(name, holder, err);
	/* The lock is held, so nobody else replaces it meanwhile. */
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "release the name '%s'", name);
	if (symlinkat(id, dir_fd, name) < 0)
		return error_sys(err, -errno, "claim the name '%s'", name);
	return 0;
}

int name_drop(const struct engine *engine, const char *name, const char *id, struct error *err)
{
	cleanup_fd int dir_fd = names_open(engine, err);
	char holder[ID_LENGTH + 1];

	if (dir_fd < 0)
		return dir_fd;
	if (read_link(dir_fd, name, holder) < 0 || strcmp(holder, id) != 0)
		return 0;
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "release the name '%s'", name);
	return 0;
}
