/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant_attach.c - a container's secrets and configs at their places.
 *
 * The parent opens what grant.c has stored; the child makes a tmpfs of the container's own, writes
 * the files into it, with the owners that mean what was said in its user namespace, and binds each
 * read-only at its place, found inside the root and attached by fd. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/container/grant.h"
#include "engine/container/id_mapping.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/container/paths.h"
#include "engine/container/setup.h"

#define TMPFS_SPARE (64u << 10) /* beside the contents: directory and inodes */
#define FILE_BLOCK  4096u

static char *stored_path(const struct setup *setup, size_t index)
{
	return xasprintf("grants/%s/%zu", setup->container->id, index);
}

int grants_open(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;

	setup->grant_fds = xcalloc(spec->grant_count + 1, sizeof(*setup->grant_fds));
	for (size_t i = 0; i < spec->grant_count; i++)
		setup->grant_fds[i] = -1;
	for (size_t i = 0; i < spec->grant_count; i++) {
		cleanup_free char *path = stored_path(setup, i);
		int fd = file_open(setup->engine->run_fd, path, O_RDONLY | O_NOFOLLOW, 0, err);

		if (fd == -ENOENT)
			return error_set(err, -ENOENT,
				"%s: its content was in memory only and is gone since the last "
				"boot; `mycompose up` gives it anew",
				spec->grants[i].name);
		if (fd < 0)
			return fd;
		setup->grant_fds[i] = fd;
	}
	return 0;
}

void grants_close(struct setup *setup)
{
	for (size_t i = 0; setup->grant_fds && i < setup->container->spec.grant_count; i++)
		close_fd(&setup->grant_fds[i]);
	free(setup->grant_fds);
}

bool has_grant_at(const struct container *container, const char *path)
{
	for (size_t i = 0; i < container->spec.grant_count; i++) {
		cleanup_free char *destination = path_clean(container->spec.grants[i].destination);

		if (strcmp(destination, path) == 0)
			return true;
	}
	return false;
}

static int new_tmpfs(const struct setup *setup, struct error *err)
{
	const size_t count = setup->container->spec.grant_count;
	unsigned long long size = TMPFS_SPARE;
	cleanup_free char *text = NULL;

	for (size_t i = 0; i < count; i++) {
		struct stat st;

		if (fstat(setup->grant_fds[i], &st) < 0)
			return error_sys(err, -errno, "stat");
		size += ((unsigned long long)st.st_size + FILE_BLOCK - 1) / FILE_BLOCK * FILE_BLOCK;
	}
	text = xasprintf("%llu", size);
	const struct mount_option options[] = { { "mode", "0755" }, { "size", text } };

	/* Not noexec: a config may be a script. */
	return mount_new(
		"tmpfs", options, ARRAY_LEN(options), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
}

/* Nobody else can see the file before it has its owner and mode. */
static int write_file(const struct spec *spec, int tmpfs_fd, const char *name,
	const struct spec_grant *grant, int source_fd, struct error *err)
{
	cleanup_strbuf struct strbuf content = STRBUF_INIT;
	cleanup_fd int fd = -1;
	uint32_t uid, gid;
	int r;

	if (lseek(source_fd, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "seek");
	r = fd_read_all(source_fd, CONFIG_SIZE_MAX, &content, err);
	if (r < 0)
		return r;
	fd = file_open(tmpfs_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
	r = fd < 0 ? fd : fd_write_all(fd, strbuf_text(&content), content.length, err);
	if (content.data)
		explicit_bzero(content.data, content.length);
	if (r == 0)
		r = spec_host_uid(spec, grant->uid, &uid, err);
	if (r == 0)
		r = spec_host_gid(spec, grant->gid, &gid, err);
	if (r < 0)
		return r;
	if (fchown(fd, uid, gid) < 0)
		return error_sys(err, -errno, "give it to %u:%u", grant->uid, grant->gid);
	/* After the owner: a change of that may clear bits. */
	return fchmod(fd, grant->mode & 0555) < 0 ? error_sys(err, -errno, "set the mode") : 0;
}

static int attach_one(const struct setup *setup, int tmpfs_fd, const char *name,
	const struct spec_grant *grant, struct error *err)
{
	cleanup_free char *path = path_clean(grant->destination);
	cleanup_fd int file_fd = file_open(tmpfs_fd, name, O_PATH | O_NOFOLLOW, 0, err);
	cleanup_fd int tree_fd = -1, target_fd = -1;
	int r;

	if (file_fd < 0)
		return file_fd;
	tree_fd = mount_clone(file_fd, false, err);
	r = tree_fd < 0 ? tree_fd : mount_change(tree_fd, MOUNT_ATTR_RDONLY, 0, false, err);
	if (r < 0)
		return r;
	target_fd = in_root_make(setup->root_fd, path, false, err);
	r = target_fd < 0 ? target_fd : mount_check_target(setup->root_fd, target_fd, err);
	return r < 0 ? r : mount_attach(tree_fd, target_fd, err);
}

static int attach_all(struct setup *setup, int tmpfs_fd, struct error *err)
{
	const struct spec *spec = &setup->container->spec;

	for (size_t i = 0; i < spec->grant_count; i++) {
		const struct spec_grant *grant = &spec->grants[i];
		char name[24];
		int r;

		snprintf(name, sizeof(name), "%zu", i);
		r = write_file(spec, tmpfs_fd, name, grant, setup->grant_fds[i], err);
		if (r == 0)
			r = attach_one(setup, tmpfs_fd, name, grant, err);
		if (r < 0)
			return error_wrap(err, "%s at '%s'", grant->name, grant->destination);
	}
	return 0;
}

/* Only of a mount that is attached can a part be bound (before Linux 6.15), so it is for a moment:
 * over the directory that the contents came from, in this mount namespace alone. By path, since
 * engine->run_fd is of the parent's. */
int grants_attach(struct setup *setup, struct error *err)
{
	cleanup_free char *path =
		xasprintf("%s/grants/%s", setup->engine->run_path, setup->container->id);
	cleanup_fd int tmpfs_fd = -1, place_fd = -1;
	int r;

	if (setup->container->spec.grant_count == 0)
		return 0;
	tmpfs_fd = new_tmpfs(setup, err);
	if (tmpfs_fd < 0)
		return tmpfs_fd;
	place_fd = file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, err);
	r = place_fd < 0 ? place_fd : mount_attach(tmpfs_fd, place_fd, err);
	if (r < 0)
		return r;
	r = attach_all(setup, tmpfs_fd, err);
	if (r == 0)
		r = mount_detach(tmpfs_fd, err);
	return r;
}
