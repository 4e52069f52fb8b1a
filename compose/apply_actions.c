/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply_actions.c - one small handler for each kind of planned action. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "compose/labels.h"
#include "compose/service_namespaces.h"
#include "compose/service_networks.h"
#include "compose/service_grants.h"
#include "compose/service_volumes_from.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"
#include "engine/container/volume.h"
#include "engine/net/network.h"

void apply_progress(const struct apply *apply, const struct plan_action *action, const char *text,
	enum progress_status status, const char *details)
{
	cleanup_free char *id = NULL;
	struct progress_event event = { .text = text, .status = status, .details = details };

	if (!apply->options->progress)
		return;
	switch (action->kind) {
	case PLAN_CREATE_NETWORK:
	case PLAN_REMOVE_NETWORK:
		id = xasprintf("Network %s", action->name);
		break;
	case PLAN_CREATE_VOLUME:
	case PLAN_REMOVE_VOLUME:
		id = xasprintf("Volume \"%s\"", action->name);
		break;
	default:
		id = xasprintf("Container %s", action->name);
		break;
	}
	event.id = id;
	apply->options->progress(&event, apply->options->arg);
}

/* The id of the container created in this plan for the action's slot. */
static const char *slot_id(const struct apply *apply, const struct plan_action *action)
{
	for (size_t i = 0; i < apply->plan->count; i++) {
		const struct plan_action *other = &apply->plan->actions[i];

		if (other->kind == PLAN_CREATE && other->service == action->service &&
			other->number == action->number && apply->steps[i].container)
			return apply->steps[i].container->id;
	}
	return NULL;
}

int apply_container(struct apply *apply, const struct plan_action *action, struct container **ret,
	struct error *err)
{
	const char *id = action->id ? action->id : slot_id(apply, action);

	if (!id)
		return error_set(err, -ENOENT, "container %s was not created", action->name);
	return container_load(apply->options->engine, id, ret, err);
}

static int create_network(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	const struct project_network *network = action->network;
	cleanup_strv char **labels = strv_copy(network->labels);
	cleanup_network struct network *made = NULL;
	cleanup_strv char **reserved = NULL;
	struct network_request request;
	int r;

	env_set(&labels, LABEL_PROJECT, apply->options->project_name);
	env_set(&labels, LABEL_NETWORK, network->key);
	env_set(&labels, LABEL_VERSION, MYCOMPOSE_VERSION);
	env_set(&labels, LABEL_CONFIG_HASH, network->config_hash);
	apply_progress(apply, action, "Creating", PROGRESS_WORKING, NULL);
	r = project_network_request(network, &request, &reserved, err);
	request.labels = labels;
	if (r == 0)
		r = network_create(apply->options->engine, &request, &made, err);
	if (r < 0) {
		if (network->mark.file)
			return error_wrap(err, "%s:%u:%u: networks.%s", network->mark.file,
				network->mark.line, network->mark.column, network->key);
		return error_wrap(err, "network %s", network->name);
	}
	apply_progress(apply, action, "Created", PROGRESS_DONE, NULL);
	return 0;
}

static int create_volume(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	cleanup_strv char **labels = strv_copy(action->volume->labels);
	int r;

	env_set(&labels, LABEL_PROJECT, apply->options->project_name);
	env_set(&labels, LABEL_VOLUME, action->volume->key);
	env_set(&labels, LABEL_VERSION, MYCOMPOSE_VERSION);
	env_set(&labels, LABEL_CONFIG_HASH, action->volume->config_hash);
	apply_progress(apply, action, "Creating", PROGRESS_WORKING, NULL);
	r = volume_create_with_options(apply->options->engine, action->volume->name, labels,
		action->volume->driver_opts, err);
	if (r < 0)
		return error_wrap(err, "volume %s", action->volume->name);
	apply_progress(apply, action, "Created", PROGRESS_DONE, NULL);
	return 0;
}

/* Anonymous volumes live as long as their place in the project: the successor takes them over. */
static void carry_anonymous_volumes(const struct container *from, struct container *to)
{
	for (size_t i = 0; i < to->spec.mount_count; i++) {
		struct spec_mount *mount = &to->spec.mounts[i];

		for (size_t j = 0; mount->anonymous && j < from->spec.mount_count; j++) {
			const struct spec_mount *old = &from->spec.mounts[j];

			if (old->anonymous && !strcmp(old->destination, mount->destination)) {
				free(mount->source);
				mount->source = xstrdup(old->source);
			}
		}
	}
}

