/* SPDX-License-Identifier: GPL-2.0-or-later
 * device_nodes.c - the host's devices that a container was given: which nodes they are now.
 *
 * As docker does it: a link is followed, a directory stands for every device below it, anything
 * else is a mistake. Looked up in the parent at each start, since numbers are given out anew at
 * every boot and nodes appear with what is plugged in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/paths.h"
#include "engine/container/setup.h"

#define DEPTH_MAX 8
#define NODES_MAX 4096

static bool access_is_valid(const char *access)
{
	size_t length = strlen(access);

	return length > 0 && length <= 3 && strspn(access, "rwm") == length;
}

/* "vendor.com/class=name" names a device of the Container Device Interface. */
static bool is_cdi_name(const char *source)
{
	return source[0] != '/' && strchr(source, '/') && strchr(source, '=');
}

int spec_add_device(struct spec *spec, const char *source, const char *path, const char *access,
	struct error *err)
{
	struct spec_device *device;

	path = path && *path ? path : source;
	access = access && *access ? access : "rwm";
	if (is_cdi_name(source))
		return error_set(err, -EOPNOTSUPP,
			"CDI device injection failed: '%s' names a CDI device, and the engine "
			"reads no "
			"CDI specifications; give the path of a device node",
			source);
	if (source[0] != '/' || path[0] != '/')
		return error_set(err, -EINVAL,
			"'%s' is not an absolute path: devices are given as "
			"/host/path[:/container/path[:rwm]]",
			source[0] != '/' ? source : path);
	if (!access_is_valid(access))
		return error_set(
			err, -EINVAL, "invalid device mode '%s': it is made of r, w and m", access);
	device = array_add(spec->devices, spec->device_count);
	device->source = xstrdup(source);
	device->path = path_clean(path);
	for (const char *letter = "rwm"; *letter; letter++)
		if (strchr(access, *letter))
			device->access[strlen(device->access)] = *letter;
	return 0;
}

struct search {
	const struct spec_device *device;
	struct device_node *nodes;
	size_t count;
};

static void add_node(struct search *search, const char *path, const struct stat *st)
{
	struct device_node *node = array_add(search->nodes, search->count);

	*node = (struct device_node){
		.path = xstrdup(path),
		.mode = st->st_mode,
		.number = st->st_rdev,
		.uid = st->st_uid,
		.gid = st->st_gid,
	};
	memcpy(node->access, search->device->access, sizeof(node->access));
}

/* Terminals and memory of the host's own, which a container gets from its own mounts. */
static bool is_left_out(const char *name)
{
	static const char *const names[] = { ".", "..", "pts", "shm", "fd", "mqueue", ".lxc",
		".lxd-mounts", ".udev", "console" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int walk(struct search *search, int dir_fd, const char *path, int depth, struct error *err);

static int walk_entry(struct search *search, int dir_fd, const char *path, const char *name,
	int depth, struct error *err)
{
	cleanup_free char *below = xasprintf("%s/%s", path, name);
	struct stat st;
	int fd, r;

	/* What went away meanwhile is not there. */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		if (search->count == NODES_MAX)
			return error_set(err, -E2BIG, "more than %d devices", NODES_MAX);
		add_node(search, below, &st);
	}
	if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
		return 0;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, -errno, "open '%s'", name);
	r = walk(search, fd, below, depth + 1, err);
	close(fd);
	return r;
}

static int walk(struct search *search, int dir_fd, const char *path, int depth, struct error *err)
{
	int own_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);
	DIR *dir = own_fd < 0 ? NULL : fdopendir(own_fd);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_sys(err, -errno, "read directory");
	while (r == 0 && (entry = readdir(dir)))
		if (!is_left_out(entry->d_name))
			r = walk_entry(search, dir_fd, path, entry->d_name, depth, err);
	closedir(dir);
	return r;
}

static int find_below(struct search *search, const char *source, struct error *err)
{
	cleanup_fd int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t before = search->count;
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "open");
	r = walk(search, fd, search->device->path, 1, err);
	if (r == 0 && search->count == before)
		r = error_set(err, -EINVAL, "not a device node");
	return r;
}

static int find_one(struct search *search, struct error *err)
{
	struct stat st;

	if (stat(search->device->source, &st) < 0)
		return error_set(err, -errno, "%s",
			errno == ENOENT ? "no such file or directory" : strerror(errno));
	if (S_ISDIR(st.st_mode))
		return find_below(search, search->device->source, err);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, -EINVAL, "not a device node");
	add_node(search, search->device->path, &st);
	return 0;
}

int devices_find(
	const struct spec *spec, struct device_node **ret, size_t *ret_count, struct error *err)
{
	struct search search = { 0 };

	for (size_t i = 0; i < spec->device_count; i++) {
		search.device = &spec->devices[i];
		int r = find_one(&search, err);

		if (r == 0)
			continue;
		device_nodes_free(search.nodes, search.count);
		return error_wrap(err,
			"error gathering device information while adding custom device \"%s\"",
			search.device->source);
	}
	*ret = search.nodes;
	*ret_count = search.count;
	return 0;
}

struct cgroup_device device_node_rule(const struct device_node *node)
{
	struct cgroup_device rule = {
		.allow = true,
		.type = S_ISBLK(node->mode) ? 'b' : 'c',
		.major = major(node->number),
		.minor = minor(node->number),
	};

	memcpy(rule.access, node->access, sizeof(rule.access));
	return rule;
}

void device_nodes_free(struct device_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(nodes[i].path);
	free(nodes);
}
