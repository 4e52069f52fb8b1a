/* SPDX-License-Identifier: GPL-2.0-or-later
 * short_volumes.c - the short syntax of volumes: [SOURCE:]TARGET[:OPTION,OPTION...]. */
#include "compose/keys.h"

#include <string.h>

#include "compose/pathnames.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static bool is_host_path(const char *source)
{
	return strchr("./~", source[0]) != NULL && source[0];
}

static struct node *sub_mapping(struct canon *c, struct node *mount, const char *key)
{
	struct node *sub = node_get(mount, key);

	if (!sub) {
		sub = node_new(c->arena, NODE_MAPPING, mount->mark);
		node_set(c->arena, mount, key, sub);
	}
	return sub;
}

enum option_kind {
	OPTION_READ_ONLY,
	OPTION_READ_WRITE,
	OPTION_NOCOPY,
	OPTION_SELINUX,
	OPTION_PROPAGATION,
	OPTION_CONSISTENCY
};

static const struct {
	const char *word;
	enum option_kind kind;
} mount_options[] = {
	{ "ro", OPTION_READ_ONLY },
	{ "rw", OPTION_READ_WRITE },
	{ "nocopy", OPTION_NOCOPY },
	{ "z", OPTION_SELINUX },
	{ "Z", OPTION_SELINUX },
	{ "rprivate", OPTION_PROPAGATION },
	{ "private", OPTION_PROPAGATION },
	{ "rshared", OPTION_PROPAGATION },
	{ "shared", OPTION_PROPAGATION },
	{ "rslave", OPTION_PROPAGATION },
	{ "slave", OPTION_PROPAGATION },
	{ "cached", OPTION_CONSISTENCY },
	{ "delegated", OPTION_CONSISTENCY },
	{ "consistent", OPTION_CONSISTENCY },
};

static void apply_option(
	struct canon *c, struct node *mount, const char *word, const struct path *path)
{
	for (size_t i = 0; i < ARRAY_LEN(mount_options); i++) {
		if (strcmp(mount_options[i].word, word) != 0)
			continue;
		switch (mount_options[i].kind) {
		case OPTION_READ_ONLY:
		case OPTION_READ_WRITE:
			node_set(c->arena, mount, "read_only",
				node_bool(c->arena, mount_options[i].kind == OPTION_READ_ONLY,
					mount->mark));
			return;
		case OPTION_NOCOPY:
			node_set(c->arena, sub_mapping(c, mount, "volume"), "nocopy",
				node_bool(c->arena, true, mount->mark));
			return;
		case OPTION_SELINUX:
			node_set_string(c->arena, sub_mapping(c, mount, "bind"), "selinux", word);
			return;
		case OPTION_PROPAGATION:
			node_set_string(
				c->arena, sub_mapping(c, mount, "bind"), "propagation", word);
			return;
		case OPTION_CONSISTENCY:
			return;
		}
	}
	canon_warning(c, mount, path, "unknown volume option '%s' is ignored", word);
}

static struct node *new_mount(struct canon *c, const struct node *item, bool is_bind,
	const char *source, const char *target)
{
	struct arena *arena = c->arena;
	struct mark mark = item->mark;
	struct node *options = node_new(arena, NODE_MAPPING, mark), *mount;

	if (is_bind)
		node_append(arena, options, "create_host_path", mark, node_bool(arena, true, mark));
	else if (!source && strlen(target) <= 2)
		/* Docker Compose takes a spec of one or two letters as it is; `config` shows the
		 * difference. */
		options = NULL;
	mount = node_mapping(arena, mark,
		(struct node_entry[]){
			{ "type", .value = node_string(arena, is_bind ? "bind" : "volume", mark) },
			{ "source", .value = source ? node_string(arena, source, mark) : NULL },
			{ "target",
				.value = node_string(arena, pathname_clean(arena, target), mark) },
			{ is_bind ? "bind" : "volume", .value = options },
		},
		4);
	mount->merge = item->merge;
	return mount;
}

static struct node *expand_volume(struct canon *c, const struct node *item, const struct path *path)
{
	cleanup_strv char **words = NULL;
	struct node *mount;
	char *text = arena_strdup(c->arena, item->text);
	char *target = strchr(text, ':');
	char *options = target ? strchr(target + 1, ':') : NULL;
	bool is_bind = target && is_host_path(text);

	if (options)
		*options++ = '\0';
	if (target)
		*target++ = '\0';
	if (!*text || (target && !*target))
		return canon_problem(c, item, path,
			"invalid spec: %s: empty section between colons", item->text);
	if (options && strchr(options, ':'))
		return canon_problem(
			c, item, path, "invalid spec: %s: too many colons", item->text);
	mount = new_mount(c, item, is_bind, target ? text : NULL, target ? target : text);
	if (options && !*options)
		return canon_problem(c, item, path,
			"invalid spec: %s: empty section between colons", item->text);
	words = options ? strv_split(options, ",") : NULL;
	for (size_t i = 0; i < strv_length(words); i++)
		apply_option(c, mount, words[i], path);
	return mount;
}

static bool is_bind_of_nothing(const struct node *item)
{
	const char *type = node_get_text(item, "type");

	return type && strcmp(type, "bind") == 0 && !node_get(item, "source");
}

struct node *normalise_volumes(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind != NODE_SEQUENCE)
		return node;
	for (size_t i = 0; i < node->count;) {
		struct node *item = node->entries[i].value;
		struct path at = { path, NULL, i };
		struct node *target = node_get(item, "target");

		if (item->kind == NODE_STRING && !canon_is_open(c, item))
			item = expand_volume(c, item, &at);
		else if (is_bind_of_nothing(item))
			item = canon_problem(c, item, &at,
				"invalid mount config for type \"bind\": field Source must not be "
				"empty");
		else if (target && target->kind == NODE_STRING && *target->text &&
			 !canon_is_open(c, target))
			target->text = pathname_clean(c->arena, target->text);
		if (!item) {
			node_remove_at(node, i);
			continue;
		}
		node->entries[i++].value = item;
	}
	return node;
}

const char *identity_target(struct arena *arena, const struct node *item)
{
	const char *target = node_get_text(item, "target");

	/* A device without a target has that of its source. */
	if (!target)
		target = node_get_text(item, "source");
	return target ? pathname_clean(arena, target) : "";
}
