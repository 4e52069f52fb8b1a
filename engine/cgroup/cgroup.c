/* SPDX-License-Identifier: GPL-2.0-or-later
 * cgroup.c - a container's cgroup: the same directory in every hierarchy, from making to removal.
 */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/times.h"
#include "engine/cgroup/internal.h"

#define REMOVE_TIMEOUT (5 * NS_PER_SEC)
#define FREEZE_TIMEOUT (10 * NS_PER_SEC)

static bool component_is_safe(const char *s, size_t length)
{
	return length > 0 && length < NAME_MAX && !(length == 1 && s[0] == '.') &&
	       !(length == 2 && s[0] == '.' && s[1] == '.');
}

static bool parent_is_safe(const char *parent)
{
	for (;;) {
		size_t length = strcspn(parent, "/");

		if (!component_is_safe(parent, length))
			return false;
		if (!parent[length])
			return true;
		parent += length + 1;
	}
}

int group_path(const char *parent, const char *name, char **ret, struct error *err)
{
	if (!parent_is_safe(parent))
		return error_set(err, -EINVAL, "cgroup parent '%s' is not a relative path", parent);
	if (!name_is_safe(name))
		return error_set(err, -EINVAL, "cgroup name '%s' is not a plain name", name);
	*ret = xasprintf("%s/%s", parent, name);
	return 0;
}

char *group_parent_path(const struct group *group)
{
	const char *slash = strrchr(group->path, '/');

	return slash ? xstrndup(group->path, (size_t)(slash - group->path)) : xstrdup("");
}

static struct group group_of(const struct cgroup *cgroup, size_t index)
{
	return host_group(cgroup->host, &cgroup->host->hierarchies[index], cgroup->path);
}

/* The group that serves `kind`, with its row; false when there is none. */
static bool group_for(const struct cgroup *cgroup, enum controller_kind kind, struct group *ret,
	const struct controller **ret_controller)
{
	const struct hierarchy *hierarchy = host_find(cgroup->host, kind, ret_controller);

	if (!hierarchy || !cgroup->present[hierarchy - cgroup->host->hierarchies])
		return false;
	*ret = host_group(cgroup->host, hierarchy, cgroup->path);
	return true;
}

static const char *const kind_names[CONTROLLER_KINDS] = {
	[CONTROLLER_CPU] = "cpu",
	[CONTROLLER_CPUACCT] = "cpuacct",
	[CONTROLLER_CPUSET] = "cpuset",
	[CONTROLLER_MEMORY] = "memory",
	[CONTROLLER_PIDS] = "pids",
	[CONTROLLER_IO] = "io (blkio)",
	[CONTROLLER_DEVICES] = "devices",
	[CONTROLLER_FREEZER] = "freezer",
	[CONTROLLER_HUGEPAGES] = "hugetlb",
};

int missing_controller(const struct cgroup_host *host, enum controller_kind kind, const char *limit,
	struct error *err)
{
	bool off =
		strv_contains(host->disabled, kind == CONTROLLER_IO ? "blkio" : kind_names[kind]);

	return error_set(err, -ENOTSUP, "%s needs the cgroup controller '%s', which %s", limit,
		kind_names[kind],
		off ? "is switched off on this kernel's command line"
		    : "is not mounted on this host");
}

static int without_controller(const struct cgroup *cgroup, enum controller_kind kind,
	const struct cgroup_resources *resources, struct error *err)
{
	const char *limit = resources_limit_of(resources, kind);

	if (!limit || !resources_are_vital(resources, kind))
		return 0;
	return missing_controller(cgroup->host, kind, limit, err);
}

static int apply_kind(const struct cgroup *cgroup, enum controller_kind kind,
	const struct cgroup_resources *resources, bool fresh, struct error *err)
{
	const char *limit = resources_limit_of(resources, kind);
	const struct controller *controller;
	struct group group;
	int r;

	if (!group_for(cgroup, kind, &group, &controller))
		return without_controller(cgroup, kind, resources, err);
	if (!controller->apply || (!limit && kind != CONTROLLER_DEVICES))
		return 0;
	r = group.hierarchy->driver->require(&group, controller->name, err);
	if (r < 0) {
		error_wrap(err, "%s needs the cgroup controller '%s'", limit, kind_names[kind]);
		return r;
	}
	r = controller->apply(&group, resources, fresh, err);
	if (r < 0)
		error_wrap(err, "set %s", limit ? limit : "device rules");
	return r;
}

