/* SPDX-License-Identifier: GPL-2.0-or-later
 * host.c - which cgroup hierarchies are mounted here, and which controllers they carry. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/cgroup/internal.h"

#define PROC_FILE_LIMIT (16u << 20) /* a host with thousands of mounts has a long mountinfo */

static int dirs_make(int root_fd, const char *path)
{
	return mkdirat(root_fd, path, 0755) < 0 ? -errno : 0;
}

static int dirs_remove(int root_fd, const char *path)
{
	return unlinkat(root_fd, path, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static const struct cgroup_dirs kernel_dirs = { dirs_make, dirs_remove };

/* One line of mountinfo, proc_pid_mountinfo(5). */
struct mount_line {
	dev_t dev;
	char *mount_point;
	char *type;
	char *super_options;
};

static void mount_line_release(struct mount_line *line)
{
	free(line->mount_point);
	free(line->type);
	free(line->super_options);
}

/* Space, tab, newline and backslash are written as \ooo. */
static char *unescape(const char *s)
{
	struct strbuf buf = STRBUF_INIT;
	uint32_t value;

	while (*s) {
		char digits[4] = { 0 };

		if (*s == '\\' && strlen(s) >= 4) {
			memcpy(digits, s + 1, 3);
			if (parse_octal(digits, 0xff, &value) == 0) {
				strbuf_add_char(&buf, (char)value);
				s += 4;
				continue;
			}
		}
		strbuf_add_char(&buf, *s++);
	}
	return strbuf_steal(&buf);
}

static int parse_device(const char *s, dev_t *ret)
{
	cleanup_strv char **parts = strv_split(s, ":");
	uint64_t major_number, minor_number;

	if (strv_length(parts) != 2 || parse_u64(parts[0], 0, UINT32_MAX, &major_number) < 0 ||
		parse_u64(parts[1], 0, UINT32_MAX, &minor_number) < 0)
		return -EINVAL;
	*ret = makedev((unsigned)major_number, (unsigned)minor_number);
	return 0;
}

/* 36 35 98:0 /root /mount-point options [tag...] - type source super-options */
static bool parse_mount_line(const char *text, struct mount_line *ret)
{
	cleanup_strv char **fields = strv_split(text, " ");
	size_t count = strv_length(fields), dash = 6;
	dev_t dev;

	while (dash < count && strcmp(fields[dash], "-") != 0)
		dash++;
	if (dash + 3 >= count || parse_device(fields[2], &dev) < 0)
		return false;
	*ret = (struct mount_line){
		.dev = dev,
		.mount_point = unescape(fields[4]),
		.type = xstrdup(fields[dash + 1]),
		.super_options = xstrdup(fields[dash + 3]),
	};
	return true;
}

/* The directory at the mount point, if that is still this mount: a later one may lie over it, and
 * mountinfo lists both. */
static int open_mount(const struct mount_line *line)
{
	cleanup_fd int fd = open(line->mount_point,
		O_PATH | O_DIRECTORY | O_CLOEXEC); /* not a path of a container */
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != line->dev)
		return -1;
	return steal_fd(&fd);
}

static char **root_controllers(int root_fd)
{
	cleanup_free char *text = NULL;

	if (file_read(root_fd, "cgroup.controllers", 1u << 16, &text, NULL, NULL) < 0)
		return NULL;
	return strv_split(text, " \n");
}

static void hierarchy_release(struct hierarchy *hierarchy)
{
	close_fd(&hierarchy->root_fd);
	free(hierarchy->mount_point);
	strv_free(hierarchy->controllers);
	free(hierarchy->name);
	free(hierarchy->view_name);
}

/* v1 mount options are controllers, "name=..." and a few switches; /proc/cgroups tells them apart.
 */
static void read_v1_options(
	const char *super_options, char *const *known, struct hierarchy *hierarchy)
{
	cleanup_strv char **options = strv_split(super_options, ",");

	for (size_t i = 0; i < strv_length(options); i++) {
		if (strv_contains(known, options[i]))
			strv_add(&hierarchy->controllers, options[i]);
		else if (strncmp(options[i], "name=", 5) == 0) {
			free(hierarchy->name);
			hierarchy->name = xstrdup(options[i] + 5);
		}
	}
	hierarchy->view_name = hierarchy->controllers ? strv_join(hierarchy->controllers, ",")
						      : xstrdup(hierarchy->name);
}

static bool same_hierarchy(const struct hierarchy *a, const struct hierarchy *b)
{
	if (a->driver != b->driver)
		return false;
	if (a->driver == &cgroup_driver_v2)
		return true; /* there is one */
	return strcmp(a->view_name, b->view_name) == 0;
}

/* Of several mounts of one hierarchy the last one counts: it was mounted by whoever set up the
 * mount namespace we are in. */
static void host_add(struct cgroup_host *host, struct hierarchy *hierarchy)
{
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		if (same_hierarchy(&host->hierarchies[i], hierarchy)) {
			hierarchy_release(&host->hierarchies[i]);
			host->hierarchies[i] = *hierarchy;
			return;
		}
	}
	*array_add(host->hierarchies, host->hierarchy_count) = *hierarchy;
}

static void host_take_mount(
	struct cgroup_host *host, const struct mount_line *line, char *const *known)
{
	struct hierarchy hierarchy = { .root_fd = -1 };

