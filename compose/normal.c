/* SPDX-License-Identifier: GPL-2.0-or-later
 * normal.c - fill in what the files left to the rules of the Compose Specification. */
#include "compose/loader.h"

#include <string.h>

#include "compose/pathnames.h"
#include "engine/base/memory.h"

static struct node *section(struct loader *l, const char *name)
{
	struct node *node = node_get(l->tree, name);

	if (!node) {
		node = node_new(l->arena, NODE_MAPPING, (struct mark){ 0 });
		node_set(l->arena, l->tree, name, node);
	}
	return node;
}

/* Add a dependency that another key implies, unless the file states one. */
static void imply_dependency(
	struct loader *l, struct node *service, const char *on, bool restart, struct mark mark)
{
	struct node *depends_on = node_get(service, "depends_on");
	struct node *dependency;

	if (!depends_on) {
		depends_on = node_new(l->arena, NODE_MAPPING, mark);
		node_set(l->arena, service, "depends_on", depends_on);
	}
	if (node_find(l->arena, depends_on, on))
		return;
	dependency = node_new(l->arena, NODE_MAPPING, mark);
	node_set_string(l->arena, dependency, "condition", "service_started");
	if (restart)
		node_set(l->arena, dependency, "restart", node_bool(l->arena, true, mark));
	node_set(l->arena, dependency, "required", node_bool(l->arena, true, mark));
	node_set(l->arena, depends_on, on, dependency);
}

static void imply_from_list(struct loader *l, struct node *service, const char *key, bool restart)
{
	const struct node *list = node_get(service, key);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *item = list->entries[i].value;
		size_t length = strcspn(item->text, ":");

		/* With two colons a link is no name and alias: it will be reported as it is. */
		if (strcmp(key, "links") == 0 && item->text[length] &&
			strchr(item->text + length + 1, ':'))
			length = strlen(item->text);
		if (strncmp(item->text, "container:", 10) != 0)
			imply_dependency(l, service, arena_strndup(l->arena, item->text, length),
				restart, item->mark);
	}
}

static void imply_dependencies(struct loader *l, struct node *service)
{
	static const char *const namespaces[] = { "network_mode", "ipc", "pid", "uts", "cgroup" };

	imply_from_list(l, service, "links", true);
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		const struct node *node = node_get(service, namespaces[i]);

		if (node && node->kind == NODE_STRING && strncmp(node->text, "service:", 8) == 0)
			imply_dependency(l, service, node->text + 8, true, node->mark);
	}
	imply_from_list(l, service, "volumes_from", false);
}

static void default_network(struct loader *l, struct node *service)
{
	const char *mode = node_get_text(service, "network_mode");
	struct node *networks = node_get(service, "networks");

	if ((mode && *mode) || (networks && networks->count > 0) || node_get(service, "provider"))
		return;
	if (!networks || networks->kind != NODE_MAPPING) {
		networks = node_new(l->arena, NODE_MAPPING, service->mark);
		node_set(l->arena, service, "networks", networks);
	}
	node_set(l->arena, networks, "default", node_new(l->arena, NODE_NULL, service->mark));
}

/* Build arguments without a value have the environment's, or are none. */
static void pass_arguments(struct loader *l, struct node *args)
{
	const struct node_entry *entries = args->entries;
	struct node *passed = node_new(l->arena, NODE_MAPPING, args->mark);

	for (size_t i = 0; i < args->count; i++) {
		struct node *value = entries[i].value;

		if (value->kind == NODE_NULL) {
			const char *text = loader_getenv(l, entries[i].key);

			value = text ? node_string(l->arena, text, value->mark) : NULL;
		}
		if (value)
			node_append(l->arena, passed, entries[i].key, entries[i].key_mark, value);
	}
	node_fill(l->arena, args, passed->entries, passed->count);
}

static void complete_build(struct loader *l, struct node *build)
{
	struct node *args = node_get(build, "args");

	if (!build || build->kind != NODE_MAPPING)
		return;
	if (!node_get(build, "context"))
		node_set_string(l->arena, build, "context", ".");
	if (l->options->no_normalize)
		return;
	if (!node_get(build, "dockerfile") && !node_get(build, "dockerfile_inline"))
		node_set_string(l->arena, build, "dockerfile", "Dockerfile");
	if (args)
		pass_arguments(l, args);
}

