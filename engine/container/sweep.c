/* SPDX-License-Identifier: GPL-2.0-or-later
 * sweep.c - finish creations, renames and removals that were interrupted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"
#include "engine/base/strv.h"
#include "engine/container/grant.h"
#include "engine/container/id_mapping.h"
#include "engine/container/remove.h"

static const char *after_prefix(const char *s, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(s, prefix, length) == 0 ? s + length : NULL;
}

/* The id in a leftover's name; NULL for what is none. */
static const char *leftover_id(const char *name)
{
	static const char *const prefixes[] = {
		CREATING_PREFIX,
		REMOVING_VOLUMES_PREFIX,
		REMOVING_PREFIX,
	};

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		const char *id = after_prefix(name, prefixes[i]);

		if (id && container_id_is_valid(id))
			return id;
	}
	return NULL;
}

/* Under the lock: anonymous volumes of what was not finished go, and what is left of a creation
 * becomes a removal. Where the record is damaged nothing tells which volumes these are; the rest
 * can still be removed. */
static int prepare(const struct engine *engine, int containers_fd, const char *leftover,
	const char *id, struct volume_users *users, struct error *err)
{
	cleanup_container struct container *container = NULL;
	cleanup_free char *target = xasprintf(REMOVING_PREFIX "%s", id);
	const bool is_creation = after_prefix(leftover, CREATING_PREFIX);
	int r = 0;

	ids_drop(engine, id);
	if (!is_creation && !after_prefix(leftover, REMOVING_VOLUMES_PREFIX))
		return 0;
	if (record_load(engine, leftover, &container, NULL) == 0)
		r = volumes_drop_anonymous(engine, container, users, err);
	if (r == 0 && is_creation && renameat(containers_fd, leftover, containers_fd, target) < 0)
		r = error_sys(err, -errno, "rename leftover %s", leftover);
	return r;
}

/* Keep the first failure, go on with the rest. */
static int remember(int first, int r, struct error *first_err, struct error *err)
{
	if (r >= 0 || first < 0) {
		error_release(err);
		return first;
	}
	return error_move(first_err, err);
}

static int sweep_directories(const struct engine *engine, char *const *entries, struct error *err)
{
	cleanup_volume_users struct volume_users *users = volume_users_new();
	cleanup_error struct error problem = ERROR_INIT;
	cleanup_fd int containers_fd = containers_open(engine, err);
	int first = 0;

	if (containers_fd < 0)
		return containers_fd;
	for (; entries && *entries; entries++) {
		const char *id = leftover_id(*entries);

		if (id)
			first = remember(first,
				prepare(engine, containers_fd, *entries, id, users, &problem), err,
				&problem);
	}
	return first;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* An interrupted rename has left two names; the record knows the right one. */
static int drop_wrong_name(const struct engine *engine, const char *id, const char *one,
	const char *other, struct error *err)
{
	cleanup_container struct container *container = NULL;

	if (container_load(engine, id, &container, NULL) < 0)
		return 0; /* container_list reports it */
	return name_drop(engine, strcmp(container->name, one) == 0 ? other : one, id, err);
}

/* A name that leads nowhere is unlinked; `named` maps the ids that have one to it. */
static int sweep_names(const struct engine *engine, char *const *entries, char *const *names,
	struct strmap *named, struct error *err)
{
	const size_t count = strv_length(entries);
	int r = 0;

	for (; r == 0 && names && *names; names++) {
		char id[ID_LENGTH + 1];
		const char *key = id, *other;

		if (name_lookup(engine, *names, id) < 0)
			continue;
		other = strmap_get(named, id);
		if (!bsearch(&key, entries, count, sizeof(*entries), compare_strings))
			r = name_drop(engine, *names, id, err);
		else if (other)
			r = drop_wrong_name(engine, id, *names, other, err);
		else
			strmap_set(named, id, *names);
	}
	return r;
}

/* After a power loss the record may be on disk and the link not. */
static int relink(const struct engine *engine, char *const *entries, const struct strmap *named,
	struct error *err)
{
	for (; entries && *entries; entries++) {
		cleanup_error struct error problem = ERROR_INIT;
		cleanup_container struct container *container = NULL;
		int r;

		if (!container_id_is_valid(*entries) || strmap_has(named, *entries))
			continue;
		if (container_load(engine, *entries, &container, NULL) < 0)
			continue; /* container_list reports it */
		r = name_claim(engine, container->name, container->id, &problem);
		if (r == -EEXIST)
			log_warning("container %.*s has lost its name: %s", ID_SHORT_LENGTH,
				container->id, error_text(&problem));
		else if (r < 0)
			return error_move(err, &problem);
	}
	return 0;
}

static int repair_names(const struct engine *engine, char *const *entries, struct error *err)
{
	cleanup_strv char **names = NULL;
	struct strmap named = STRMAP_INIT;
	int r = dir_list(engine->data_fd, "containers/names", &names, err);

	if (r == 0)
		r = sweep_names(engine, entries, names, &named, err);
	if (r == 0)
		r = relink(engine, entries, &named, err);
	strmap_release(&named);
	return r;
}

/* What was only marked; deleting may take long, so it is done without the lock. */
static int finish_removals(const struct engine *engine, struct error *err)
{
	cleanup_error struct error problem = ERROR_INIT;
	cleanup_strv char **entries = NULL;
	int first = dir_list(engine->data_fd, "containers", &entries, err);

	for (char **entry = entries; entry && *entry; entry++) {
		const char *id = leftover_id(*entry);

		if (id && !after_prefix(*entry, CREATING_PREFIX))
			first = remember(
				first, remove_finish(engine, *entry, id, &problem), err, &problem);
	}
	return remember(first, volumes_purge(engine, &problem), err, &problem);
}

static int sweep_locked(const struct engine *engine, struct error *err)
{
	cleanup_error struct error problem = ERROR_INIT;
	cleanup_fd int lock_fd = records_lock(engine, err);
	cleanup_strv char **entries = NULL;
	int first;

	if (lock_fd < 0)
		return lock_fd;
	first = dir_list(engine->data_fd, "containers", &entries, err);
	first = remember(first, grants_sweep(engine, &problem), err, &problem);
	if (first < 0 || !entries)
		return remember(first, volumes_sweep(engine, &problem), err, &problem);
	first = sweep_directories(engine, entries, err);
	first = remember(first, repair_names(engine, entries, &problem), err, &problem);
	return remember(first, volumes_sweep(engine, &problem), err, &problem);
}

int container_sweep(const struct engine *engine, struct error *err)
{
	cleanup_error struct error problem = ERROR_INIT;
	int first = sweep_locked(engine, err);

	return remember(first, finish_removals(engine, &problem), err, &problem);
}
