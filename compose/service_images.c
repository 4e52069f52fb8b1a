/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_images.c - look up the images of services, each once. */
#include "compose/service_images.h"

#include <stdlib.h>

#include "compose/apply_internal.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

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
	cleanup_strbuf struct strbuf missing = STRBUF_INIT;
	struct plan_image *items = NULL;
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];
		cleanup_error struct error problem = ERROR_INIT;
		const struct image *image;
		struct plan_image *item;
		int found;

		if (!selected[i])
			continue;
		found = service_images_find(images, service, &image, &problem);
		if (found < 0) {
			strbuf_add_str(&missing, r < 0 ? "\n" : "");
			strbuf_add_str(&missing, error_text(&problem));
			r = found;
			continue;
		}
		item = array_add(items, count);
		item->service = service->name;
		item->image_id = image->id;
	}
	if (r < 0) {
		free(items);
		return error_set(err, r, "%s", strbuf_text(&missing));
	}
	*ret = items;
	*ret_count = count;
	return 0;
}