static int apply_all(const struct cgroup *cgroup, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	int r = 0;

	for (int kind = 0; r == 0 && kind < CONTROLLER_KINDS; kind++)
		r = apply_kind(cgroup, (enum controller_kind)kind, resources, fresh, err);
	return r;
}

static struct cgroup *cgroup_new(const struct cgroup_host *host, char *path)
{
	struct cgroup *cgroup = xcalloc(1, sizeof(*cgroup));

	cgroup->host = host;
	cgroup->path = path;
	cgroup->present = xcalloc(host->hierarchy_count, sizeof(*cgroup->present));
	cgroup->clone_fd = -1;
	return cgroup;
}

void cgroup_free(struct cgroup *cgroup)
{
	if (!cgroup)
		return;
	close_fd(&cgroup->clone_fd);
	free(cgroup->path);
	free(cgroup->present);
	free(cgroup);
}

/* Where v2 is all there is, a child can be born into its cgroup. */
static int open_clone_fd(struct cgroup *cgroup, struct error *err)
{
	struct group group = group_of(cgroup, 0);
	int fd;

	if (!cgroup_host_is_v2(cgroup->host))
		return 0;
	fd = group_open(&group, NULL, O_RDONLY | O_DIRECTORY, err);
	if (fd < 0)
		return fd;
	cgroup->clone_fd = fd;
	return 0;
}

static void remove_parent(const struct cgroup_host *host, const struct hierarchy *hierarchy,
	const struct group *group)
{
	cleanup_free char *parent = group_parent_path(group);

	/* Refused as long as others are in it, which is what we want. */
	host->dirs->remove(hierarchy->root_fd, parent);
}

/* Only what we made: on -EEXIST the rest belongs to somebody who lives. */
static void unmake(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->host->hierarchy_count; i++) {
		struct group group = group_of(cgroup, i);

		if (cgroup->present[i])
			group_remove(&group, time_monotonic() + REMOVE_TIMEOUT, NULL);
		remove_parent(cgroup->host, group.hierarchy, &group);
	}
}

static int make_all(struct cgroup *cgroup, struct error *err)
{
	for (size_t i = 0; i < cgroup->host->hierarchy_count; i++) {
		struct group group = group_of(cgroup, i);
		int r = group_make(&group, err);

		if (r < 0)
			return r;
		cgroup->present[i] = true;
	}
	return 0;
}

int cgroup_create(const struct cgroup_host *host, const char *parent, const char *name,
	const struct cgroup_resources *resources, struct cgroup **ret, struct error *err)
{
	struct cgroup *cgroup;
	char *path;
	int r = cgroup_resources_check(resources, err);

	if (r == 0)
		r = group_path(parent, name, &path, err);
	if (r < 0)
		return r;
	cgroup = cgroup_new(host, path);
	r = make_all(cgroup, err);
	if (r == 0)
		r = apply_all(cgroup, resources, true, err);
	if (r == 0)
		r = open_clone_fd(cgroup, err);
	if (r < 0) {
		unmake(cgroup);
		cgroup_free(cgroup);
		return r;
	}
	*ret = cgroup;
	return 0;
}

int cgroup_open(const struct cgroup_host *host, const char *parent, const char *name,
	struct cgroup **ret, struct error *err)
{
	struct cgroup *cgroup;
	bool any = false;
	char *path;
	int r = group_path(parent, name, &path, err);

	if (r < 0)
		return r;
	cgroup = cgroup_new(host, path);
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		struct group group = group_of(cgroup, i);

		cgroup->present[i] = group_has(&group, NULL);
		any = any || cgroup->present[i];
	}
	r = any ? open_clone_fd(cgroup, err)
		: error_set(err, -ENOENT, "there is no cgroup '%s'", path);
	if (r < 0)
		cgroup_free(cgroup);
	else
		*ret = cgroup;
	return r;
}

struct search {
	const char *tail; /* PARENT/NAME */
	char *found;	  /* the path of the group above it */
};

