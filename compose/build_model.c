/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_model.c - the checked canonical tree becomes the plain structs of model.h. */
#include "compose/build_service.h"
#include "compose/node_values.h"

static void build_pools(struct loader *l, struct project_network *network, const struct node *node)
{
	const struct node *pools = node_get(node_get(node, "ipam"), "config");

	if (!pools || pools->count == 0)
		return;
	network->pools = arena_alloc(l->arena, pools->count * sizeof(*network->pools));
	for (size_t i = 0; i < pools->count; i++) {
		const struct node *pool = pools->entries[i].value;

		network->pools[i].mark = pool->mark;
		network->pools[i].subnet = value_text(pool, "subnet");
		network->pools[i].gateway = value_text(pool, "gateway");
		network->pools[i].ip_range = value_text(pool, "ip_range");
		network->pools[i].aux_addresses = value_pairs(l, pool, "aux_addresses");
	}
	network->pool_count = pools->count;
}

static void build_network(
	struct loader *l, struct project_network *network, const struct node_entry *entry)
{
	network->mark = entry->key_mark;
	network->key = entry->key;
	network->name = value_text(entry->value, "name");
	network->external = node_get_bool(entry->value, "external", false);
	network->internal = node_get_bool(entry->value, "internal", false);
	network->enable_ipv6 = node_get_bool(entry->value, "enable_ipv6", false);
	network->disable_ipv4 = !node_get_bool(entry->value, "enable_ipv4", true);
	network->attachable = node_get_bool(entry->value, "attachable", false);
	network->driver = value_text(entry->value, "driver");
	network->driver_opts = value_pairs(l, entry->value, "driver_opts");
	network->labels = value_pairs(l, entry->value, "labels");
	build_pools(l, network, entry->value);
}

static void build_volume(
	struct loader *l, struct project_volume *volume, const struct node_entry *entry)
{
	volume->mark = entry->key_mark;
	volume->key = entry->key;
	volume->name = value_text(entry->value, "name");
	volume->external = node_get_bool(entry->value, "external", false);
	volume->driver = value_text(entry->value, "driver");
	volume->driver_opts = value_pairs(l, entry->value, "driver_opts");
	volume->labels = value_pairs(l, entry->value, "labels");
}

static void build_file_source(
	struct loader *l, struct file_source *source, const struct node_entry *entry)
{
	source->mark = entry->key_mark;
	source->key = entry->key;
	source->name = value_text(entry->value, "name");
	source->external = node_get_bool(entry->value, "external", false);
	source->file = value_text(entry->value, "file");
	source->environment = value_text(entry->value, "environment");
	source->content = node_get_text(entry->value, "content");
	if (source->environment)
		source->content = loader_getenv(l, source->environment);
	source->labels = value_pairs(l, entry->value, "labels");
}

/* Sections are looked up by bsearch, so they are sorted here, in the tree as well. */
static struct node *sorted_section(struct loader *l, const char *name, size_t *ret_count)
{
	struct node *node = node_get(l->tree, name);

	*ret_count = node && node->kind == NODE_MAPPING ? node->count : 0;
	if (*ret_count > 0)
		node_sort(node);
	return node;
}

static void build_file_sources(
	struct loader *l, const char *name, struct file_source **ret, size_t *ret_count)
{
	struct node *node = sorted_section(l, name, ret_count);

	*ret = arena_alloc(l->arena, (*ret_count + 1) * sizeof(**ret));
	for (size_t i = 0; i < *ret_count; i++)
		build_file_source(l, &(*ret)[i], &node->entries[i]);
}

void loader_build(struct loader *l)
{
	struct project *project = l->project;
	struct node *node;

	node = sorted_section(l, "services", &project->service_count);
	project->services =
		arena_alloc(l->arena, (project->service_count + 1) * sizeof(*project->services));
	for (size_t i = 0; i < project->service_count; i++)
		build_service(l, &project->services[i], &node->entries[i]);
	node = sorted_section(l, "networks", &project->network_count);
	project->networks =
		arena_alloc(l->arena, (project->network_count + 1) * sizeof(*project->networks));
	for (size_t i = 0; i < project->network_count; i++)
		build_network(l, &project->networks[i], &node->entries[i]);
	node = sorted_section(l, "volumes", &project->volume_count);
	project->volumes =
		arena_alloc(l->arena, (project->volume_count + 1) * sizeof(*project->volumes));
	for (size_t i = 0; i < project->volume_count; i++)
		build_volume(l, &project->volumes[i], &node->entries[i]);
	build_file_sources(l, "configs", &project->configs, &project->config_count);
	build_file_sources(l, "secrets", &project->secrets, &project->secret_count);
}
