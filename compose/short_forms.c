/* SPDX-License-Identifier: GPL-2.0-or-later
 * short_forms.c - short syntax that is one step from the long one. */
#include "compose/keys.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

/* {key: TEXT} in place of TEXT. */
static struct node *wrap_string(struct canon *c, struct node *node, const char *key)
{
	struct node *mapping;

	if (node->kind != NODE_STRING)
		return node;
	mapping = node_new(c->arena, NODE_MAPPING, node->mark);
	mapping->merge = node->merge;
	node_set(c->arena, mapping, key, node);
	return mapping;
}

/* A list of names becomes a mapping of these names to what `make` gives. */
static struct node *names_to_mapping(struct canon *c, struct node *node, const struct path *path,
	struct node *(*make)(struct canon *c, const struct node *item))
{
	struct node *mapping;

	if (node->kind != NODE_SEQUENCE)
		return node;
	mapping = node_new(c->arena, NODE_MAPPING, node->mark);
	mapping->merge = node->merge;
	for (size_t i = 0; i < node->count; i++) {
		struct node *item = node->entries[i].value, *value;
		struct path at = { path, NULL, i };

		if (item->kind != NODE_STRING) {
			canon_problem(c, item, &at, "must be a string, not a %s",
				node_kind_names[item->kind]);
			continue;
		}
		if (node_find(c->arena, mapping, item->text)) {
			canon_problem(c, item, &at, "array items must be unique: %s is there twice",
				item->text);
			continue;
		}
		value = make(c, item);
		node_append(c->arena, mapping, item->text, item->mark, value);
	}
	return mapping;
}

static struct node *make_null(struct canon *c, const struct node *item)
{
	return node_new(c->arena, NODE_NULL, item->mark);
}

static struct node *make_dependency(struct canon *c, const struct node *item)
{
	struct node *dependency = node_new(c->arena, NODE_MAPPING, item->mark);

	node_set_string(c->arena, dependency, "condition", "service_started");
	return dependency;
}

struct node *normalise_build(struct canon *c, struct node *node, const struct path *path)
{
	(void)path;
	return wrap_string(c, node, "context");
}

struct node *normalise_extends(struct canon *c, struct node *node, const struct path *path)
{
	(void)path;
	return wrap_string(c, node, "service");
}

struct node *normalise_depends_on(struct canon *c, struct node *node, const struct path *path)
{
	node = names_to_mapping(c, node, path, make_dependency);
	for (size_t i = 0; node->kind == NODE_MAPPING && i < node->count; i++) {
		struct node *dependency = node->entries[i].value;

		if (dependency->kind == NODE_MAPPING && !node_get(dependency, "required"))
			node_set(c->arena, dependency, "required",
				node_bool(c->arena, true, dependency->mark));
	}
	return node;
}

struct node *normalise_service_networks(struct canon *c, struct node *node, const struct path *path)
{
	return names_to_mapping(c, node, path, make_null);
}

struct node *normalise_service_models(struct canon *c, struct node *node, const struct path *path)
{
	return names_to_mapping(c, node, path, make_null);
}

/* Apply `make` to each item of a list. */
static struct node *each_item(struct canon *c, struct node *node, const struct path *path,
	struct node *(*make)(struct canon *c, struct node *item, const struct path *path))
{
	if (node->kind != NODE_SEQUENCE)
		return node;
	for (size_t i = 0; i < node->count;) {
		struct path at = { path, NULL, i };
		struct node *item = make(c, node->entries[i].value, &at);

		if (!item) {
			node_remove_at(node, i);
			continue;
		}
		node->entries[i++].value = item;
	}
	return node;
}

static struct node *list_of_one(struct canon *c, struct node *node)
{
	struct node *list = node_new(c->arena, NODE_SEQUENCE, node->mark);

	list->merge = node->merge;
	node_append(c->arena, list, NULL, node->mark, node);
	return list;
}

