/* SPDX-License-Identifier: GPL-2.0-or-later
 * groups.c - sweep what killed supervisors have left in the run root; have records restored. */
#include "engine/supervisor/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/container.h"
#include "engine/container/lost.h"
#include "engine/supervisor/server.h"

#define RESTORE_TIMEOUT (2 * NS_PER_SEC)
#define RESTORE_LOOK	(5 * NS_PER_MS)

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

/* Returns how many were asked. */
static size_t ask_supervisors(const struct engine *engine)
{
	cleanup_strv char **groups = NULL;
	size_t asked = 0;

	if (dir_list(engine->run_fd, "groups", &groups, NULL) < 0)
		return 0;
	for (char **group = groups; group && *group; group++) {
		cleanup_free char *path = xasprintf("groups/%s", *group);
		cleanup_fd int group_fd = file_open(
			engine->run_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, NULL);
		cleanup_fd int pidfd = -1;

		if (group_fd >= 0)
			pidfd = lock_holder(group_fd, SUPERVISOR_LOCK_NAME, NULL);
		if (pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, SUPERVISOR_RENEW_SIGNAL,
					  NULL, 0) == 0)
			asked++;
	}
	return asked;
}

int groups_restore_records(const struct engine *engine, struct error *err)
{
	const struct timespec nap = { .tv_nsec = RESTORE_LOOK };
	int64_t deadline_ns = time_monotonic() + RESTORE_TIMEOUT;
	cleanup_strv char **lost = NULL;
	int r = container_lost(engine, &lost, err);

	if (r < 0 || !lost || ask_supervisors(engine) == 0)
		deadline_ns = 0;
	while (r == 0 && lost && time_monotonic() < deadline_ns) {
		nanosleep(&nap, NULL);
		strv_free(steal_ptr(lost));
		r = container_lost(engine, &lost, err);
	}
	for (char **id = lost; r == 0 && id && *id; id++)
		log_warning("container %.*s has lost its record, '%s/containers/%s/config.json', "
			    "and no supervisor remembers it: nobody knows whose it is. "
			    "`mycompose container rm -f %.*s` removes it with its files",
			ID_SHORT_LENGTH, *id, engine->data_path, *id, ID_SHORT_LENGTH, *id);
	return r;
}
