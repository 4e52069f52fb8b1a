/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_images.c - pin images to the manifests in the store. */
#include "cmd/config_images.h"

#include <string.h>

#include "compose/node.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/image.h"

/* "redis:7@sha256:…"; a reference that has a digest stays as it is. Heap. */
static int pin(
	const struct engine *engine, const struct service *service, char **ret, struct error *err)
{
	cleanup_image struct image *image = NULL;
	struct image_ref ref = { 0 };
	int r = image_ref_parse(service->image, &ref, err);

	if (r == 0 && ref.digest)
		*ret = xstrdup(service->image);
	else if (r == 0)
		r = image_find(engine, service->image, &image, err);
	if (image)
		*ret = xasprintf("%s@%s", ref.familiar, image->manifest_digest);
	image_ref_release(&ref);
	return r < 0 ? error_wrap(err, "service %s", service->name) : 0;
}

static int pin_all(
	const struct engine *engine, const struct project *project, char ***ret, struct error *err)
{
	cleanup_strv char **images = NULL;

	for (size_t i = 0; i < project->service_count; i++) {
		char *image = NULL;
		int r = pin(engine, &project->services[i], &image, err);

		if (r < 0)
			return r;
		strv_take(&images, image);
	}
	*ret = steal_ptr(images);
	return 0;
}

int config_images_lock(const struct engine *engine, const struct project *project,
	enum config_format format, struct strbuf *out, struct error *err)
{
	cleanup_strv char **images = NULL;
	int r = pin_all(engine, project, &images, err);

	if (r == 0)
		config_print_images(project, images, format, out);
	return r;
}

int config_images_resolve(const struct engine *engine, struct project *project, struct error *err)
{
	cleanup_strv char **images = NULL;
	struct node *services = node_get(project->tree, "services");
	int r = pin_all(engine, project, &images, err);

	for (size_t i = 0; r == 0 && i < project->service_count; i++) {
		struct node *service = node_get(services, project->services[i].name);

		/* One that the command line left out is not in the document any more. */
		if (service)
			node_set_string(project->arena, service, "image", images[i]);
	}
	return r;
}