static struct node *env_file_item(struct canon *c, struct node *item, const struct path *path)
{
	(void)path;
	item = wrap_string(c, item, "path");
	if (item->kind == NODE_MAPPING && !node_get(item, "required"))
		node_set(c->arena, item, "required", node_bool(c->arena, true, item->mark));
	return item;
}

struct node *normalise_env_file(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_STRING)
		node = list_of_one(c, node);
	return each_item(c, node, path, env_file_item);
}

static struct node *grant_item(struct canon *c, struct node *item, const struct path *path)
{
	(void)path;
	return wrap_string(c, item, "source");
}

struct node *normalise_grants(struct canon *c, struct node *node, const struct path *path)
{
	return each_item(c, node, path, grant_item);
}

/* A grant without a target is found where it will be mounted. */
static const char *grant_target(struct arena *arena, const struct node *item, const char *folder)
{
	const char *target = node_get_text(item, "target");
	const char *source = node_get_text(item, "source");

	return target ? target : arena_join(arena, folder, source ? source : "");
}

const char *identity_secret(struct arena *arena, const struct node *item)
{
	return grant_target(arena, item, "/run/secrets/");
}

const char *identity_config(struct arena *arena, const struct node *item)
{
	return grant_target(arena, item, "/");
}

const char *identity_path(struct arena *arena, const struct node *item)
{
	(void)arena;
	return node_get_text(item, "path");
}

const char *identity_subnet(struct arena *arena, const struct node *item)
{
	(void)arena;
	return node_get_text(item, "subnet");
}

static struct node *device_item(struct canon *c, struct node *item, const struct path *path)
{
	struct node *device;
	char *text, *target, *permissions = NULL;

	if (item->kind != NODE_STRING || canon_is_open(c, item))
		return item;
	text = arena_strdup(c->arena, item->text);
	target = strchr(text, ':');
	if (target) {
		*target++ = '\0';
		permissions = strchr(target, ':');
		if (permissions)
			*permissions++ = '\0';
	}
	if (permissions && strchr(permissions, ':'))
		return canon_problem(c, item, path,
			"confusing device mapping, please use long syntax: %s", item->text);
	device = node_new(c->arena, NODE_MAPPING, item->mark);
	device->merge = item->merge;
	node_set_string(c->arena, device, "source", text);
	node_set_string(c->arena, device, "target", target && *target ? target : text);
	node_set_string(
		c->arena, device, "permissions", permissions && *permissions ? permissions : "rwm");
	return device;
}

struct node *normalise_devices(struct canon *c, struct node *node, const struct path *path)
{
	return each_item(c, node, path, device_item);
}

struct node *normalise_device_count(struct canon *c, struct node *node, const struct path *path)
{
	(void)path;
	if (node->kind == NODE_STRING && strcmp(node->text, "all") == 0)
		return node_int(c->arena, -1, node->mark);
	return node;
}

/* Neither how many nor which: all of them. */
struct node *normalise_device_requests(struct canon *c, struct node *node, const struct path *path)
{
	for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++) {
		struct node *item = node->entries[i].value;
		bool has_count = node_get(item, "count"), has_ids = node_get(item, "device_ids");
		struct path at = { path, NULL, i };

		if (item->kind != NODE_MAPPING)
			continue;
		if (has_count && has_ids)
			canon_problem(c, item, &at,
				"\"count\" and \"device_ids\" attributes are exclusive");
		if (!has_count && !has_ids)
			node_set(c->arena, item, "count", node_int(c->arena, -1, item->mark));
	}
	return node;
}

struct node *normalise_gpus(struct canon *c, struct node *node, const struct path *path)
{
	struct node *all;

	if (node->kind == NODE_STRING && strcmp(node->text, "all") == 0) {
		all = node_new(c->arena, NODE_MAPPING, node->mark);
		node_set(c->arena, all, "count", node_int(c->arena, -1, node->mark));
		node = list_of_one(c, all);
	}
	for (size_t i = 0; node->kind == NODE_SEQUENCE && i < node->count; i++) {
		struct node *item = node->entries[i].value;
		struct node *gpu = node_string(c->arena, "gpu", item->mark);

		if (item->kind == NODE_MAPPING && !node_get(item, "capabilities"))
			node_set(c->arena, item, "capabilities", list_of_one(c, gpu));
	}
	return normalise_device_requests(c, node, path);
}

