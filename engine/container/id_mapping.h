/* SPDX-License-Identifier: GPL-2.0-or-later
 * id_mapping.h - which ids of the host a container's ids are, when it has a user namespace.
 * May depend on: engine/base/, spec.h. Rules: user_namespaces(7).
 *
 * A container's maps are lines "INSIDE OUTSIDE COUNT". They hold id 0, for its first process begins
 * as root, and never the host's 0. They come from the user (uidmapping=, gidmapping=) or are picked
 * at creation, and stay in the record, so that restart, exec and adoption know them.
 *
 * Picked ranges come from what /etc/subuid and /etc/subgid grant to the first of `mycompose`,
 * `containers`, `dockremap` that has a line there; else from ID_RANGE_FIRST on, without what a user
 * or group of this host has or a line of those files grants. No two containers get the same:
 *   <data>/containers/mapped/ID  symlink to "UID-UID GID-GID": from lowest to highest of the host's
 * Made under the records' lock, between the record and its final name, so that a kill leaves none
 * that the sweep does not find; one without a container is stale. */
#ifndef MYCOMPOSE_CONTAINER_ID_MAPPING_H
#define MYCOMPOSE_CONTAINER_ID_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"

#define ID_MAP_LINES_MAX 340	    /* the kernel's UID_GID_MAP_MAX_EXTENTS */
#define ID_RANGE_SIZE	 65536	    /* what a picked range has, unless size= says otherwise */
#define ID_RANGE_FIRST	 0x40000000 /* inside of what systemd's UIDS-GIDS document leaves to */
#define ID_RANGE_END	 0x50000000 /* containers: 524288 to 1879048191 */
#define ID_END		 UINT32_MAX /* (uid_t)-1 means "no change" */

/* Has it a user namespace of its own (or will have one)? */
static inline bool spec_is_mapped(const struct spec *spec)
{
	return spec->ids_wanted || spec->uid_map_count;
}

/* Lines as the kernel takes them, and as they are safe. -EINVAL. */
int id_mapping_check(const struct spec *spec, struct error *err);
/* What a mapping cannot go together with: -EINVAL. */
int id_mapping_check_rest(const struct spec *spec, struct error *err);

/* The host's id of one of the container's; false when it has none. */
bool id_map_find(
	const struct spec_id_range *map, size_t count, uint32_t inside, uint32_t *ret_outside);
/* The same for owners of what is made from outside: without a mapping they stay as they are.
 * -EINVAL "user id 70000 is not one of the container's: it has 0-65535". */
int spec_host_uid(const struct spec *spec, uint32_t inside, uint32_t *ret, struct error *err);
int spec_host_gid(const struct spec *spec, uint32_t inside, uint32_t *ret, struct error *err);
/* Has it all the ids of a user and its groups? -EINVAL as above. */
struct process_user;
int id_mapping_check_user(
	const struct spec *spec, const struct process_user *user, struct error *err);
/* What is written into uid_map or gid_map. Heap. */
char *id_map_text(const struct spec_id_range *map, size_t count);

/* Under the records' lock. Pick what is wanted; -ENOSPC when no range is free. Write down what is
 * taken. Nothing to do without a mapping. */
int ids_pick(const struct engine *engine, struct container *container, struct error *err);
int ids_claim(const struct engine *engine, const struct container *container, struct error *err);
/* Let go; for a container that has none it is nothing, too. */
void ids_drop(const struct engine *engine, const char *id);

#endif
