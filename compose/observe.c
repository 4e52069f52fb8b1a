/* SPDX-License-Identifier: GPL-2.0-or-later
 * observe.c - read a project's containers, networks and volumes by their labels. */
#include "compose/observe.h"

#include <string.h>

#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"
#include "engine/container/damage.h"
#include "engine/container/volume.h"
#include "engine/net/network.h"

static enum observed_status observed_status_of(enum container_status status)
{
	switch (status) {
	case CONTAINER_CREATED:
		return OBSERVED_CREATED;
	case CONTAINER_RUNNING:
		return OBSERVED_RUNNING;
	case CONTAINER_PAUSED:
		return OBSERVED_PAUSED;
	case CONTAINER_RESTARTING:
		return OBSERVED_RESTARTING;
	case CONTAINER_EXITED:
	case CONTAINER_DEAD:
		break;
	}
	return OBSERVED_EXITED;
}

static enum observed_health observed_health_of(enum container_health health)
{
	switch (health) {
	case HEALTH_STARTING:
		return OBSERVED_HEALTH_STARTING;
	case HEALTH_HEALTHY:
		return OBSERVED_HEALTHY;
	case HEALTH_UNHEALTHY:
		return OBSERVED_UNHEALTHY;
	case HEALTH_NONE:
		break;
	}
	return OBSERVED_NO_HEALTHCHECK;
}

/* The label is "db:service_started:false,cache:…". */
static void read_dependencies(
	struct arena *arena, const char *label, struct observed_container *item)
{
	cleanup_strv char **entries = strv_split(label ? label : "", ",");
	size_t count = strv_length(entries);

	item->depends_on = arena_alloc(arena, (count + 1) * sizeof(char *));
	item->depends_how = arena_alloc(arena, (count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		char *colon = strchr(entries[i], ':');

		item->depends_how[i] = arena_strdup(arena, colon ? colon + 1 : "");
		if (colon)
			*colon = '\0';
		item->depends_on[i] = arena_strdup(arena, entries[i]);
	}
}

static const char *label_or_empty(
	struct arena *arena, const struct container *container, const char *key)
{
	const char *value = container_label(container, key);