struct node *normalise_include(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind != NODE_SEQUENCE)
		return canon_problem(c, node, path, "`include` must be a list, not a %s",
			node_kind_names[node->kind]);
	for (size_t i = 0; i < node->count; i++)
		node->entries[i].value = wrap_string(c, node->entries[i].value, "path");
	return node;
}

/* One string, a list of "id" or "id=path", or a mapping: becomes the list. */
struct node *normalise_ssh(struct canon *c, struct node *node, const struct path *path)
{
	struct node *list;

	(void)path;
	if (node->kind == NODE_STRING)
		return list_of_one(c, node);
	if (node->kind != NODE_MAPPING)
		return node;
	list = node_new(c->arena, NODE_SEQUENCE, node->mark);
	for (size_t i = 0; i < node->count; i++) {
		const struct node_entry *entry = &node->entries[i];
		const char *socket = node_scalar_text(c->arena, entry->value);

		node_append(c->arena, list, NULL, entry->key_mark,
			node_string(c->arena,
				arena_printf(
					c->arena, "%s%s%s", entry->key, *socket ? "=" : "", socket),
				entry->key_mark));
	}
	return list;
}

/* A string is for the shell; a list begins with NONE, CMD or CMD-SHELL. */
struct node *normalise_test(struct canon *c, struct node *node, const struct path *path)
{
	struct node *list;
	const char *first;

	if (node->kind == NODE_STRING && !canon_is_open(c, node)) {
		list = node_new(c->arena, NODE_SEQUENCE, node->mark);
		node_append(c->arena, list, NULL, node->mark,
			node_string(c->arena, "CMD-SHELL", node->mark));
		node_append(c->arena, list, NULL, node->mark, node);
		return list;
	}
	if (node->kind != NODE_SEQUENCE || node->count == 0 ||
		node->entries[0].value->kind != NODE_STRING)
		return node;
	first = node->entries[0].value->text;
	if (strcmp(first, "NONE") != 0 && strcmp(first, "CMD") != 0 &&
		strcmp(first, "CMD-SHELL") != 0 && !canon_is_open(c, node->entries[0].value))
		return canon_problem(c, node->entries[0].value, path,
			"first item must be NONE, CMD or CMD-SHELL, not '%s'", first);
	return node;
}

struct node *normalise_pull_policy(struct canon *c, struct node *node, const struct path *path)
{
	static const char *const words[] = { "always", "never", "build", "if_not_present",
		"missing", "refresh", "daily", "weekly" };

	if (node->kind != NODE_STRING || canon_is_open(c, node))
		return node;
	if (strcmp(node->text, "if_not_present") == 0)
		return node_string(c->arena, "missing", node->mark);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(node->text, words[i]) == 0)
			return node;
	if (strncmp(node->text, "every_", 6) == 0) {
		int64_t ns;

		if (parse_duration(node->text + 6, &ns) == 0)
			return node;
	}
	return canon_problem(c, node, path, "unknown pull policy '%s'", node->text);
}

/* `external: {name: x}` is the old spelling of `external: true` beside `name: x`; the caller's
 * mapping gets the name later, when the tree is resolved (normal.c), because a normaliser sees one
 * value only. */
struct node *normalise_external(struct canon *c, struct node *node, const struct path *path)
{
	(void)path;
	if (node->kind == NODE_MAPPING) {
		struct node *flag = node_bool(c->arena, true, node->mark);
		const char *name = node_get_text(node, "name");

		if (name)
			node_append(c->arena, flag, "name", node->mark, node_get(node, "name"));
		return flag;
	}
	return node;
}

/* A mode is a number: 0440 is octal by YAML's rule already; a string is decimal, as the users' tool
 * reads it. */