static int take_place_of(struct apply *apply, const struct plan_action *action,
	struct container *container, struct error *err)
{
	const struct observed_container *old = action->replaces;
	const struct service *service = action->service;
	cleanup_free char *place = service->container_name
					   ? xstrdup(service->container_name)
					   : xasprintf("%s-%u", service->name, action->number);
	cleanup_container struct container *record = NULL;
	int r;

	container->name = xasprintf("%.12s_%s", old->id, action->name);
	env_set(&container->labels, LABEL_REPLACE, place);
	strv_sort(container->labels);
	if (apply->options->renew_anonymous_volumes)
		return 0;
	r = container_load(apply->options->engine, old->id, &record, err);
	if (r == 0)
		carry_anonymous_volumes(record, container);
	return r;
}

static int create_container(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	const struct apply_options *options = apply->options;
	cleanup_container struct container *container = steal_ptr(options->records->items[index]);
	int r = 0;

	apply_progress(
		apply, action, action->replaces ? "Recreate" : "Creating", PROGRESS_WORKING, NULL);
	if (action->replaces)
		r = take_place_of(apply, action, container, err);
	else
		container->name = xstrdup(action->name);
	if (r == 0)
		r = service_add_volumes_from(
			options->engine, options->project, action->service, container, err);
	if (r == 0)
		r = service_join_namespaces(
			options->engine, options->project, action->service, container, err);
	if (r == 0)
		r = container_create(options->engine, container, err);
	if (r < 0)
		return r;
	cgroup_resources_warn(&container->spec.resources);
	apply->steps[index].container = steal_ptr(container);
	if (!action->replaces)
		apply_progress(apply, action, "Created", PROGRESS_DONE, NULL);
	return 0;
}

static int rename_container(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	cleanup_container struct container *container = NULL;
	int r = apply_container(apply, action, &container, err);

	if (r < 0)
		return r;
	env_set(&container->labels, LABEL_REPLACE, NULL); /* it has taken its place */
	r = container_rename(apply->options->engine, container, action->name, err);
	if (r < 0)
		return r;
	apply_progress(apply, action, "Recreated", PROGRESS_DONE, NULL);
	return 0;
}

static int submit(struct apply *apply, size_t index, enum operation operation, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	const char *id = action->id ? action->id : slot_id(apply, action);
	struct request request = {
		.operation = operation,
		.timeout_ns = apply->options->stop_timeout_ns,
	};

	if (!id)
		return error_set(err, -ENOENT, "container %s was not created", action->name);
	snprintf(request.id, sizeof(request.id), "%s", id);
	snprintf(apply->steps[index].container_id, sizeof(request.id), "%s", id);
	return control_submit(apply->options->control, &request, &apply->steps[index].tag, err);
}

/* One made by this plan has just been given its own. */
static int restore_grants(struct apply *apply, const struct plan_action *action, struct error *err)
{
	cleanup_container struct container *container = NULL;
	int r;

	if (!action->id)
		return 0;
	r = apply_container(apply, action, &container, err);
	return r < 0 ? r
		     : service_restore_grants(
			       apply->options->engine, apply->options->project, container, err);
}

static int start_container(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	int r = restore_grants(apply, action, err);

	if (r < 0)
		return r;

	/* `up` on what exists but does not run: first that it is there, as Compose tells it. */
	if (action->id && action->why)
		apply_progress(apply, action, "Created", PROGRESS_DONE, NULL);
	apply_progress(apply, &apply->plan->actions[index], "Starting", PROGRESS_WORKING, NULL);
	return submit(apply, index, OPERATION_START, err);
}

static void started(struct apply *apply, size_t index)
{
	apply_progress(apply, &apply->plan->actions[index], "Started", PROGRESS_DONE, NULL);
}

static void stopped(struct apply *apply, size_t index)
{
	if (!apply->plan->actions[index].service)
		apply_progress(apply, &apply->plan->actions[index], "Stopped", PROGRESS_DONE, NULL);
}

/* A one-off container is minded by a supervisor of its own, or, when that is dead, by us until it
 * has stopped: either way beside the project's. */
static int stop_in_own_group(
	struct apply *apply, size_t index, const struct container *container, struct error *err)
{
	struct request request = {
		.operation = OPERATION_STOP,
		.timeout_ns = apply->options->stop_timeout_ns,
	};
	struct supervisor_hooks hooks = { 0 };
	struct apply_step *step = &apply->steps[index];
	int r = control_open(apply->options->engine, container->group, CONTROL_FOREGROUND, &hooks,
		&step->own_control, err);

