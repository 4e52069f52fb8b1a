/* SPDX-License-Identifier: GPL-2.0-or-later
 * remove.c - take a container away, in an order that a kill at any instant leaves either whole or
 * to be finished.
 *
 * The rename of its directory to a leftover's name is the decision: before it the container is
 * there, after it it is gone for every reader, and the leftover's record and name say what remains
 * to be done. Everything after is safe to repeat, and the directory itself goes last. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/cgroup_end.h"
#include "engine/container/event_log.h"
#include "engine/container/grant.h"
#include "engine/container/id_mapping.h"
#include "engine/container/remove.h"

/* Without a hierarchy that can be opened there is none with anything of ours in it. */
static struct cgroup_host *open_host(void)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_host *host = NULL;

	if (cgroup_host_open(&host, &err) < 0)
		log_debug("cgroups are not looked at: %s", error_text(&err));
	return host;
}

static bool has_processes(const struct engine *engine, const struct container *container)
{
	const char *parent = container_cgroup_parent(engine, container);
	struct cgroup_host *host = open_host();
	struct cgroup *cgroup = NULL;
	pid_t *pids = NULL;
	size_t count = 0;

	if (host && cgroup_open(host, parent, container->id, &cgroup, NULL) == 0) {
		cgroup_pids(cgroup, &pids, &count, NULL);
		cgroup_free(cgroup);
	}
	cgroup_host_free(host);
	free(pids);
	return count > 0;
}

/* A state that cannot be read must not make a container immortal: then its cgroup tells. */
static int check_stopped(
	const struct engine *engine, const struct container *container, struct error *err)
{
	struct container_state state = { 0 };
	int r = container_load_state(engine, container->id, &state, NULL);
	bool busy = r < 0 && r != -ENOENT
			    ? has_processes(engine, container)
			    : state.status == CONTAINER_RUNNING || state.status == CONTAINER_PAUSED;

	if (r == 0)
		container_state_release(&state);
	if (!busy)
		return 0;
	return error_set(err, -EBUSY,
		"You cannot remove a running container %s. Stop the container before attempting "
		"removal or force remove",
		container->id);
}

/* Something may run in it all the same: a supervisor was killed between starting it and writing so
 * down, or somebody started it while it was being removed. Nobody could find that any more. */
static int end_cgroup(
	const struct engine *engine, const char *leftover, const char *id, struct error *err)
{
	cleanup_container struct container *container = NULL;
	const char *parent = engine->cgroup_parent;
	cleanup_free char *found = NULL;
	cleanup_error struct error local = ERROR_INIT;
	struct cgroup_host *host = open_host();
	uint64_t oom_kills;
	int r = 0;

	if (record_load(engine, leftover, &container, NULL) == 0)
		parent = container_cgroup_parent(engine, container);
	else if (host) /* the record may have told of another */
		r = cgroup_find_parent(host, parent, id, &found, &local);
	if (r < 0 && r != -ENOENT)
		r = error_move(err, &local);
	else
		r = host ? cgroup_end(host, found ? found : parent, id, &oom_kills, err) : 0;

	cgroup_host_free(host);
	return r;
}

int remove_finish(
	const struct engine *engine, const char *leftover, const char *id, struct error *err)
{
	cleanup_free char *run_dir = xasprintf("containers/%s", id);
	cleanup_free char *data_dir = xasprintf("containers/%s", leftover);
	int r = endpoint_release_all(engine, id, err);

	if (r == 0)
		r = end_cgroup(engine, leftover, id, err);
	if (r == 0)
		r = tree_remove(engine->run_fd, run_dir, err);
	if (r == 0)
		r = grants_remove(engine, id, err);
	if (r == 0)
		r = tree_remove(engine->data_fd, data_dir, err);
	return r;
}

/* Under the lock. */
static int decide(const struct engine *engine, const struct container *container,
	const char *leftover, bool remove_anonymous, struct volume_users *users, struct error *err)
{
	cleanup_fd int containers_fd = containers_open(engine, err);

	if (containers_fd < 0)
		return containers_fd;
	if (renameat(containers_fd, container->id, containers_fd, leftover) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove container directory");
	if (spec_is_mapped(&container->spec))
		ids_drop(engine, container->id);
	int r = name_drop(engine, container->name, container->id, err);

	if (r == 0 && remove_anonymous)
		r = volumes_drop_anonymous(engine, container, users, err);
	return r;
}

int container_remove(const struct engine *engine, const struct container *container,
	bool remove_anonymous, struct volume_users *users, struct error *err)
{
	cleanup_free char *leftover = xasprintf("%s%s",
		remove_anonymous ? REMOVING_VOLUMES_PREFIX : REMOVING_PREFIX, container->id);
	cleanup_fd int lock_fd = -1;
	int r = check_stopped(engine, container, err);

	if (r < 0)
		return r;
	lock_fd = records_lock(engine, err);
	if (lock_fd < 0)
		return lock_fd;
	r = decide(engine, container, leftover, remove_anonymous, users, err);
	close_fd(&lock_fd);
	/* Deleting may take long: nobody else has to wait for it. */
	if (r == 0)
		r = remove_finish(engine, leftover, container->id, err);
	if (r == 0)
		event_log_add(engine, container, "destroy", NULL);
	if (r == 0 && remove_anonymous)
		r = volumes_purge(engine, err);
	if (r < 0)
		error_wrap(err, "container '%s'", container->name);
	return r;
}
