/* SPDX-License-Identifier: GPL-2.0-or-later
 * groups.c - sweep what killed supervisors have left in the run root. */
#include "engine/supervisor/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"
#include "engine/supervisor/server.h"

static bool is_supervised(int groups_fd, const char *group)
{
	cleanup_free char *path = xasprintf("%s/" SUPERVISOR_LOCK_NAME, group);
	cleanup_fd int fd = openat(groups_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Whoever supervises the group from now on either holds the lock, and then this is left alone, or
 * finds that the directory has gone and makes another. */
static int remove_group(int groups_fd, const char *group, struct error *err)
{
	cleanup_fd int group_fd = -1, lock_fd = -1;

	group_fd = openat(groups_fd, group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (group_fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "open 'groups/%s'", group);
	lock_fd = lock_take(group_fd, SUPERVISOR_LOCK_NAME, 0, NULL, err);
	if (lock_fd == -EWOULDBLOCK || lock_fd == -ENOENT) {
		error_release(err);
		return 0;
	}
	if (lock_fd < 0)
		return error_wrap(err, "group '%s'", group);
	/* Only what is ours, and the lock last: the directory may hold others' files. */
	unlinkat(group_fd, CONTROL_SOCKET_NAME, 0);
	unlinkat(group_fd, SUPERVISOR_LOCK_NAME, 0);
	unlinkat(groups_fd, group, AT_REMOVEDIR);
	return 0;
}

/* The groups that have containers, as keys. */
static int populated_groups(const struct engine *engine, struct strmap *ret, struct error *err)
{
	struct container **containers = NULL;
	size_t count = 0;
	int r = container_list(engine, NULL, &containers, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		strmap_set(ret, containers[i]->group, ret);
	container_list_free(containers, count);
	return 0;
}

static int sweep_unsupervised(
	const struct engine *engine, int groups_fd, char *const *groups, struct error *err)
{
	struct strmap populated = STRMAP_INIT;
	int first = populated_groups(engine, &populated, err);

	for (; first == 0 && groups && *groups; groups++)
		if (!strmap_has(&populated, *groups))
			first = remove_group(groups_fd, *groups, err);
	strmap_release(&populated);
	return first;
}

int groups_sweep(const struct engine *engine, struct error *err)
{
	cleanup_strv char **groups = NULL, **unsupervised = NULL;
	cleanup_fd int groups_fd = -1;
	int r = dir_list(engine->run_fd, "groups", &groups, err);

	if (r < 0 || !groups)
		return r;
	groups_fd = file_open(engine->run_fd, "groups", O_RDONLY | O_DIRECTORY, 0, err);
	if (groups_fd < 0)
		return groups_fd;
	for (char **group = groups; *group; group++)
		if (!is_supervised(groups_fd, *group))
			strv_add(&unsupervised, *group);
	/* Reading every record is for the few times when there is something to sweep. */
	return unsupervised ? sweep_unsupervised(engine, groups_fd, unsupervised, err) : 0;
}
