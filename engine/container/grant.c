/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant.c - keep the content of secrets and configs in the run root while their container exists.
 */
#include "engine/container/grant.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/records.h"

#define GRANTS_DIR "grants"

void grant_content_set(struct grant_content *content, const void *bytes, size_t length)
{
	grant_content_release(content);
	content->bytes = xmalloc(length + 1);
	memcpy(content->bytes, bytes, length);
	content->bytes[length] = '\0';
	content->length = length;
}

void grant_content_release(struct grant_content *content)
{
	if (content->bytes)
		explicit_bzero(content->bytes, content->length);
	free(content->bytes);
	*content = (struct grant_content){ 0 };
}

/* What is on a disk stays there when the file is long gone. */
static int check_is_memory(int dir_fd, const struct engine *engine, struct error *err)
{
	struct statfs fs;

	if (fstatfs(dir_fd, &fs) < 0)
		return error_sys(err, -errno, "look at %s", engine->run_path);
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return 0;
	return error_set(err, -EOPNOTSUPP,
		"%s is not on a tmpfs, and what secrets and configs hold is written to no disk "
		"(--run names another directory)",
		engine->run_path);
}

static int store_all(int dir_fd, const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->grant_count; i++) {
		const struct spec_grant *grant = &spec->grants[i];
		char name[24];
		int r;

		if (!grant->content.bytes)
			return error_set(
				err, -EINVAL, "%s: its content is not known here", grant->name);
		snprintf(name, sizeof(name), "%zu", i);
		r = file_replace(dir_fd, name, grant->content.bytes, grant->content.length, 0600,
			FILE_VOLATILE, err);
		if (r < 0)
			return error_wrap(err, "%s", grant->name);
	}
	return 0;
}

int grants_store(const struct engine *engine, const struct container *container, struct error *err)
{
	cleanup_free char *path = xasprintf(GRANTS_DIR "/%s", container->id);
	cleanup_fd int dir_fd = -1;
	bool was_there;
	int r;

	if (container->spec.grant_count == 0)
		return 0;
	was_there = faccessat(engine->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	dir_fd = dir_make_open(engine->run_fd, path, 0700, err);
	r = dir_fd < 0 ? dir_fd : check_is_memory(dir_fd, engine, err);
	if (r == 0)
		r = store_all(dir_fd, &container->spec, err);
	if (r < 0 && !was_there)
		tree_remove(engine->run_fd, path, NULL);
	return r;
}

bool grants_are_stored(const struct engine *engine, const struct container *container)
{
	for (size_t i = 0; i < container->spec.grant_count; i++) {
		cleanup_free char *path = xasprintf(GRANTS_DIR "/%s/%zu", container->id, i);

		if (faccessat(engine->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
	}
	return true;
}

int grants_remove(const struct engine *engine, const char *id, struct error *err)
{
	cleanup_free char *path = xasprintf(GRANTS_DIR "/%s", id);

	return tree_remove(engine->run_fd, path, err);
}

int grants_sweep(const struct engine *engine, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(engine->run_fd, GRANTS_DIR, &names, err);

	for (char **name = names; r == 0 && name && *name; name++) {
		cleanup_free char *record = xasprintf("containers/%s", *name);

		if (faccessat(engine->data_fd, record, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
			errno == ENOENT)
			r = grants_remove(engine, *name, err);
	}
	return r;
}
