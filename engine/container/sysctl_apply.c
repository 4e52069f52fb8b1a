/* SPDX-License-Identifier: GPL-2.0-or-later
 * sysctl_apply.c - write the container's sysctls through its own, private /proc.
 *
 * That mount was made moments ago and nobody else sees it, so what is opened below it is procfs and
 * the wanted file (CVE-2025-52881: writes sent elsewhere). Before /proc/sys becomes read-only. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

static int write_one(int sys_fd, const char *setting, const struct spec *spec, struct error *err)
{
	cleanup_free char *key = NULL, *path = NULL;
	const char *value = strchr(setting, '=');
	cleanup_fd int fd = -1;
	int r;

	if (!value)
		return error_set(err, -EINVAL, "sysctl '%s': not KEY=VALUE", setting);
	key = xstrndup(setting, (size_t)(value - setting));
	r = sysctl_check(key, spec, err);
	if (r < 0)
		return r;
	path = xstrdup(key);
	for (char *p = path; *p; p++)
		*p = *p == '.' ? '/' : *p;
	fd = file_open_beneath(sys_fd, path, O_WRONLY, 0, err);
	r = fd < 0 ? fd : fd_write_all(fd, value + 1, strlen(value + 1), err);
	return r < 0 ? error_wrap(err, "sysctl '%s'", key) : 0;
}

/* What docker sets in each network namespace it makes: a port below 1024 and an echo request are
 * nothing special in a network of one's own, so that servers need not be root for them. */
static const char ping_groups[] = "net/ipv4/ping_group_range";
static const struct {
	const char *path;
	const char *value;
} network_defaults[] = {
	{ "net/ipv4/ip_unprivileged_port_start", "0" },
	{ ping_groups, "0 2147483647" },
};

/* Of groups there are only those that the container has. Heap. */
static char *group_range(const struct spec *spec)
{
	for (size_t i = 0; i < spec->gid_map_count; i++)
		if (spec->gid_map[i].inside == 0)
			return xasprintf("0 %u", spec->gid_map[i].count - 1);
	return NULL;
}

static int write_network_defaults(int sys_fd, const struct spec *spec, struct error *err)
{
	cleanup_free char *groups = group_range(spec);

	for (size_t i = 0; i < ARRAY_LEN(network_defaults); i++) {
		const bool is_groups = network_defaults[i].path == ping_groups;
		const char *value = groups && is_groups ? groups : network_defaults[i].value;
		cleanup_error struct error local = ERROR_INIT;
		cleanup_fd int fd =
			file_open_beneath(sys_fd, network_defaults[i].path, O_WRONLY, 0, &local);

		if (fd == -ENOENT) /* not in this kernel */
			continue;
		if (fd < 0)
			return error_move(err, &local);
		int r = fd_write_all(fd, value, strlen(value), err);

		if (r < 0)
			return error_wrap(err, "/proc/sys/%s", network_defaults[i].path);
	}
	return 0;
}

int sysctls_write(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	bool has_network = setup->namespaces.create & CLONE_NEWNET;
	cleanup_fd int sys_fd = -1;
	struct statfs fs;

	if (!has_network && (!spec->sysctl || !spec->sysctl[0]))
		return 0;
	sys_fd = file_open_beneath(setup->root_fd, "proc/sys", O_PATH | O_DIRECTORY, 0, err);
	if (sys_fd < 0)
		return sys_fd;
	if (fstatfs(sys_fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return error_set(err, -EINVAL, "/proc/sys of the container is not procfs");
	if (has_network) {
		int r = write_network_defaults(sys_fd, spec, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; spec->sysctl && spec->sysctl[i]; i++) {
		int r = write_one(sys_fd, spec->sysctl[i], spec, err);

		if (r < 0)
			return r;
	}
	return 0;
}
