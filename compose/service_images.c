/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_images.c - look up the images of services, each once. */
#include "compose/service_images.h"

#include <stdlib.h>

#include "compose/apply_internal.h"
#include "engine/base/memory.h"

static void free_image(void *image)
{
	image_free(image);
}

void service_images_release(struct service_images *images)
{
	strmap_release_with(&images->known, free_image);
}

int service_images_find(struct service_images *images, const struct service *service,
	const struct image **ret, struct error *err)
{
	struct image *image = strmap_get(&images->known, service->image);

	if (!image) {
		if (image_find(images->engine, service->image, &image, err) < 0)
			return service_wrap_key(err, service, "image");
		strmap_set(&images->known, service->image, image);
	}
	*ret = image;
	return 0;
}

int service_images_list(struct service_images *images, const struct project *project,
	const bool *selected, struct plan_image **ret, size_t *ret_count, struct error *err)
{
	struct plan_image *items = NULL;
	size_t count = 0;

	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];
		const struct image *image;
		struct plan_image *item;
		int r;

		if (!selected[i])
			continue;
		r = service_images_find(images, service, &image, err);
		if (r < 0) {
			free(items);
			return r;
		}
		item = array_add(items, count);
		item->service = service->name;
		item->image_id = image->id;
	}
	*ret = items;
	*ret_count = count;
	return 0;
}
