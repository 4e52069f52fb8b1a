/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_tree.c - order the canonical tree for printing and leave out what says nothing. */
#include "compose/config_tree.h"

#include <string.h>

#include "compose/keys.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

struct shower {
	struct arena *arena;
	enum config_format format;
	bool is_raw;
	bool is_outline; /* the members of sections stay as they are */
};

static struct node *show_value(
	struct shower *s, const struct key_row *row, const struct node *node);

/* A literal $ must survive being read again. */
static const char *escape_dollars(struct arena *arena, const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (; *text; text++) {
		if (*text == '$')
			strbuf_add_char(&out, '$');
		strbuf_add_char(&out, *text);
	}
	return arena_strdup(arena, strbuf_text(&out));
}

/* Most scalars are shown as they are: the shown tree shares them with the document, which stays
 * untouched since only mappings and sequences are changed from here on. */
static struct node *show_scalar(struct shower *s, const struct node *node)
{
	struct node *copy;

	if (s->is_raw || node->kind != NODE_STRING || !strchr(node->text, '$'))
		return (struct node *)node;
	copy = arena_alloc(s->arena, sizeof(*copy));
	*copy = *node;
	copy->text = escape_dollars(s->arena, node->text);
	return copy;
}

static bool says_nothing(const struct key_row *row, const struct node *node)
{
	return node_is_empty(node) || (row->shape == SHAPE_SIZE && node->kind == NODE_STRING &&
					      strcmp(node->text, "0") == 0);
}

static void append(struct shower *s, struct node *mapping, const char *key, struct node *value)
{
	node_append(s->arena, mapping, key, value->mark, value);
}

/* The order YAML output has: runs of digits by their value, letters after everything else (before,
 * when digits led up). */
static int compare_natural(const void *a, const void *b)
{
	const char *x = ((const struct node_entry *)a)->key,
		   *y = ((const struct node_entry *)b)->key;
	size_t i = 0, x_digits, y_digits;
	bool x_alpha, y_alpha, after_digit;

	while (x[i] && x[i] == y[i])
		i++;
	if (!x[i] || !y[i])
		return (x[i] != '\0') - (y[i] != '\0');
	x_alpha = ascii_is_alpha(x[i]) || (unsigned char)x[i] >= 0xc0;
	y_alpha = ascii_is_alpha(y[i]) || (unsigned char)y[i] >= 0xc0;
	after_digit = i > 0 && ascii_is_digit(x[i - 1]);
	if (x_alpha != y_alpha)
		return x_alpha == after_digit ? -1 : 1;
	if (!x_alpha && ascii_is_digit(x[i]) != ascii_is_digit(y[i]))
		return ascii_is_digit(x[i]) ? 1 : -1;
	if (x_alpha || !ascii_is_digit(x[i]))
		return (unsigned char)x[i] < (unsigned char)y[i] ? -1 : 1;
	/* Both stand in the same run of digits: the longer one is larger, unless it only has
	 * leading zeros more. */
	while (i > 0 && ascii_is_digit(x[i - 1]))
		i--;
	x += i + strspn(x + i, "0");
	y += i + strspn(y + i, "0");
	x_digits = strspn(x, "0123456789");
	y_digits = strspn(y, "0123456789");
	if (x_digits != y_digits)
		return x_digits < y_digits ? -1 : 1;
	i = (size_t)strncmp(x, y, x_digits);
	return i ? (int)i
		 : strcmp(((const struct node_entry *)a)->key, ((const struct node_entry *)b)->key);
}

static void sort_shown(struct shower *s, struct node *mapping)
{
	if (s->format == CONFIG_JSON)
		node_sort(mapping);
	else
		node_sort_by(mapping, compare_natural);
}

/* Those that are nobody's: some are keys of ours. */
static void show_extensions(
	struct shower *s, const struct key_table *table, const struct node *node, struct node *out)
{
	struct node *extensions = node_new(s->arena, NODE_MAPPING, node->mark);

	/* JSON has them at the top only. */
	if (s->format == CONFIG_JSON && table != &document_keys)
		return;
	for (size_t i = 0; i < node->count; i++)
		if (strncmp(node->entries[i].key, "x-", 2) == 0 &&
			!key_find(table, node->entries[i].key))
			append(s, extensions, node->entries[i].key,
				show_value(s, NULL, node->entries[i].value));
	sort_shown(s, extensions);
	for (size_t i = 0; i < extensions->count; i++)
		append(s, out, extensions->entries[i].key, extensions->entries[i].value);
}

/* JSON spells some things out that YAML leaves away. `with`: an object that holds this key as
 * null, or a text. */
static const struct {
	const struct key_table *table;
	const char *key;
	enum node_kind kind;
	const char *with;
} json_always[] = {
	{ &service_keys, "command", NODE_NULL, NULL },
	{ &service_keys, "entrypoint", NODE_NULL, NULL },
	{ &network_keys, "ipam", NODE_MAPPING, NULL },
	{ &deploy_keys, "resources", NODE_MAPPING, NULL },
	{ &deploy_keys, "placement", NODE_MAPPING, NULL },
	{ &hook_keys, "command", NODE_NULL, NULL },
	{ &watch_keys, "exec", NODE_MAPPING, "command" },
	{ &weight_device_keys, "path", NODE_STRING, NULL },
	{ &weight_device_keys, "weight", NODE_INT, NULL },
	{ &throttle_keys, "path", NODE_STRING, NULL },
	{ &throttle_keys, "rate", NODE_STRING, "0" },
};

