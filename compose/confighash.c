/* SPDX-License-Identifier: GPL-2.0-or-later
 * confighash.c - one digest per service, network and volume over what matters for the running
 * thing.
 *
 * Left out is what changes nothing in a container that runs (rows with KEY_NO_HASH: build,
 * pull_policy, scale, deploy.replicas, depends_on, profiles …). The order of keys, the syntax used
 * and the place in the file do not count. The content of configs, secrets and system-call filters
 * does: a container must not go on with an old one. */
#include "compose/loader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/sha256.h"

/* A change of the scheme must not look like a change of the user's file by accident: it is part of
 * the digest. */
#define HASH_VERSION  "mycompose-1"
#define CONTENT_LIMIT (16u << 20)

/* Everything is preceded by its length, so that no two trees write the same bytes. */
static void add_text(struct sha256 *sha, char type, const char *text)
{
	char head[32];
	size_t length = strlen(text);

	snprintf(head, sizeof(head), "%c%zu:", type, length);
	sha256_update(sha, head, strlen(head));
	sha256_update(sha, text, length);
}

static void add_value(
	struct loader *l, struct sha256 *sha, const struct key_row *row, const struct node *node);

static int compare_entries(const void *a, const void *b)
{
	return strcmp((*(const struct node_entry *const *)a)->key,
		(*(const struct node_entry *const *)b)->key);
}

/* A mapping in which nothing counts (deploy with replicas only) is as good as none. */
static bool counts(const struct key_row *row, const struct node_entry *entry)
{
	if (!row)
		return strncmp(entry->key, "x-", 2) != 0;
	if (row->flags & (KEY_NO_HASH | KEY_HIDDEN))
		return false;
	if (row->shape != SHAPE_TABLE || entry->value->kind != NODE_MAPPING)
		return true;
	for (size_t i = 0; i < entry->value->count; i++)
		if (counts(key_find(row->sub, entry->value->entries[i].key),
			    &entry->value->entries[i]))
			return true;
	return entry->value->count == 0 && row->flags & KEY_KEEP_EMPTY;
}

static void add_mapping(struct loader *l, struct sha256 *sha, const struct key_table *table,
	const struct node *node)
{
	cleanup_free const struct node_entry **entries = xcalloc(node->count + 1, sizeof(*entries));
	char head[32];
	size_t count = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct key_row *row = table ? key_find(table, node->entries[i].key) : NULL;

		if (!table || counts(row, &node->entries[i]))
			entries[count++] = &node->entries[i];
	}
	qsort(entries, count, sizeof(*entries), compare_entries);
	snprintf(head, sizeof(head), "m%zu:", count);
	sha256_update(sha, head, strlen(head));
	for (size_t i = 0; i < count; i++) {
		add_text(sha, 'k', entries[i]->key);
		add_value(
			l, sha, table ? key_find(table, entries[i]->key) : NULL, entries[i]->value);
	}
}

static void add_value(
	struct loader *l, struct sha256 *sha, const struct key_row *row, const struct node *node)
{
	const struct key_table *sub = row && row->shape == SHAPE_TABLE ? row->sub : NULL;
	char head[32];

	switch (node->kind) {
	case NODE_MAPPING:
		add_mapping(l, sha, sub, node);
		break;
	case NODE_SEQUENCE:
		snprintf(head, sizeof(head), "l%u:", node->count);
		sha256_update(sha, head, strlen(head));
		for (size_t i = 0; i < node->count; i++)
			add_value(l, sha, NULL, node->entries[i].value);
		break;
	case NODE_NULL:
		add_text(sha, 'n', "");
		break;
	default:
		add_text(sha, 's', node_scalar_text(l->arena, node));
		break;
	}
}

/* A file that cannot be read now counts as such; `up` reports it with its place when it needs it.
 */
static void add_source(struct loader *l, struct sha256 *sha, const struct file_source *source)
{
	cleanup_error struct error err = ERROR_INIT;
	const char *text = source ? source->content : NULL;
	size_t length = text ? strlen(text) : 0;

	if (source && source->file &&
		loader_read(l, source->file, CONTENT_LIMIT, &text, &length, &err) < 0)
		text = NULL;
	if (!text) {
		add_text(sha, 'a', "");
		return;
	}
	add_text(sha, 'c', "");
	sha256_update(sha, &length, sizeof(length));
	sha256_update(sha, text, length);
}

/* "seccomp=FILE" or "seccomp:FILE": what the container gets is the file's content when it is made.
 */
static void add_filter(struct loader *l, struct sha256 *sha, const char *option)
{
	static const char name[] = "seccomp";
	const char *value = option + strlen(name) + 1;
	struct file_source source = { 0 };

	if (strncmp(option, name, strlen(name)) != 0 || !option[strlen(name)] ||
		!strchr("=:", option[strlen(name)]) || strcmp(value, "unconfined") == 0 ||
		strcmp(value, "builtin") == 0)
		return;
	source.file = value[0] == '/'
			      ? value
			      : arena_printf(l->arena, "%s/%s", l->project->working_dir, value);
	add_source(l, sha, &source);
}

static void hash_service(struct loader *l, struct service *service)
{
	struct sha256 sha;

	sha256_init(&sha);
	add_text(&sha, 'v', HASH_VERSION);
	add_mapping(l, &sha, &service_keys, service->node);
	for (size_t i = 0; i < service->config_count; i++)
		add_source(l, &sha, project_find_config(l->project, service->configs[i].source));
	for (size_t i = 0; i < service->secret_count; i++)
		add_source(l, &sha, project_find_secret(l->project, service->secrets[i].source));
	for (char **option = service->security_opt; option && *option; option++)
		add_filter(l, &sha, *option);
	sha256_final_hex(&sha, service->config_hash);
}

static void hash_member(struct loader *l, const char *section, const char *key,
	const struct key_table *table, char hex[static 65])
{
	struct sha256 sha;

	sha256_init(&sha);
	add_text(&sha, 'v', HASH_VERSION);
	add_mapping(l, &sha, table, node_find(l->arena, node_get(l->tree, section), key)->value);
	sha256_final_hex(&sha, hex);
}

void loader_hash(struct loader *l)
{
	struct project *project = l->project;

	for (size_t i = 0; i < project->service_count; i++)
		hash_service(l, &project->services[i]);
	for (size_t i = 0; i < project->network_count; i++)
		hash_member(l, "networks", project->networks[i].key, &network_keys,
			project->networks[i].config_hash);
	for (size_t i = 0; i < project->volume_count; i++)
		hash_member(l, "volumes", project->volumes[i].key, &volume_keys,
			project->volumes[i].config_hash);
}