	if (strcmp(line->type, "cgroup") == 0)
		hierarchy.driver = &cgroup_driver_v1;
	else if (strcmp(line->type, "cgroup2") == 0)
		hierarchy.driver = &cgroup_driver_v2;
	else
		return;
	hierarchy.root_fd = open_mount(line);
	if (hierarchy.root_fd < 0)
		return;
	if (hierarchy.driver == &cgroup_driver_v1) {
		read_v1_options(line->super_options, known, &hierarchy);
	} else {
		hierarchy.controllers = root_controllers(hierarchy.root_fd);
		hierarchy.view_name = xstrdup("unified");
	}
	if (!hierarchy.view_name) { /* v1 without controller and name cannot be mounted */
		hierarchy_release(&hierarchy);
		return;
	}
	hierarchy.mount_point = xstrdup(line->mount_point);
	host_add(host, &hierarchy);
}

/* "#subsys_name hierarchy num_cgroups enabled" and one line for each controller. */
static void read_known_controllers(const char *cgroups, char ***ret_known, char ***ret_disabled)
{
	cleanup_strv char **lines = strv_split(cgroups, "\n");

	for (size_t i = 0; i < strv_length(lines); i++) {
		cleanup_strv char **fields = strv_split(lines[i], "\t ");

		if (strv_length(fields) < 4 || fields[0][0] == '#')
			continue;
		strv_add(ret_known, fields[0]);
		if (strcmp(fields[3], "0") == 0)
			strv_add(ret_disabled, fields[0]);
	}
}

static void host_list_controllers(struct cgroup_host *host)
{
	cleanup_strv char **all = NULL;

	for (size_t i = 0; i < host->hierarchy_count; i++)
		strv_extend(&all, host->hierarchies[i].controllers);
	strv_sort(all);
	host->controllers = strv_join(all, " ");
}

int cgroup_host_from_text(const char *mountinfo, const char *cgroups,
	const struct cgroup_dirs *dirs, struct cgroup_host **ret, struct error *err)
{
	cleanup_strv char **lines = strv_split(mountinfo, "\n");
	cleanup_strv char **known = NULL;
	struct cgroup_host *host = xcalloc(1, sizeof(*host));

	host->dirs = dirs ? dirs : &kernel_dirs;
	read_known_controllers(cgroups, &known, &host->disabled);
	for (size_t i = 0; i < strv_length(lines); i++) {
		struct mount_line line = { 0 };

		if (parse_mount_line(lines[i], &line))
			host_take_mount(host, &line, known);
		mount_line_release(&line);
	}
	if (host->hierarchy_count == 0) {
		cgroup_host_free(host);
		return error_set(err, -ENOTSUP, "no cgroup hierarchy is mounted on this host");
	}
	host_list_controllers(host);
	*ret = host;
	return 0;
}

int cgroup_host_open(struct cgroup_host **ret, struct error *err)
{
	cleanup_free char *mountinfo = NULL;
	cleanup_free char *cgroups = NULL;
	int r;

	r = file_read(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_LIMIT, &mountinfo, NULL, err);
	if (r < 0)
		return r;
	/* Gone from kernels that were built without v1. */
	r = file_read(AT_FDCWD, "/proc/cgroups", PROC_FILE_LIMIT, &cgroups, NULL, err);
	if (r < 0 && r != -ENOENT)
		return r;
	return cgroup_host_from_text(mountinfo, cgroups ? cgroups : "", NULL, ret, err);
}

void cgroup_host_free(struct cgroup_host *host)
{
	if (!host)
		return;
	for (size_t i = 0; i < host->hierarchy_count; i++)
		hierarchy_release(&host->hierarchies[i]);
	free(host->hierarchies);
	strv_free(host->disabled);
	free(host->controllers);
	free(host);
}

bool cgroup_host_is_v2(const struct cgroup_host *host)
{
	return host->hierarchy_count == 1 && host->hierarchies[0].driver == &cgroup_driver_v2;
}

/* Hybrid: v2 is mounted as well, for what v1 has no controller of, like keeping track. */
const char *cgroup_host_version(const struct cgroup_host *host)
{
	if (cgroup_host_is_v2(host))
		return "v2";
	for (size_t i = 0; i < host->hierarchy_count; i++)
		if (host->hierarchies[i].driver == &cgroup_driver_v2)
			return "hybrid";
	return "v1";
}

const char *cgroup_host_controllers(const struct cgroup_host *host)
{
	return host->controllers;
}

static const struct controller *hierarchy_find(
	const struct hierarchy *hierarchy, enum controller_kind kind)
{
	const struct driver *driver = hierarchy->driver;

	for (size_t i = 0; i < driver->controller_count; i++) {
		const struct controller *controller = &driver->controllers[i];

		if (controller->kind == kind &&
			(!controller->name ||
				strv_contains(hierarchy->controllers, controller->name)))
			return controller;
	}
	return NULL;
}

const struct hierarchy *host_find(const struct cgroup_host *host, enum controller_kind kind,
	const struct controller **ret_controller)
{
	const struct hierarchy *found = NULL;

	for (size_t i = 0; i < host->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &host->hierarchies[i];
		const struct controller *controller = hierarchy_find(hierarchy, kind);

		if (!controller || (found && hierarchy->driver == &cgroup_driver_v2))
			continue;
		found = hierarchy;
		*ret_controller = controller;
	}
	return found;
}

struct group host_group(
	const struct cgroup_host *host, const struct hierarchy *hierarchy, const char *path)
{
	return (struct group){ .dirs = host->dirs, .hierarchy = hierarchy, .path = path };
}

const struct hierarchy *host_tracker(const struct cgroup_host *host)
{
	const struct controller *controller = NULL;
	const struct hierarchy *freezer = NULL;

	for (size_t i = 0; i < host->hierarchy_count; i++) {
		if (host->hierarchies[i].driver == &cgroup_driver_v2)
			return &host->hierarchies[i];
	}
	freezer = host_find(host, CONTROLLER_FREEZER, &controller);
	return freezer ? freezer : &host->hierarchies[0];
}