static struct node *json_filler(
	struct shower *s, const struct key_table *table, const char *key, struct mark mark)
{
	for (size_t i = 0; s->format == CONFIG_JSON && i < ARRAY_LEN(json_always); i++) {
		struct node *filler;

		if (json_always[i].table != table || strcmp(json_always[i].key, key) != 0)
			continue;
		filler = node_new(s->arena, json_always[i].kind, mark);
		filler->text = json_always[i].with ? json_always[i].with : "";
		if (json_always[i].with && filler->kind == NODE_MAPPING)
			append(s, filler, json_always[i].with, node_new(s->arena, NODE_NULL, mark));
		return filler;
	}
	return NULL;
}

/* The two tables whose keys JSON has with a capital letter; users' scripts know them so. */
static const char *shown_key(struct shower *s, const struct key_table *table, const char *key)
{
	char *copy;

	if (s->format != CONFIG_JSON || (table != &weight_device_keys && table != &throttle_keys))
		return key;
	copy = arena_strdup(s->arena, key);
	copy[0] = ascii_to_upper(copy[0]);
	return copy;
}

static struct node *show_table(
	struct shower *s, const struct key_table *table, const struct node *node)
{
	struct node *out = node_new(s->arena, NODE_MAPPING, node->mark);

	for (size_t i = 0; i < table->count; i++) {
		const struct key_row *row = &table->rows[i];
		const struct node *value = node_get(node, row->name);
		struct node *shown = NULL;

		if (row->flags & KEY_HIDDEN)
			continue;
		if (value && value->kind != NODE_NULL)
			shown = show_value(s, row, value);
		/* What is empty once its own empty parts are gone says nothing either. */
		if (shown && says_nothing(row, shown) && !(row->flags & KEY_KEEP_EMPTY))
			shown = NULL;
		if (!shown)
			shown = json_filler(s, table, row->name, node->mark);
		if (shown)
			append(s, out, shown_key(s, table, row->name), shown);
	}
	show_extensions(s, table, node, out);
	return out;
}

/* What stands in a list, or at a name of the user's. */
static struct node *show_item(struct shower *s, const struct key_row *row, const struct node *node)
{
	return row && row->sub && node->kind == NODE_MAPPING ? show_table(s, row->sub, node)
							     : show_value(s, NULL, node);
}

static struct node *show_names(struct shower *s, const struct key_row *row, const struct node *node)
{
	struct node *out = node_new(s->arena, NODE_MAPPING, node->mark);

	for (size_t i = 0; i < node->count; i++)
		append(s, out, node->entries[i].key, show_item(s, row, node->entries[i].value));
	sort_shown(s, out);
	return out;
}

static struct node *show_list(struct shower *s, const struct key_row *row, const struct node *node)
{
	struct node *out = node_new(s->arena, NODE_SEQUENCE, node->mark);

	for (size_t i = 0; i < node->count; i++)
		append(s, out, NULL, show_item(s, row, node->entries[i].value));
	return out;
}

static struct node *show_section(struct shower *s, const struct node *node)
{
	struct node *out = node_copy_flat(s->arena, node);

	sort_shown(s, out);
	return out;
}

static struct node *show_value(struct shower *s, const struct key_row *row, const struct node *node)
{
	if (node_is_scalar(node))
		return show_scalar(s, node);
	if (node->kind == NODE_SEQUENCE)
		return show_list(s, row, node);
	if (s->is_outline && row && row->shape == SHAPE_NAMED)
		return show_section(s, node);
	if (row && row->shape == SHAPE_TABLE && !s->is_raw)
		return show_table(s, row->sub, node);
	return show_names(s, s->is_raw ? NULL : row, node);
}

static struct node *outline_raw(struct shower *s, const struct node *document)
{
	struct node *out = node_new(s->arena, NODE_MAPPING, document->mark);

	for (size_t i = 0; i < document->count; i++) {
		const struct node *value = document->entries[i].value;

		if (strcmp(document->entries[i].key, "version") == 0)
			continue;
		append(s, out, document->entries[i].key,
			value->kind == NODE_MAPPING ? show_section(s, value)
						    : show_value(s, NULL, value));
	}
	sort_shown(s, out);
	return out;
}
struct node *config_outline(
	struct arena *arena, const struct project *project, enum config_format format)
{
	struct shower s = { arena, format, project->is_raw, .is_outline = true };
	struct node *root;

	if (project->is_raw)
		return outline_raw(&s, project->tree);
	root = show_table(&s, &document_keys, project->tree);
	if (format == CONFIG_JSON)
		node_sort(root);
	return root;
}

bool config_is_section(const struct project *project, const char *key, const struct node *value)
{
	const struct key_row *row = key_find(&document_keys, key);

	return value->kind == NODE_MAPPING &&
	       (project->is_raw || (row && row->shape == SHAPE_NAMED));
}

struct node *config_member(struct arena *arena, const struct project *project,
	enum config_format format, const char *section, const struct node *member)
{
	struct shower s = { arena, format, project->is_raw, .is_outline = false };

	return show_item(&s, project->is_raw ? NULL : key_find(&document_keys, section), member);
}