static void complete_secrets(struct loader *l, struct node *service)
{
	struct node *secrets = node_get(service, "secrets");

	for (size_t i = 0; secrets && i < secrets->count; i++) {
		struct node *grant = secrets->entries[i].value;
		const char *source = node_get_text(grant, "source");
		const char *target = node_get_text(grant, "target");

		if (source && (!target || !*target))
			node_set_string(l->arena, grant, "target",
				arena_join(l->arena, "/run/secrets/", source));
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(((const struct node_entry *)a)->value->text,
		((const struct node_entry *)b)->value->text);
}

static void sort_hosts(struct node *hosts)
{
	if (hosts)
		node_sort_by(hosts, compare_texts);
}

/* Who reads `deploy` alone sees the same number. */
static void repeat_scale(struct loader *l, struct node *service)
{
	struct node *deploy = node_get(service, "deploy");
	const struct node *scale = node_get(service, "scale");

	if (scale && scale->kind == NODE_INT && deploy && deploy->kind == NODE_MAPPING &&
		!node_get(deploy, "replicas") && !l->options->no_interpolate)
		node_set(l->arena, deploy, "replicas", node_copy(l->arena, scale));
}

static void normalise_service(struct loader *l, const char *name, struct node *service)
{
	if (!l->options->no_normalize) {
		default_network(l, service);
		imply_dependencies(l, service);
	}
	repeat_scale(l, service);
	complete_build(l, node_get(service, "build"));
	complete_secrets(l, service);
	sort_hosts(node_get(service, "extra_hosts"));
	sort_hosts(node_get(node_get(service, "build"), "extra_hosts"));
	if (!l->options->no_env_resolution && !l->options->no_interpolate)
		loader_resolve_environment(l, name, service);
}

/* PROJECT_KEY, or for external ones the key; `external: {name: x}` left its name on the flag
 * (normalise_external). */
static void name_members(struct loader *l, const char *section_name)
{
	struct node *members = node_get(l->tree, section_name);

	for (size_t i = 0; members && i < members->count; i++) {
		struct node_entry *entry = &members->entries[i];
		struct node *external;
		const char *old_name;

		if (entry->value->kind == NODE_NULL)
			entry->value = node_new(l->arena, NODE_MAPPING, entry->key_mark);
		external = node_get(entry->value, "external");
		old_name = NULL;
		if (external && external->count > 0) {
			old_name = external->entries[0].value->text;
			external->count = 0;
		}
		if (node_get(entry->value, "name") || (!old_name && l->options->no_normalize))
			continue;
		if (!old_name)
			old_name =
				external && external->kind == NODE_BOOL && external->boolean
					? entry->key
					: arena_join(l->arena, l->project->name, "_", entry->key);
		node_set(l->arena, entry->value, "name",
			node_string(l->arena, old_name, entry->key_mark));
	}
}

static const char *const sections[] = { "networks", "volumes", "secrets", "configs", "models" };

/* Which keys of a section the enabled services use. */
static void collect_uses(
	struct loader *l, const struct node *service, const char *section_name, struct strmap *used)
{
	const struct node *list;
	const char *member = "source";

	if (strcmp(section_name, "secrets") == 0) {
		list = node_get(node_get(service, "build"), "secrets");
		for (size_t i = 0; list && i < list->count; i++) {
			const char *source = node_get_text(list->entries[i].value, "source");

			if (source)
				strmap_set(used, source, l);
		}
	}
	list = node_get(service, section_name);
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node_entry *entry = &list->entries[i];
		const char *type = node_get_text(entry->value, "type");
		const char *key = entry->key ? entry->key : node_get_text(entry->value, member);

		if (key && (!type || strcmp(type, "volume") == 0))
			strmap_set(used, key, l);
	}
}

static void drop_unused(struct loader *l, const char *section_name)
{
	const struct node *services = node_get(l->tree, "services");
	struct node *members = node_get(l->tree, section_name), *kept;
	struct strmap used = STRMAP_INIT;

	if (!members)
		return;
	for (size_t i = 0; services && i < services->count; i++)
		collect_uses(l, services->entries[i].value, section_name, &used);
	kept = node_new(l->arena, NODE_MAPPING, members->mark);
	for (size_t i = 0; i < members->count; i++) {
		const struct node_entry *entry = &members->entries[i];

		if (strmap_has(&used, entry->key))
			node_append(l->arena, kept, entry->key, entry->key_mark, entry->value);
	}
	node_set(l->arena, l->tree, section_name, kept);
	strmap_release(&used);
}

static bool uses_default_network(const struct node *services)
{
	for (size_t i = 0; services && i < services->count; i++) {
		const struct node *networks = node_get(services->entries[i].value, "networks");

		if (node_get(networks, "default"))
			return true;
	}
	return false;
}

void loader_normalise(struct loader *l)
{
	struct node *services = node_get(l->tree, "services");

	node_set_string(l->arena, l->tree, "name", l->project->name);
	if (!services)
		services = section(l, "services");
	for (size_t i = 0; services && i < services->count; i++)
		normalise_service(l, services->entries[i].key, services->entries[i].value);
	if (!l->options->no_normalize && uses_default_network(services) &&
		!node_get(section(l, "networks"), "default"))
		node_set(l->arena, section(l, "networks"), "default",
			node_new(l->arena, NODE_MAPPING, services->mark));
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (strcmp(sections[i], "models") != 0)
			name_members(l, sections[i]);
}

void loader_drop_unused(struct loader *l)
{
	for (size_t i = 0; !l->options->all_resources && i < ARRAY_LEN(sections); i++)
		drop_unused(l, sections[i]);
}
