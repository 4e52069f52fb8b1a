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

static void note_profiles(struct loader *l, const struct node *service)
{
	const struct node *profiles = node_get(service, "profiles");

	for (size_t i = 0; profiles && i < profiles->count; i++)
		if (!strv_contains(l->project->known_profiles, profiles->entries[i].value->text))
			strv_add(&l->project->known_profiles, profiles->entries[i].value->text);
}

void loader_apply_profiles(struct loader *l)
{
	struct node *services = node_get(l->tree, "services");
	struct node *enabled;

	if (!services || services->kind != NODE_MAPPING)
		return;
	enabled = node_new(l->arena, NODE_MAPPING, services->mark);
	for (size_t i = 0; i < services->count; i++) {
		const struct node_entry *entry = &services->entries[i];

		note_profiles(l, entry->value);
		if (is_enabled(l, entry->key, entry->value))
			node_append(l->arena, enabled, entry->key, entry->key_mark, entry->value);
		else
			strv_add(&l->project->disabled_services, entry->key);
	}
	node_set(l->arena, l->tree, "services", enabled);
}