	snprintf(request.id, sizeof(request.id), "%s", container->id);
	return r < 0 ? r : control_submit(step->own_control, &request, &step->tag, err);
}

static int stop_one_off(struct apply *apply, size_t index, struct error *err)
{
	cleanup_container struct container *container = NULL;
	int r = apply_container(apply, &apply->plan->actions[index], &container, err);

	if (r == -ENOENT) {
		error_release(err);
		return 0; /* somebody was faster */
	}
	if (r < 0)
		return r;
	return stop_in_own_group(apply, index, container, err);
}

static int stop_container(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];

	/* Within a replacement the user sees Recreate … Recreated, not the old one's stop. */
	if (!action->service)
		apply_progress(apply, action, "Stopping", PROGRESS_WORKING, NULL);
	return action->one_off ? stop_one_off(apply, index, err)
			       : submit(apply, index, OPERATION_STOP, err);
}

static int restart_container(struct apply *apply, size_t index, struct error *err)
{
	int r = restore_grants(apply, &apply->plan->actions[index], err);

	if (r < 0)
		return r;
	apply_progress(apply, &apply->plan->actions[index], "Restarting", PROGRESS_WORKING, NULL);
	return submit(apply, index, OPERATION_RESTART, err);
}

static int remove_container(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	bool quiet = action->service != NULL;
	cleanup_container struct container *container = NULL;
	int r = apply_container(apply, action, &container, err);

	if (r == -ENOENT) {
		error_release(err);
		return 0; /* somebody was faster */
	}
	if (r < 0)
		return r;
	if (!quiet)
		apply_progress(apply, action, "Removing", PROGRESS_WORKING, NULL);
	r = container_remove(apply->options->engine, container,
		apply->options->remove_anonymous_volumes ||
			(quiet && apply->options->renew_anonymous_volumes),
		apply->volume_users, err);
	if (r < 0)
		return r;
	if (!quiet)
		apply_progress(apply, action, "Removed", PROGRESS_DONE, NULL);
	return 0;
}

/* Compose's way: what others still use is left, with a warning, and that is no failure. */
static int resource_removed(
	struct apply *apply, const struct plan_action *action, int r, struct error *err)
{
	if (r == -EBUSY) {
		apply_progress(apply, action, "Resource is still in use", PROGRESS_WARNING, NULL);
		error_release(err);
		return 0;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	error_release(err);
	apply_progress(apply, action, "Removed", PROGRESS_DONE, NULL);
	return 0;
}

static int remove_network(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];
	int r;

	apply_progress(apply, action, "Removing", PROGRESS_WORKING, NULL);
	r = network_remove(apply->options->engine, action->name, err);
	if (r < 0 && action->network) /* it must be made anew: in use is a failure here */
		return r == -ENOENT ? 0 : r;
	return resource_removed(apply, action, r, err);
}

static int remove_volume(struct apply *apply, size_t index, struct error *err)
{
	const struct plan_action *action = &apply->plan->actions[index];

	int r;

	apply_progress(apply, action, "Removing", PROGRESS_WORKING, NULL);
	r = volume_remove(apply->options->engine, action->name, apply->volume_users, err);
	if (r < 0 && action->volume) /* it must be made anew: in use is a failure here */
		return r == -ENOENT ? 0 : r;
	return resource_removed(apply, action, r, err);
}

static int keep_container(struct apply *apply, size_t index, struct error *err)
{
	(void)err;
	apply_progress(apply, &apply->plan->actions[index], "Running", PROGRESS_DONE, NULL);
	return 0;
}

const struct apply_handler apply_handlers[PLAN_KIND_COUNT] = {
	[PLAN_CREATE_NETWORK] = { create_network, NULL },
	[PLAN_CREATE_VOLUME] = { create_volume, NULL },
	[PLAN_CREATE] = { create_container, NULL },
	[PLAN_RENAME] = { rename_container, NULL },
	[PLAN_START] = { start_container, started },
	[PLAN_STOP] = { stop_container, stopped },
	[PLAN_RESTART] = { restart_container, started },
	[PLAN_REMOVE] = { remove_container, NULL },
	[PLAN_REMOVE_NETWORK] = { remove_network, NULL },
	[PLAN_REMOVE_VOLUME] = { remove_volume, NULL },
	[PLAN_KEEP] = { keep_container, NULL },
	[PLAN_WAIT_HEALTHY] = { gate_begin, gate_finished },
	[PLAN_WAIT_COMPLETED] = { gate_begin, gate_finished },
	[PLAN_WAIT_READY] = { gate_begin, gate_finished },
	[PLAN_DELAY] = { gate_begin, gate_finished },
};
