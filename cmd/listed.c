/* SPDX-License-Identifier: GPL-2.0-or-later
 * listed.c - load, pick and order the containers of a listing. */
#include "cmd/listed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/labels.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"

void listed_release(struct listed_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		container_free(set->items[i].container);
		container_state_release(&set->items[i].state);
	}
	free(set->items);
	*set = (struct listed_set)LISTED_INIT;
}

static bool belongs(const struct container *container, const char *project)
{
	const char *label = container_label(container, LABEL_PROJECT);

	return !project || (label && !strcmp(label, project));
}

int listed_load(
	const struct engine *engine, const char *project, struct listed_set *ret, struct error *err)
{
	cleanup_listed struct listed_set set = LISTED_INIT;
	struct container **containers = NULL;
	size_t count = 0;
	int r = container_list(engine, NULL, &containers, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_error struct error state_err = ERROR_INIT;
		struct container_state state = { 0 };
		struct listed *item;

		if (!belongs(containers[i], project))
			continue;
		if (container_load_state(engine, containers[i]->id, &state, &state_err) < 0) {
			/* Removed since the list was read; anything else is worth a word. */
			if (state_err.code != -ENOENT)
				log_warning("container %s: %s", containers[i]->name,
					error_text(&state_err));
			continue;
		}
		item = array_add(set.items, set.count);
		item->container = steal_ptr(containers[i]);
		item->state = state;
	}
	for (size_t i = 0; i < count; i++)
		container_free(containers[i]);
	free(containers);
	if (r < 0)
		return r;
	*ret = set;
	set = (struct listed_set)LISTED_INIT;
	return 0;
}

void listed_filter(
	struct listed_set *set, bool (*keep)(const struct listed *listed, void *arg), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (keep(&set->items[i], arg)) {
			set->items[kept++] = set->items[i];
			continue;
		}
		container_free(set->items[i].container);
		container_state_release(&set->items[i].state);
	}
	set->count = kept;
}

static int compare_names(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;

	return strcmp(a->container->name, b->container->name);
}

static int compare_ages(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;

	if (a->container->created_ns != b->container->created_ns)
		return a->container->created_ns > b->container->created_ns ? -1 : 1;
	return compare_names(left, right);
}

void listed_sort_by_name(struct listed_set *set)
{
	if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare_names);
}

void listed_sort_newest_first(struct listed_set *set)
{
	if (set->count)
		qsort(set->items, set->count, sizeof(*set->items), compare_ages);
}

bool listed_is_up(const struct listed *listed)
{
	return container_is_up(listed->state.status);
}

bool listed_is_one_off(const struct listed *listed)
{
	const char *label = container_label(listed->container, LABEL_ONE_OFF);

	return label && !strcmp(label, "True");
}

const char *listed_service(const struct listed *listed)
{
	const char *label = container_label(listed->container, LABEL_SERVICE);

	return label ? label : "";
}

unsigned int listed_number(const struct listed *listed)
{
	const char *label = container_label(listed->container, LABEL_NUMBER);
	uint64_t number = 0;

	if (label)
		(void)parse_u64(label, 0, UINT32_MAX, &number);
	return (unsigned int)number;
}
