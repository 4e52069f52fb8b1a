/* SPDX-License-Identifier: GPL-2.0-or-later
 * grant.h - secrets and configs: small files given to a container whose content is written to no
 * disk.
 * May depend on: engine/base/, spec.h.
 *
 *   <run>/grants/ID/N  the content of the spec's Nth grant, 0600 in a 0700 directory, from
 *                      container_create to container_remove. The supervisor takes it from there at
 *                      each start, so that a restart needs nobody who knows the value.
 * The run root must be a tmpfs for that. A reboot ends it: then a start fails until somebody who
 * knows the contents (`up` does) has stored them again.
 * In the container each is a file of a small tmpfs of its own, bound read-only at its place. */
#ifndef MYCOMPOSE_CONTAINER_GRANT_H
#define MYCOMPOSE_CONTAINER_GRANT_H

#include <stdbool.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"

/* Docker's bounds of what a secret and a config may hold. */
#define SECRET_SIZE_MAX (500u << 10)
#define CONFIG_SIZE_MAX (1000u << 10)

/* Store what the spec's grants hold; all must be known. Nothing to do when there are none.
 * -EOPNOTSUPP when the run root is on a disk. On failure nothing is left that was not there. */
int grants_store(const struct engine *engine, const struct container *container, struct error *err);
/* Is the content of all of them there? True when there are none. */
bool grants_are_stored(const struct engine *engine, const struct container *container);
int grants_remove(const struct engine *engine, const char *id, struct error *err);
/* Remove what belongs to no record; under the records' lock. */
int grants_sweep(const struct engine *engine, struct error *err);

#endif
