/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_print.c - a plan as text for people and as JSON for programs. */
#include <string.h>

#include "compose/plan.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"

const char *const plan_kind_names[PLAN_KIND_COUNT] = {
	[PLAN_CREATE_NETWORK] = "create network",
	[PLAN_CREATE_VOLUME] = "create volume",
	[PLAN_CREATE] = "create container",
	[PLAN_RENAME] = "rename container",
	[PLAN_START] = "start container",
	[PLAN_STOP] = "stop container",
	[PLAN_RESTART] = "restart container",
	[PLAN_REMOVE] = "remove container",
	[PLAN_REMOVE_NETWORK] = "remove network",
	[PLAN_REMOVE_VOLUME] = "remove volume",
	[PLAN_KEEP] = "keep container",
	[PLAN_WAIT_HEALTHY] = "wait for health of container",
	[PLAN_WAIT_COMPLETED] = "wait for end of container",
	[PLAN_WAIT_READY] = "wait for container",
	[PLAN_DELAY] = "delay update of service",
};

void plan_print(const struct plan *plan, struct strbuf *out)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];

		strbuf_addf(out, "%s %s", plan_kind_names[action->kind], action->name);
		if (action->why)
			strbuf_addf(out, " (%s)", action->why);
		strbuf_add_char(out, '\n');
	}
}

static const char *object_of(enum plan_kind kind)
{
	switch (kind) {
	case PLAN_CREATE_NETWORK:
	case PLAN_REMOVE_NETWORK:
		return "network";
	case PLAN_CREATE_VOLUME:
	case PLAN_REMOVE_VOLUME:
		return "volume";
	case PLAN_DELAY:
		return "service";
	default:
		return "container";
	}
}

static const char *const verbs[PLAN_KIND_COUNT] = {
	[PLAN_CREATE_NETWORK] = "create",
	[PLAN_CREATE_VOLUME] = "create",
	[PLAN_CREATE] = "create",
	[PLAN_RENAME] = "rename",
	[PLAN_START] = "start",
	[PLAN_STOP] = "stop",
	[PLAN_RESTART] = "restart",
	[PLAN_REMOVE] = "remove",
	[PLAN_REMOVE_NETWORK] = "remove",
	[PLAN_REMOVE_VOLUME] = "remove",
	[PLAN_KEEP] = "keep",
	[PLAN_WAIT_HEALTHY] = "wait-healthy",
	[PLAN_WAIT_COMPLETED] = "wait-completed",
	[PLAN_WAIT_READY] = "wait-ready",
	[PLAN_DELAY] = "delay",
};

static struct json *action_json(const struct plan_action *action)
{
	struct json *object = json_new_object();
	struct json *after = json_new_array();

	json_set_string(object, "kind", verbs[action->kind]);
	json_set_string(object, "object", object_of(action->kind));
	json_set_string(object, "service", action->service ? action->service->name : NULL);
	if (action->number)
		json_set_int(object, "number", action->number);
	json_set_string(object, "name", action->name);
	json_set_string(object, "id", action->id);
	json_set_string(object, "replaces", action->replaces ? action->replaces->id : NULL);
	json_set_string(object, "reason", action->why);
	for (size_t i = 0; i < action->after_count; i++)
		json_append(after, json_new_int((int64_t)action->after[i]));
	json_set(object, "after", after);
	return object;
}

void plan_print_json(const struct plan *plan, struct strbuf *out)
{
	cleanup_json struct json *array = json_new_array();
	cleanup_free char *text = NULL;

	for (size_t i = 0; i < plan->count; i++)
		json_append(array, action_json(&plan->actions[i]));
	text = json_print_go(array);
	strbuf_addf(out, "%s\n", text);
}