	return arena_strdup(arena, value ? value : "");
}

static char **shared_ids(struct arena *arena, const struct spec *spec)
{
	const struct spec_namespace *const namespaces[] = { &spec->network, &spec->pid,
		&spec->ipc };
	char **ids = arena_alloc(arena, (ARRAY_LEN(namespaces) + 1) * sizeof(*ids));
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if (namespaces[i]->mode == NAMESPACE_CONTAINER && namespaces[i]->container)
			ids[count++] = arena_strdup(arena, namespaces[i]->container);
	return ids;
}

static char **lasting_mounts(struct arena *arena, const struct spec *spec)
{
	char **places = arena_alloc(arena, (spec->mount_count + 1) * sizeof(*places));

	for (size_t i = 0; !spec_may_unmount(spec) && i < spec->mount_count; i++)
		places[i] = arena_strdup(arena, spec->mounts[i].destination);
	return places;
}

static int observe_container(const struct engine *engine, struct observed *observed,
	const struct container *container, struct error *err)
{
	struct arena *arena = observed->arena;
	struct container_state state = { 0 };
	struct observed_container *item;
	const char *one_off = container_label(container, LABEL_ONE_OFF);
	const char *number = container_label(container, LABEL_NUMBER);
	uint64_t value = 0;
	int r;

	r = container_load_state(engine, container->id, &state, err);
	if (r < 0)
		return error_wrap(err, "container %s", container->name);
	if (number)
		(void)parse_u64(number, 0, UINT32_MAX, &value);
	item = arena_array_add(arena, observed->containers, observed->container_count);
	item->id = arena_strdup(arena, container->id);
	item->name = arena_strdup(arena, container->name);
	item->service = label_or_empty(arena, container, LABEL_SERVICE);
	item->number = (unsigned int)value;
	item->one_off = one_off && !strcmp(one_off, "True");
	item->config_hash = label_or_empty(arena, container, LABEL_CONFIG_HASH);
	item->image_id = arena_strdup(arena, container->image_id);
	item->status = observed_status_of(state.status);
	item->health = observed_health_of(state.health);
	item->exit_code = state.exit_code;
	item->pid = item->status == OBSERVED_RUNNING ? state.process.pid : 0;
	item->networks = arena_alloc(arena, (container->attachment_count + 1) * sizeof(char *));
	for (size_t i = 0; i < container->attachment_count; i++)
		item->networks[i] = arena_strdup(arena, container->attachments[i].network);
	item->mounts = lasting_mounts(arena, &container->spec);
	item->shares = shared_ids(arena, &container->spec);
	read_dependencies(arena, container_label(container, LABEL_DEPENDS_ON), item);
	container_state_release(&state);
	return 0;
}

static int observe_containers(
	const struct engine *engine, struct observed *observed, struct error *err)
{
	struct container **containers = NULL;
	size_t count = 0;
	int r;

	r = container_list(engine, NULL, &containers, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *project = container_label(containers[i], LABEL_PROJECT);

		if (project && !strcmp(project, observed->project))
			r = observe_container(engine, observed, containers[i], err);
	}
	container_list_free(containers, count);
	return r;
}

/* "KEY=value" vectors, as networks and volumes keep their labels. */
static bool belongs(char *const *labels, const char *project)
{
	const char *value = env_get(labels, LABEL_PROJECT);

	return value && !strcmp(value, project);
}

static const char *arena_label(struct arena *arena, char *const *labels, const char *key)
{
	const char *value = env_get(labels, key);

	return arena_strdup(arena, value ? value : "");
}

static int observe_networks(
	const struct engine *engine, struct observed *observed, struct error *err)
{
	struct network **networks = NULL;
	size_t count = 0;
	int r = network_list(engine, &networks, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct observed_network *item;

		if (!belongs(networks[i]->labels, observed->project))
			continue;
		item = arena_array_add(
			observed->arena, observed->networks, observed->network_count);
		item->name = arena_strdup(observed->arena, networks[i]->name);
		item->key = arena_label(observed->arena, networks[i]->labels, LABEL_NETWORK);
		item->config_hash =
			arena_label(observed->arena, networks[i]->labels, LABEL_CONFIG_HASH);
	}
	network_list_free(networks, count);
	return r;
}

static int observe_volumes(
	const struct engine *engine, struct observed *observed, struct error *err)
{
	struct volume **volumes = NULL;
	size_t count = 0;
	int r = volume_list(engine, &volumes, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct observed_volume *item;

		if (!belongs(volumes[i]->labels, observed->project))
			continue;
		item = arena_array_add(observed->arena, observed->volumes, observed->volume_count);
		item->name = arena_strdup(observed->arena, volumes[i]->name);
		item->key = arena_label(observed->arena, volumes[i]->labels, LABEL_VOLUME);
		item->config_hash =
			arena_label(observed->arena, volumes[i]->labels, LABEL_CONFIG_HASH);
	}
	volume_list_free(volumes, count);
	return r;
}

int observe_project(
	const struct engine *engine, const char *project, struct observed *ret, struct error *err)
{
	struct observed observed = { .arena = arena_new() };
	int r;

	observed.project = arena_strdup(observed.arena, project);
	r = observe_containers(engine, &observed, err);
	if (r == 0)
		r = observe_networks(engine, &observed, err);
	if (r == 0)
		r = observe_volumes(engine, &observed, err);
	if (r < 0) {
		observed_release(&observed);
		return r;
	}
	observed_sort(&observed);
	*ret = observed;
	return 0;
}

void observe_damage(struct observed *observed)
{
	for (size_t i = 0; i < observed->container_count; i++) {
		struct observed_container *item = &observed->containers[i];

		if (item->pid > 0)
			item->damage = container_damage(
				item->id, item->pid, strv_length(item->networks), item->mounts);
	}
}
