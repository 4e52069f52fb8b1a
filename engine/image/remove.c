/* SPDX-License-Identifier: GPL-2.0-or-later
 * remove.c - take names off images; sweep the blobs and layers that nobody needs any more. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/digest.h"
#include "engine/image/image_read.h"

struct removal {
	struct store store;
	struct index index;
	struct image *image;
	struct strmap blobs;  /* digests still needed */
	struct strmap layers; /* chain IDs still needed */
};

void image_removal_release(struct image_removal *removal)
{
	strv_free(removal->untagged);
	strv_free(removal->deleted);
	*removal = (struct image_removal){ 0 };
}

static void release(struct removal *removal)
{
	image_free(removal->image);
	strmap_release(&removal->blobs);
	strmap_release(&removal->layers);
	index_release(&removal->index);
	store_release(&removal->store);
}

static void need(struct strmap *map, const char *digest)
{
	/* any value that is not NULL */
	strmap_set(map, digest, map);
}

/* Mark what the images left in the index need. */
static int mark(struct removal *removal, char *const *keep_chains, struct error *err)
{
	for (char *const *chain = keep_chains; chain && *chain; chain++)
		need(&removal->layers, *chain);
	for (size_t i = 0; i < removal->index.count; i++) {
		const struct index_entry *entry = &removal->index.entries[i];
		cleanup_image struct image *image = NULL;
		int r = image_read(&removal->store, &entry->manifest, &image, err);

		if (r < 0)
			return r;
		need(&removal->blobs, image->manifest_digest);
		need(&removal->blobs, image->id);
		for (char **digest = image->layer_digests; digest && *digest; digest++)
			need(&removal->blobs, *digest);
		for (char **chain = image->chain_ids; chain && *chain; chain++)
			need(&removal->layers, *chain);
	}
	return 0;
}

static bool is_needed(const struct strmap *map, const char *hex)
{
	cleanup_free char *digest = xasprintf(DIGEST_PREFIX "%s", hex);

	/* What is not named as ours is not ours to remove. */
	return !digest_is_valid(digest) || strmap_has(map, digest);
}

static int sweep_blobs(const struct removal *removal, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(removal->store.blobs_fd, ".", &names, err);

	for (char **name = names; r == 0 && name && *name; name++)
		if (!is_needed(&removal->blobs, *name) &&
			unlinkat(removal->store.blobs_fd, *name, 0) < 0 && errno != ENOENT)
			r = error_sys(err, -errno, "remove blob '%s'", *name);
	return r;
}

/* Into the workspace first: a layer's name goes at once, its content with the workspace, also after
 * a kill. */
static int sweep_layers(const struct removal *removal, char ***deleted, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(removal->store.layers_fd, ".", &names, err);

	for (char **name = names; r == 0 && name && *name; name++) {
		if (is_needed(&removal->layers, *name))
			continue;
		if (renameat(removal->store.layers_fd, *name, removal->store.work_fd, *name) < 0)
			r = error_sys(err, -errno, "remove layer '%s'", *name);
		else
			strv_take(deleted, xasprintf(DIGEST_PREFIX "%s", *name));
	}
	return r;
}

/* The names went already; what cannot be swept now is swept by the next removal. */
static void sweep(struct removal *removal, char *const *keep_chains, char ***deleted)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = mark(removal, keep_chains, &err);

	if (r == 0)
		r = sweep_layers(removal, deleted, &err);
	if (r == 0)
		r = sweep_blobs(removal, &err);
	if (r < 0)
		log_warning("unused layers stay for now: %s", error_text(&err));
}

enum scope {
	SCOPE_NAME,  /* one name of several, or the name of an image in use */
	SCOPE_IMAGE, /* all of it */
};

struct request {
	const char *text;
	const char *name; /* NULL: by ID */
	bool force;
	bool is_used;
};

static int choose_scope(const struct removal *removal, const struct request *request,
	enum scope *ret, struct error *err)
{
	size_t names = strv_length(removal->image->names);

	*ret = SCOPE_NAME;
	if (request->name && names > 1)
		return 0;
	if (!request->name && names > 1 && !request->force)
		return error_set(err, -EBUSY,
			"conflict: unable to delete %.19s (must be forced) - image is referenced "
			"by several names",
			removal->image->id);
	*ret = SCOPE_IMAGE;
	if (!request->is_used)
		return 0;
	*ret = SCOPE_NAME;
	if (names == 0)
		return error_set(err, -EBUSY,
			"conflict: unable to delete %.19s (cannot be forced) - a container uses "
			"the image",
			removal->image->id);
	if (!request->force)
		return error_set(err, -EBUSY,
			"conflict: unable to remove '%s' (must be forced) - a container uses the "
			"image",
			request->text);
	return 0;
}

/* Take off the name, or all names. */
static void take_names(struct removal *removal, const struct request *request, char ***untagged)
{
	for (char **name = removal->image->names; name && *name; name++) {
		if (request->name && strcmp(request->name, *name) != 0)
			continue;
		index_take_name(&removal->index, *name, true);
		strv_add(untagged, *name);
	}
}

/* Under the lock. */
static int remove_locked(struct removal *removal, struct request *request,
	bool (*in_use)(const char *image_id, void *arg), void *arg, char *const *keep_chains,
	struct image_removal *gone, struct error *err)
{
	const struct index_entry *entry;
	cleanup_free char *name = NULL;
	enum scope scope;
	bool by_id;
	int r = image_find_entry(
		&removal->store, &removal->index, request->text, &entry, &by_id, err);

	if (r == 0)
		r = image_read_entry(&removal->store, &removal->index, entry, &removal->image, err);
	if (r < 0)
		return r;
	name = by_id ? NULL : xstrdup(entry->name);
	request->name = name;
	request->is_used = in_use && in_use(removal->image->id, arg);
	r = choose_scope(removal, request, &scope, err);
	if (r < 0)
		return r;
	take_names(removal, request, &gone->untagged);
	if (scope == SCOPE_IMAGE)
		index_drop(&removal->index, removal->image->manifest_digest);
	r = index_save(&removal->store, &removal->index, err);
	if (r < 0 || scope == SCOPE_NAME)
		return r;
	strv_add(&gone->deleted, removal->image->id);
	sweep(removal, keep_chains, &gone->deleted);
	return 0;
}

int image_remove(const struct engine *engine, const char *text, bool force,
	bool (*in_use)(const char *image_id, void *arg), void *arg, char *const *keep_chains,
	struct image_removal *ret, struct error *err)
{
	struct removal removal = { .store = STORE_INIT };
	struct request request = { .text = text, .force = force };
	struct image_removal gone = { 0 };
	cleanup_fd int lock_fd = -1;
	int r = store_open(&removal.store, engine, err);

	if (r == 0)
		r = store_begin(&removal.store, err);
	if (r == 0)
		r = lock_fd = store_lock(&removal.store, err);
	if (r >= 0)
		r = index_load(&removal.store, &removal.index, err);
	if (r == 0)
		r = remove_locked(&removal, &request, in_use, arg, keep_chains, &gone, err);
	/* What was moved to the workspace is deleted without the lock. */
	close_fd(&lock_fd);
	release(&removal);
	if (r < 0)
		image_removal_release(&gone);
	else
		*ret = gone;
	return r;
}
