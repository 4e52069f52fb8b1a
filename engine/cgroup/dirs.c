/* SPDX-License-Identifier: GPL-2.0-or-later
 * dirs.c - one group's directory: its files, how it is made and removed, who is in it. */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

#define FILE_LIMIT (64u << 20) /* cgroup.procs of a fork bomb without pids limit is the longest */

/* Another process may take PARENT away between our two mkdirs; each round needs another such hit.
 */
#define MAKE_ATTEMPTS 1000

static char *file_path(const struct group *group, const char *file)
{
	if (!*group->path)
		return xstrdup(file ? file : ".");
	return file ? xasprintf("%s/%s", group->path, file) : xstrdup(group->path);
}

int group_open(const struct group *group, const char *file, int flags, struct error *err)
{
	cleanup_free char *path = file_path(group, file);

	return file_open(group->hierarchy->root_fd, path, flags, 0, err);
}

int group_write(const struct group *group, const char *file, const char *value, struct error *err)
{
	cleanup_free char *path = file_path(group, file);

	return file_write_value(group->hierarchy->root_fd, path, value, err);
}

int group_writef(
	const struct group *group, struct error *err, const char *file, const char *fmt, ...)
{
	cleanup_free char *value = NULL;
	va_list ap;

	va_start(ap, fmt);
	value = xvasprintf(fmt, ap);
	va_end(ap);
	return group_write(group, file, value, err);
}

bool group_has(const struct group *group, const char *file)
{
	cleanup_free char *path = file_path(group, file);

	return faccessat(group->hierarchy->root_fd, path, F_OK, 0) == 0;
}

int group_read(const struct group *group, const char *file, char **ret, struct error *err)
{
	cleanup_free char *path = file_path(group, file);
	size_t length;

	return file_read(group->hierarchy->root_fd, path, FILE_LIMIT, ret, &length, err);
}

int group_read_u64(const struct group *group, const char *file, uint64_t *ret, struct error *err)
{
	cleanup_free char *text = NULL;
	int r = group_read(group, file, &text, err);

	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "max") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	r = parse_u64(text, 0, UINT64_MAX, ret);
	if (r < 0)
		return error_set(
			err, r, "read %s/%s: '%s' is not a number", group->path, file, text);
	return 0;
}

int group_read_key(const struct group *group, const char *file, const char *key, uint64_t *ret,
	struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **lines = NULL;
	size_t length = strlen(key);
	int r = group_read(group, file, &text, err);

	if (r < 0)
		return r;
	lines = strv_split(text, "\n");
	for (size_t i = 0; i < strv_length(lines); i++) {
		if (strncmp(lines[i], key, length) != 0 || lines[i][length] != ' ')
			continue;
		r = parse_u64(lines[i] + length + 1, 0, UINT64_MAX, ret);
		if (r < 0)
			return error_set(err, r, "read %s/%s: '%s' is not a number", group->path,
				file, lines[i]);
		return 0;
	}
	*ret = 0;
	return 0;
}

/* Make all that lies above the group, from the root on, and fit it for children. -ENOENT and
 * -ENODEV: somebody removed one of them meanwhile. */
static int make_ancestors(const struct group *group, struct error *err)
{
	cleanup_free char *path = xstrdup("");
	const char *rest = group->path;
	const struct hierarchy *hierarchy = group->hierarchy;
	const char *slash;

	for (;;) {
		struct group level = { group->dirs, hierarchy, path };
		int r = 0;

		if (*path)
			r = group->dirs->make(hierarchy->root_fd, path);
		if (r < 0 && r != -EEXIST)
			return error_sys(err, r, "make cgroup %s/%s", hierarchy->mount_point, path);
		r = hierarchy->driver->prepare_parent(&level, err);
		if (r < 0)
			return r;
		slash = strchr(rest, '/');
		if (!slash)
			return 0;
		free(path);
		path = xstrndup(group->path, (size_t)(slash - group->path));
		rest = slash + 1;
	}
}

/* A leftover without processes goes, so that the new group starts with the kernel's defaults. */
static int take_over(const struct group *group, struct error *err)
{
	cleanup_free pid_t *pids = NULL;
	size_t count = 0;
	int r = group_pids(group, &pids, &count, err);

	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r == 0 && count > 0)
		return error_set(err, -EEXIST, "cgroup %s is in use", group->path);
	if (r == 0)
		r = group_remove(group, 0, err);
	return r == -EBUSY ? error_set(err, -EEXIST, "cgroup %s is in use", group->path) : r;
}

static int prepare_new(const struct group *group, struct error *err)
{
	int r = group->hierarchy->driver->prepare_group(group, err);

	if (r < 0)
		group->dirs->remove(group->hierarchy->root_fd, group->path);
	return r;
}

