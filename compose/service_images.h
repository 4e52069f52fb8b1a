/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_images.h - the images that services name. Many share one: the store is asked once for
 * each reference, and what it said then counts for the whole command.
 * May depend on: engine/. */
#ifndef MYCOMPOSE_COMPOSE_SERVICE_IMAGES_H
#define MYCOMPOSE_COMPOSE_SERVICE_IMAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "compose/model.h"
#include "compose/plan.h"
#include "engine/base/strmap.h"
#include "engine/engine.h"
#include "engine/image/image.h"

struct service_images {
	const struct engine *engine;
	struct strmap known; /* reference -> struct image */
};
#define cleanup_service_images __attribute__((cleanup(service_images_release)))
/* `engine` stays, so that it can be used again. */
void service_images_release(struct service_images *images);

/* -ENOENT with the place in the file. *ret lives until the release. */
int service_images_find(struct service_images *images, const struct service *service,
	const struct image **ret, struct error *err);
/* The image ids of the selected services, for the planner; the error names each that is missing.
 * The array is heap, its strings are not. */
int service_images_list(struct service_images *images, const struct project *project,
	const bool *selected, struct plan_image **ret, size_t *ret_count, struct error *err);

#endif
