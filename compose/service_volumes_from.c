/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_volumes_from.c - `volumes_from: [SERVICE[:MODE], container:NAME[:MODE]]`. */
#include "compose/service_volumes_from.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/labels.h"
#include "compose/node.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/paths.h"

#define CONTAINER_PREFIX "container:"

struct origin {
	bool is_container; /* else a service of the project */
	char *name;
	bool read_only;
};

static int wrap_place(struct error *err, const struct service *service)
{
	const struct node *value = node_get(service->node, "volumes_from");
	const struct mark *mark = value && value->mark.file ? &value->mark : &service->mark;

	if (!mark->file)
		return error_wrap(err, "services.%s.volumes_from", service->name);
	return error_wrap(err, "%s:%u:%u: services.%s.volumes_from", mark->file, mark->line,
		mark->column, service->name);
}

static int parse(const char *text, struct origin *ret, struct error *err)
{
	const char *mode;

	ret->is_container = strncmp(text, CONTAINER_PREFIX, strlen(CONTAINER_PREFIX)) == 0;
	if (ret->is_container)
		text += strlen(CONTAINER_PREFIX);
	mode = strchr(text, ':');
	if (mode && strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0)
		return error_set(err, -EINVAL, "invalid mode: %s", mode + 1);
	ret->read_only = mode && strcmp(mode, ":ro") == 0;
	ret->name = xstrndup(text, mode ? (size_t)(mode - text) : strlen(text));
	return 0;
}

static bool stands_for(const struct container *container, const char *service)
{
	const char *label = container_label(container, LABEL_SERVICE);
	const char *one_off = container_label(container, LABEL_ONE_OFF);

	return label && strcmp(label, service) == 0 && !(one_off && strcmp(one_off, "True") == 0);
}

static unsigned long number_of(const struct container *container)
{
	const char *number = container_label(container, LABEL_NUMBER);

	return number ? strtoul(number, NULL, 10) : 0;
}

/* While one is being replaced there are two of its number, of which the newer counts (the list is
 * in the order of creation). */
int service_first_container(const struct engine *engine, const char *group, const char *service,
	struct container **ret, struct error *err)
{
	struct container **list = NULL, **found = NULL;
	size_t count = 0;
	int r = container_list(engine, group, &list, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (stands_for(list[i], service) &&
			(!found || number_of(list[i]) <= number_of(*found)))
			found = &list[i];
	if (found)
		*ret = steal_ptr(*found);
	else
		r = error_set(err, -ENOENT, "service \"%s\" has no container", service);
	container_list_free(list, count);
	return r;
}

static bool is_own(const struct service *service, const char *destination)
{
	for (size_t i = 0; i < service->mount_count; i++) {
		cleanup_free char *target = path_clean(service->mounts[i].target);

		if (strcmp(target, destination) == 0)
			return true;
	}
	return false;
}

static struct spec_mount *mount_at(struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		cleanup_free char *clean = path_clean(spec->mounts[i].destination);

		if (strcmp(clean, destination) == 0)
			return &spec->mounts[i];
	}
	return array_add(spec->mounts, spec->mount_count);
}

static void take_over(
	const struct spec *from, bool read_only, const struct service *service, struct spec *to)
{
	for (size_t i = 0; i < from->mount_count; i++) {
		const struct spec_mount *mount = &from->mounts[i];
		cleanup_free char *destination = path_clean(mount->destination);
		struct spec_mount *place;

		if (mount->type == MOUNT_TMPFS || is_own(service, destination))
			continue;
		place = mount_at(to, destination);
		spec_mount_release(place);
		spec_mount_copy(mount, place);
		place->read_only |= read_only;
	}
}

static int add_one(const struct engine *engine, const struct project *project,
	const struct service *service, const char *text, struct container *container,
	struct error *err)
{
	cleanup_container struct container *source = NULL;
	struct origin origin = { 0 };
	int r = parse(text, &origin, err);

	if (r == 0)
		r = origin.is_container ? container_find(engine, origin.name, &source, err)
					: service_first_container(
						  engine, project->name, origin.name, &source, err);
	if (r == 0)
		take_over(&source->spec, origin.read_only, service, &container->spec);
	free(origin.name);
	return r;
}

int service_add_volumes_from(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err)
{
	for (char **text = service->volumes_from; text && *text; text++)
		if (add_one(engine, project, service, *text, container, err) < 0)
			return wrap_place(err, service);
	return 0;
}

int service_check_volumes_from(
	const struct engine *engine, const struct service *service, struct error *err)
{
	for (char **text = service->volumes_from; text && *text; text++) {
		cleanup_container struct container *source = NULL;
		struct origin origin = { 0 };
		int r = parse(*text, &origin, err);

		if (r == 0 && origin.is_container)
			r = container_find(engine, origin.name, &source, err);
		free(origin.name);
		if (r < 0)
			return wrap_place(err, service);
	}
	return 0;
}
