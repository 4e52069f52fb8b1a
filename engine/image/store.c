/* SPDX-License-Identifier: GPL-2.0-or-later
 * store.c - the store's directories, lock and workspaces. */
#include "engine/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"

#define WORK_PREFIX ".work-"
#define RESERVE_MAX (256ULL << 20) /* bytes never to be used up, on a large file system */
#define RESERVE_PER 50		   /* a fiftieth of it on a small one */

int store_open(struct store *store, const struct engine *engine, struct error *err)
{
	store->engine = engine;
	store->images_fd = dir_make_open(engine->data_fd, "images", 0700, err);
	if (store->images_fd < 0)
		return store->images_fd;
	store->blobs_fd = dir_make_open(store->images_fd, "blobs/sha256", 0700, err);
	if (store->blobs_fd < 0)
		return store->blobs_fd;
	store->layers_fd = dir_make_open(engine->data_fd, "layers", 0700, err);
	return store->layers_fd < 0 ? store->layers_fd : 0;
}

void store_release(struct store *store)
{
	if (store->work_fd >= 0) {
		cleanup_error struct error err = ERROR_INIT;

		/* Still held by work_fd, so that nobody else sweeps it at the same time. */
		if (tree_remove(store->layers_fd, store->work_name, &err) < 0)
			log_warning("%s", error_text(&err));
	}
	close_fd(&store->work_fd);
	close_fd(&store->layers_fd);
	close_fd(&store->blobs_fd);
	close_fd(&store->images_fd);
	free(store->work_name);
	strmap_release_with(&store->work_blobs, free);
	strmap_release_with(&store->work_trees, free);
	*store = (struct store)STORE_INIT;
}

int store_lock(const struct store *store, struct error *err)
{
	return lock_take(store->engine->run_fd, "images.lock", -1, NULL, err);
}

/* Remove every workspace nobody holds, and half-written indexes. Called under the lock: a workspace
 * that is being made right now has its directory and its flock, or does not exist yet; an index is
 * written under the lock only. */
static void sweep(const struct store *store)
{
	cleanup_strv char **names = NULL;
	cleanup_error struct error problem = ERROR_INIT;

	if (file_sweep_temporaries(store->images_fd, ".", &problem) < 0)
		log_warning("%s", error_text(&problem));
	if (dir_list(store->layers_fd, ".", &names, NULL) < 0)
		return;
	for (char **name = names; name && *name; name++) {
		cleanup_fd int fd = -1;
		cleanup_error struct error err = ERROR_INIT;

		if (strncmp(*name, WORK_PREFIX, strlen(WORK_PREFIX)) != 0)
			continue;
		fd = openat(store->layers_fd, *name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
			continue;
		if (tree_remove(store->layers_fd, *name, &err) < 0)
			log_warning("%s", error_text(&err));
	}
}

int store_begin(struct store *store, struct error *err)
{
	char id[ID_LENGTH + 1];
	cleanup_free char *name = NULL;
	cleanup_fd int lock_fd = store_lock(store, err);
	cleanup_fd int work_fd = -1;

	if (lock_fd < 0)
		return lock_fd;
	sweep(store);
	id_random(id);
	name = xasprintf(WORK_PREFIX "%.*s", ID_SHORT_LENGTH, id);
	work_fd = dir_make_open(store->layers_fd, name, 0700, err);
	if (work_fd < 0)
		return work_fd;
	if (flock(work_fd, LOCK_EX | LOCK_NB) < 0)
		return error_sys(err, -errno, "lock '%s'", name);
	store->work_name = steal_ptr(name);
	store->work_fd = steal_fd(&work_fd);
	return 0;
}

int store_check_space(const struct store *store, uint64_t bytes, struct error *err)
{
	struct statvfs fs;
	uint64_t total, available, reserve;

	if (fstatvfs(store->layers_fd, &fs) < 0)
		return error_sys(
			err, -errno, "look at free space of '%s'", store->engine->data_path);
	total = (uint64_t)fs.f_blocks * fs.f_frsize;
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	reserve = total / RESERVE_PER < RESERVE_MAX ? total / RESERVE_PER : RESERVE_MAX;
	if (available < reserve || available - reserve < bytes)
		return error_set(
			err, -ENOSPC, "no space left for images in '%s'", store->engine->data_path);
	return 0;
}

bool store_has_layer(const struct store *store, const char *chain_id)
{
	return faccessat(store->layers_fd, digest_hex(chain_id), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_layer_size(
	const struct store *store, const char *chain_id, uint64_t *ret, struct error *err)
{
	cleanup_json struct json *json = NULL;
	cleanup_free char *path = xasprintf("%s/layer.json", digest_hex(chain_id));
	int r = json_read_file(store->layers_fd, path, MANIFEST_MAX, &json, err);

	return r < 0 ? r : json_get_u64(json, "size", ret, err);
}
