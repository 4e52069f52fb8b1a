/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_namespaces.c - namespaces that a service shares with other containers. */
#include "compose/service_namespaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "compose/service_volumes_from.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"

#define SERVICE_PREFIX	 "service:"
#define CONTAINER_PREFIX "container:"

struct shared {
	const char *key;
	const char *mode;
	size_t offset; /* of the namespace in the spec */
};

#define SHARED_KEYS 3
static void shared_list(const struct service *service, struct shared ret[static SHARED_KEYS])
{
	ret[0] = (struct shared){ "network_mode", service->network_mode,
		offsetof(struct spec, network) };
	ret[1] = (struct shared){ "ipc", service->ipc, offsetof(struct spec, ipc) };
	ret[2] = (struct shared){ "pid", service->pid, offsetof(struct spec, pid) };
}

static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text && strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

int service_join_namespaces(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err)
{
	struct shared list[SHARED_KEYS];

	shared_list(service, list);
	for (size_t i = 0; i < SHARED_KEYS; i++) {
		const char *of_service = after(list[i].mode, SERVICE_PREFIX);
		const char *of_container = after(list[i].mode, CONTAINER_PREFIX);
		struct spec_namespace *to =
			(struct spec_namespace *)((char *)&container->spec + list[i].offset);
		cleanup_container struct container *other = NULL;
		int r = 0;

		if (of_service)
			r = service_first_container(engine, project->name, of_service, &other, err);
		else if (of_container)
			r = container_find(engine, of_container, &other, err);
		if (r < 0)
			return service_wrap_key(err, service, list[i].key);
		if (!other)
			continue;
		to->mode = NAMESPACE_CONTAINER;
		free(to->container);
		to->container = xstrdup(other->id);
	}
	return 0;
}

/* A namespace belongs to the user namespace that it was made in, or to the host's. */
static int check_user_namespaces(const struct project *project, const struct spec *spec,
	const struct shared *shared, const struct container *other, struct error *err)
{
	const char *of_service = after(shared->mode, SERVICE_PREFIX);
	const struct service *service =
		of_service ? project_find_service(project, of_service) : NULL;
	struct spec owner = { 0 };
	bool owner_is_mapped = other && spec_is_mapped(&other->spec);

	/* What cannot be read is told for that service. */
	if (service && spec_set_user_namespace(&owner, service->userns_mode, NULL) == 0)
		owner_is_mapped = spec_is_mapped(&owner);
	spec_release(&owner);
	if (!spec_is_mapped(spec) && !owner_is_mapped)
		return 0;
	return error_set(err, -EINVAL,
		"'%s' cannot be joined: a user namespace owns the namespaces that are made in it, "
		"so both must be without one (userns_mode)",
		shared->mode);
}

int service_check_namespaces(const struct engine *engine, const struct project *project,
	const struct service *service, const struct spec *spec, struct error *err)
{
	struct shared list[SHARED_KEYS];

	shared_list(service, list);
	for (size_t i = 0; i < SHARED_KEYS; i++) {
		const char *of_container = after(list[i].mode, CONTAINER_PREFIX);
		cleanup_container struct container *other = NULL;
		int r = 0;

		if (of_container)
			r = container_find(engine, of_container, &other, err);
		if (r == 0 && (of_container || after(list[i].mode, SERVICE_PREFIX)))
			r = check_user_namespaces(project, spec, &list[i], other, err);
		if (r < 0)
			return service_wrap_key(err, service, list[i].key);
	}
	return 0;
}