int group_make(const struct group *group, struct error *err)
{
	int r = 0;

	for (int attempt = 0; attempt < MAKE_ATTEMPTS; attempt++) {
		r = make_ancestors(group, err);
		if (r == -ENOENT || r == -ENODEV)
			continue;
		if (r < 0)
			return r;
		r = group->dirs->make(group->hierarchy->root_fd, group->path);
		if (r == 0)
			return prepare_new(group, err);
		error_sys(err, r, "make cgroup %s/%s", group->hierarchy->mount_point, group->path);
		if (r == -ENOENT)
			continue;
		if (r != -EEXIST)
			return r;
		r = take_over(group, err);
		if (r < 0)
			return r;
		r = error_set(err, -EEXIST, "cgroup %s comes back again and again", group->path);
	}
	return r;
}

static int list_children(const struct group *group, char ***ret, struct error *err)
{
	cleanup_strv char **names = NULL;
	char **children = NULL;
	cleanup_free char *path = file_path(group, NULL);
	int r = dir_list(group->hierarchy->root_fd, path, &names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < strv_length(names); i++) {
		cleanup_free char *child = file_path(group, names[i]);
		struct stat st;

		if (fstatat(group->hierarchy->root_fd, child, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode))
			strv_take(&children, steal_ptr(child));
	}
	*ret = children;
	return 0;
}

/* A privileged container may have made groups of its own, nested as deep as it liked: the list of
 * what is still to be seen lives on the heap. */
static int collect(const struct group *group, char ***ret_paths, struct error *err)
{
	cleanup_strv char **paths = NULL;

	strv_add(&paths, group->path);
	for (size_t i = 0; i < strv_length(paths); i++) {
		struct group one = { group->dirs, group->hierarchy, paths[i] };
		cleanup_strv char **children = NULL;
		int r = list_children(&one, &children, err);

		if (r < 0)
			return r;
		strv_extend(&paths, children);
	}
	*ret_paths = steal_ptr(paths);
	return 0;
}

int group_walk(const struct group *group,
	int (*visit)(const struct group *group, void *data, struct error *err), void *data,
	struct error *err)
{
	cleanup_strv char **paths = NULL;
	int r = collect(group, &paths, err);

	for (size_t i = 0; r == 0 && i < strv_length(paths); i++) {
		struct group one = { group->dirs, group->hierarchy, paths[i] };

		r = visit(&one, data, err);
		if (i > 0 && (r == -ENOENT || r == -ENODEV))
			r = 0; /* a child may go while we look */
	}
	return r;
}

/* The kernel lets go of the last process a little after it was reaped: EBUSY then passes. */
static int remove_one(const struct group *group, int64_t deadline)
{
	struct timespec pause = { 0, 200 * 1000 };
	int r;

	for (;;) {
		r = group->dirs->remove(group->hierarchy->root_fd, group->path);
		if (r == -ENOENT || r == -ENODEV)
			return 0;
		if (r != -EBUSY || time_monotonic() >= deadline)
			return r;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20 * 1000 * 1000)
			pause.tv_nsec *= 2;
	}
}

int group_remove(const struct group *group, int64_t deadline, struct error *err)
{
	cleanup_strv char **paths = NULL;
	int r;

	/* Nearly always there are no children, and rmdir says so faster than a walk. */
	r = group->dirs->remove(group->hierarchy->root_fd, group->path);
	if (r == 0 || r == -ENOENT)
		return 0;
	r = collect(group, &paths, err);
	for (size_t i = strv_length(paths); r == 0 && i > 0; i--) {
		struct group one = { group->dirs, group->hierarchy, paths[i - 1] };

		r = remove_one(&one, deadline);
		if (r < 0)
			return error_sys(err, r, "remove cgroup %s/%s",
				group->hierarchy->mount_point, one.path);
	}
	return r;
}

struct pid_list {
	pid_t **pids;
	size_t *count;
};

static int add_pids(const struct group *group, void *data, struct error *err)
{
	struct pid_list *list = data;
	cleanup_free char *text = NULL;
	cleanup_strv char **lines = NULL;
	int r = group_read(group, "cgroup.procs", &text, err);

	if (r == -EOPNOTSUPP)
		return 0; /* a threaded child: its processes are listed at its domain */
	if (r < 0)
		return r;
	lines = strv_split(text, "\n");
	for (size_t i = 0; i < strv_length(lines); i++) {
		int64_t pid;

		/* 0 stands for a process outside our pid namespace: counted, not to be signalled.
		 */
		if (parse_i64(lines[i], 0, INT_MAX, &pid) == 0)
			*array_add(*list->pids, *list->count) = (pid_t)pid;
	}
	return 0;
}

int group_pids(const struct group *group, pid_t **pids, size_t *count, struct error *err)
{
	struct pid_list list = { pids, count };

	return group_walk(group, add_pids, &list, err);
}