struct node *normalise_mode(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT && (node->integer < 0 || node->integer > 07777))
		return canon_problem(c, node, path, "%s is no file mode", node->text);
	return node;
}

static void add_host(struct canon *c, struct node *list, const struct node *item, const char *name,
	const char *address)
{
	size_t length = strlen(address);

	if (length > 2 && address[0] == '[' && address[length - 1] == ']')
		address = arena_strndup(c->arena, address + 1, length - 2);
	node_append(c->arena, list, NULL, item->mark,
		node_string(c->arena, arena_printf(c->arena, "%s=%s", name, address), item->mark));
}

static void add_host_text(
	struct canon *c, struct node *list, const struct node *item, const struct path *path)
{
	cleanup_strv char **each = NULL;
	const char *separator, *name;

	if (item->kind != NODE_STRING) {
		canon_problem(
			c, item, path, "must be a string, not a %s", node_kind_names[item->kind]);
		return;
	}
	separator = strchr(item->text, '=');
	if (!separator)
		separator = strchr(item->text, ':');
	if (!separator || separator == item->text || !separator[1]) {
		if (canon_is_open(c, item))
			node_append(c->arena, list, NULL, item->mark, (struct node *)item);
		else
			canon_problem(
				c, item, path, "bad host '%s': HOST=ADDRESS is needed", item->text);
		return;
	}
	name = arena_strndup(c->arena, item->text, (size_t)(separator - item->text));
	/* A list may say several addresses at once. */
	each = canon_is_open(c, item) ? NULL : strv_split(separator + 1, ",");
	if (!each)
		add_host(c, list, item, name, separator + 1);
	for (char **address = each; address && *address; address++)
		add_host(c, list, item, name, *address);
}

/* One server or several; an empty text, say a variable that is not set, is none. */
struct node *normalise_dns(struct canon *c, struct node *node, const struct path *path)
{
	size_t kept = 0;

	(void)path;
	if (node->kind == NODE_STRING)
		node = list_of_one(c, node);
	if (node->kind != NODE_SEQUENCE)
		return node;
	for (size_t i = 0; i < node->count; i++) {
		const struct node *item = node->entries[i].value;

		if (item->kind != NODE_STRING || *item->text)
			node->entries[kept++] = node->entries[i];
	}
	node->count = (uint32_t)kept;
	return node;
}

/* A bound on memory is a text here, with a unit or without. */
struct node *normalise_memory(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT || node->kind == NODE_FLOAT)
		return canon_problem(
			c, node, path, "must be a string: write %s in quotes", node->text);
	return node;
}

/* Mapping or list to a list of "host=address". */
struct node *normalise_extra_hosts(struct canon *c, struct node *node, const struct path *path)
{
	struct node *list = node_new(c->arena, NODE_SEQUENCE, node->mark);

	if (node->kind != NODE_SEQUENCE && node->kind != NODE_MAPPING)
		return canon_problem(c, node, path, "must be a mapping or list, not a %s",
			node_kind_names[node->kind]);
	for (size_t i = 0; i < node->count; i++) {
		const struct node_entry *entry = &node->entries[i];
		struct path at = { path, entry->key, i };

		if (!entry->key)
			add_host_text(c, list, entry->value, &at);
		else if (strpbrk(entry->key, ":="))
			canon_problem(c, entry->value, &at, "bad host name '%s'", entry->key);
		else if (entry->value->kind == NODE_SEQUENCE)
			for (size_t j = 0; j < entry->value->count; j++)
				add_host(c, list, entry->value->entries[j].value, entry->key,
					node_scalar_text(c->arena, entry->value->entries[j].value));
		else if (entry->value->kind == NODE_STRING)
			add_host(c, list, entry->value, entry->key, entry->value->text);
		else
			canon_problem(c, entry->value, &at, "must be a string, not a %s",
				node_kind_names[entry->value->kind]);
	}
	return list;
}

const char *identity_host(struct arena *arena, const struct node *item)
{
	return arena_strndup(arena, item->text, strcspn(item->text, "="));
}