static int look_for_tail(const struct group *group, void *data, struct error *err)
{
	struct search *search = data;
	size_t length = strlen(group->path), tail = strlen(search->tail);
	const char *rest = length >= tail ? group->path + length - tail : NULL;

	(void)err;
	if (!rest || strcmp(rest, search->tail) != 0 || (rest > group->path && rest[-1] != '/'))
		return 0;
	search->found = group_parent_path(group);
	return 1;
}

int cgroup_find_parent(const struct cgroup_host *host, const char *parent, const char *name,
	char **ret, struct error *err)
{
	cleanup_free char *path = NULL;
	struct search search = { 0 };
	int r = group_path(parent, name, &path, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		struct group group = host_group(host, &host->hierarchies[i], path);

		if (group_has(&group, NULL)) {
			*ret = xstrdup(parent);
			return 0;
		}
	}
	search.tail = path;
	for (size_t i = 0; !search.found && i < host->hierarchy_count; i++) {
		struct group root = host_group(host, &host->hierarchies[i], "");

		r = group_walk(&root, look_for_tail, &search, err);
		if (r < 0)
			return r;
	}
	if (!search.found)
		return error_set(err, -ENOENT, "there is no cgroup '%s'", path);
	*ret = search.found;
	return 0;
}

int cgroup_clone_fd(const struct cgroup *cgroup)
{
	return cgroup->clone_fd;
}

int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < cgroup->host->hierarchy_count; i++) {
		struct group group = group_of(cgroup, i);
		int r;

		if (!cgroup->present[i])
			continue;
		r = group_writef(&group, err, "cgroup.procs", "%d", (int)pid);
		if (r < 0) {
			error_wrap(err, "join cgroup in %s", group.hierarchy->mount_point);
			return r;
		}
	}
	return 0;
}

int cgroup_update(
	const struct cgroup *cgroup, const struct cgroup_resources *resources, struct error *err)
{
	int r = cgroup_resources_check(resources, err);

	return r < 0 ? r : apply_all(cgroup, resources, false, err);
}

int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct error *err)
{
	const struct controller *controller;
	struct group group;

	if (!group_for(cgroup, CONTROLLER_FREEZER, &group, &controller))
		return missing_controller(cgroup->host, CONTROLLER_FREEZER, "pause", err);
	return group.hierarchy->driver->freeze(
		&group, frozen, time_monotonic() + FREEZE_TIMEOUT, err);
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct error *err)
{
	const struct hierarchy *tracker = host_tracker(cgroup->host);
	struct group group = host_group(cgroup->host, tracker, cgroup->path);
	pid_t *pids = NULL;
	size_t count = 0, visible = 0;
	int r = group_pids(&group, &pids, &count, err);

	if (r < 0) {
		free(pids);
		return r;
	}
	for (size_t i = 0; i < count; i++) {
		if (pids[i] > 0)
			pids[visible++] = pids[i];
	}
	*ret = pids;
	*ret_count = visible;
	return 0;
}

int cgroup_oom_kills(const struct cgroup *cgroup, uint64_t *ret, struct error *err)
{
	const struct controller *controller;
	struct group group;

	if (!group_for(cgroup, CONTROLLER_MEMORY, &group, &controller)) {
		*ret = 0; /* nobody limits, nobody kills */
		return 0;
	}
	if (group.hierarchy->driver == &cgroup_driver_v2 && !group_has(&group, "memory.events")) {
		*ret = 0; /* the controller was not passed on, so no limit was set */
		return 0;
	}
	return group.hierarchy->driver->oom_kills(&group, ret, err);
}

/* All hierarchies are tried, the first failure is told. */
int cgroup_remove(
	const struct cgroup_host *host, const char *parent, const char *name, struct error *err)
{
	cleanup_free char *path = NULL;
	int64_t deadline = time_monotonic() + REMOVE_TIMEOUT;
	int failed = group_path(parent, name, &path, err);

	for (size_t i = 0; path && i < host->hierarchy_count; i++) {
		struct group group = host_group(host, &host->hierarchies[i], path);
		int r = group_remove(&group, deadline, failed ? NULL : err);

		if (r < 0 && !failed)
			failed = r;
		remove_parent(host, group.hierarchy, &group);
	}
	return failed;
}
