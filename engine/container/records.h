/* SPDX-License-Identifier: GPL-2.0-or-later
 * records.h - what the files of this room that keep records share: tables, directories, the lock.
 *
 * One flock, <run>/containers.lock, is held over every change of the set of containers, names and
 * volumes, so that checks ("is the name free", "does a record name this volume") stay true until
 * the change is made, and so that whatever looks half made under the lock is a leftover of a killed
 * process. Readers take no lock: records appear and vanish by rename.
 * Beside the finished objects a directory may hold leftovers, whose names begin with a dot and so
 * are no object's:
 *   .creating-NAME         not yet named, nothing refers to it
 *   .removing-ID           to be removed; its volumes stay
 *   .removing-volumes-ID   to be removed with its anonymous volumes */
#ifndef MYCOMPOSE_CONTAINER_RECORDS_H
#define MYCOMPOSE_CONTAINER_RECORDS_H

#include "engine/container/container.h"
#include "engine/container/fields.h"
#include "engine/container/volume.h"

#define CREATING_PREFIX		".creating-"
#define REMOVING_PREFIX		".removing-"
#define REMOVING_VOLUMES_PREFIX ".removing-volumes-"

extern const struct field_type spec_field_type;
extern const struct field_type container_field_type;
#define CONTAINER_VERSION 1

/* The lock's fd; close it to let go. */
int records_lock(const struct engine *engine, struct error *err);

/* <data>/containers and <data>/containers/names, made when absent. */
int containers_open(const struct engine *engine, struct error *err);
int names_open(const struct engine *engine, struct error *err);

/* Ids of all finished containers: 64 hex digits. Absent directory: none. */
int container_ids(const struct engine *engine, char ***ret_ids, struct error *err);
bool container_id_is_valid(const char *id);

/* Load the record in <data>/containers/DIRECTORY, which need not be named as its id. The
 * container's fields are checked (see container_check). */
int record_load(const struct engine *engine, const char *directory, struct container **ret,
	struct error *err);
/* Names, ids and digests are what may become a path component or reach a terminal. */
int container_check(const struct container *container, struct error *err);

/* The index of names; the caller holds the lock except for name_lookup.
 * Claim: -EEXIST with docker's message; a link whose container is gone or is called otherwise is
 * taken over. Drop: only a link that leads to `id`. Lookup: -ENOENT (without message). */
int name_claim(const struct engine *engine, const char *name, const char *id, struct error *err);
int name_drop(const struct engine *engine, const char *name, const char *id, struct error *err);
int name_lookup(const struct engine *engine, const char *name, char id[static ID_LENGTH + 1]);

/* Under the lock. Make a volume; take it away by renaming it to a leftover, which volumes_purge
 * removes later, without the lock; see volume.h. */
int volume_make(const struct engine *engine, const char *name, char *const *labels,
	char *const *options, bool anonymous, bool *ret_made, struct error *err);
int volume_drop(const struct engine *engine, const char *name, struct volume_users *users,
	struct error *err);
/* Make what the spec names / remove its anonymous ones that no other record names. */
int volumes_make_for(const struct engine *engine, const struct container *container,
	char ***ret_made, struct error *err);
int volumes_drop_anonymous(const struct engine *engine, const struct container *container,
	struct volume_users *users, struct error *err);
/* Turn half-made volumes into removable leftovers, under the lock / remove the removable ones. */
int volumes_sweep(const struct engine *engine, struct error *err);
int volumes_purge(const struct engine *engine, struct error *err);

#endif
