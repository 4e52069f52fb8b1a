/* SPDX-License-Identifier: GPL-2.0-or-later
 * user_namespace.c - make a container's user namespace from outside, become its root inside. */
#include "engine/container/user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"

/* One write each: the kernel takes no second one. */
static int write_map(pid_t pid, const char *file, const struct spec_id_range *map, size_t count,
	struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/%s", (int)pid, file);
	cleanup_free char *text = id_map_text(map, count);

	return file_write_value(AT_FDCWD, path, text, err);
}

static int write_maps(const struct spec *spec, pid_t pid, struct error *err)
{
	int r = write_map(pid, "uid_map", spec->uid_map, spec->uid_map_count, err);

	/* setgroups(2) stays allowed: whoever writes these maps has CAP_SETGID outside. */
	return r < 0 ? r : write_map(pid, "gid_map", spec->gid_map, spec->gid_map_count, err);
}

static int start_builder(struct setup *setup, struct launch *launch, struct error *err)
{
	pid_t pid;

	setup->parent = getpid();
	pid = namespaces_clone_none(&launch->builder_fd, err);
	if (pid == 0)
		child_build(setup);
	return pid < 0 ? pid : 0;
}

int user_namespace_begin(struct setup *setup, struct launch *launch, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	cleanup_free char *path = xasprintf("/proc/%d/ns/user", (int)launch->process.pid);
	int r = write_maps(spec, launch->process.pid, err);

	if (r == 0)
		r = process_attributes_raise(spec, launch->process.pid, err);
	if (r == 0)
		r = setup->user_fd = file_open(AT_FDCWD, path, O_RDONLY, 0, err);
	return r < 0 ? r : start_builder(setup, launch, err);
}

/* Until now it was root of the host, with no rights of that but a file owner's. */
int user_namespace_take_root(struct setup *setup, struct error *err)
{
	(void)setup;
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_sys(err, -errno, "become root of the user namespace");
	/* A change of identity sets it to fs.suid_dumpable. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_sys(err, -errno, "become undumpable");
	return 0;
}
