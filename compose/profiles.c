/* SPDX-License-Identifier: GPL-2.0-or-later
 * profiles.c - which services are enabled. */
#include "compose/loader.h"

#include <string.h>

#include "engine/base/strv.h"

static bool is_enabled(const struct loader *l, const char *name, const struct node *service)
{
	const struct node *profiles = node_get(service, "profiles");

	if (!profiles || profiles->count == 0 || l->options->all_services ||
		strv_contains(l->project->profiles, "*") ||
		strv_contains(l->options->services, name))
		return true;
	for (size_t i = 0; i < profiles->count; i++)
		if (strv_contains(l->project->profiles, profiles->entries[i].value->text))
			return true;
	return false;
}

static void note_profiles(struct strmap *known, const struct node *service)
{
	const struct node *profiles = node_get(service, "profiles");

	for (size_t i = 0; profiles && i < profiles->count; i++)
		strmap_set(known, profiles->entries[i].value->text, NULL);
}

static char **keys_of(struct arena *arena, const struct strmap *map)
{
	char **keys = arena_alloc(arena, (map->count + 1) * sizeof(*keys));

	for (size_t i = 0; i < map->count; i++)
		keys[i] = arena_strdup(arena, map->entries[i].key);
	strv_sort(keys);
	return keys;
}

void loader_apply_profiles(struct loader *l)
{
	struct node *services = node_get(l->tree, "services");
	struct strmap known = STRMAP_INIT, disabled = STRMAP_INIT;
	struct node *enabled;

	if (!services || services->kind != NODE_MAPPING)
		return;
	enabled = node_new(l->arena, NODE_MAPPING, services->mark);
	for (size_t i = 0; i < services->count; i++) {
		const struct node_entry *entry = &services->entries[i];

		note_profiles(&known, entry->value);
		if (is_enabled(l, entry->key, entry->value))
			node_append(l->arena, enabled, entry->key, entry->key_mark, entry->value);
		else
			strmap_set(&disabled, entry->key, NULL);
	}
	l->project->known_profiles = keys_of(l->arena, &known);
	l->project->disabled_services = keys_of(l->arena, &disabled);
	strmap_release(&known);
	strmap_release(&disabled);
	node_set(l->arena, l->tree, "services", enabled);
}
