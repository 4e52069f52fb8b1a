/* SPDX-License-Identifier: GPL-2.0-or-later
 * document.c - YAML events to nodes. */
#include "compose/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "compose/scalar.h"
#include "engine/base/memory.h"
#include "engine/base/strmap.h"

struct parser {
	yaml_parser_t yaml;
	struct arena *arena;
	struct problems *problems;
	const char *file;
	struct strmap anchors;	    /* name -> struct node *, of the current document */
	struct strmap open_anchors; /* anchors whose node is not complete yet */
	/* Entries of the mappings and sequences being read, those of the innermost last: each gets
	 * its own when it is complete and their number is known. */
	struct node_entry *entries;
	size_t entry_count;
	size_t node_count;
	size_t copied_count; /* nodes that aliases have unfolded to */
	unsigned int depth;  /* of the node being read; stands still after an error, when nothing
				more is read */
};

#define cleanup_event __attribute__((cleanup(yaml_event_delete)))

static int parse_node(struct parser *p, yaml_event_t *event, struct node **ret);

static struct mark mark_of(const struct parser *p, const yaml_mark_t *mark)
{
	return (struct mark){ p->file, (unsigned int)mark->line + 1,
		(unsigned int)mark->column + 1 };
}

static int refuse(struct parser *p, struct mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct parser *p, struct mark mark, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	problems_add(p->problems, &mark, NULL, "%s", text);
	free(text);
	return -EINVAL;
}

static int next_event(struct parser *p, yaml_event_t *event)
{
	if (yaml_parser_parse(&p->yaml, event))
		return 0;
	/* A reader error has no mark of its own: the position reached is the nearest. */
	struct mark mark = mark_of(
		p, p->yaml.error == YAML_READER_ERROR ? &p->yaml.mark : &p->yaml.problem_mark);

	refuse(p, mark, "yaml: line %u: %s", mark.line,
		p->yaml.problem ? p->yaml.problem : "the text cannot be read");
	return -EINVAL;
}

/* One node more, one level deeper; the caller goes back up when it has been read. */
static int enter_node(struct parser *p, struct mark mark)
{
	if (++p->node_count > DOCUMENT_NODE_LIMIT)
		return refuse(p, mark, "the document has more than %d nodes: too many entries",
			DOCUMENT_NODE_LIMIT);
	if (++p->depth > DOCUMENT_DEPTH_LIMIT)
		return refuse(p, mark, "yaml: exceeded max depth of %d", DOCUMENT_DEPTH_LIMIT);
	return 0;
}

/* Copy what an anchor names; the count is what stops an alias bomb, before the memory is spent. */
static int copy_counted(
	struct parser *p, const struct node *node, struct mark alias, struct node **ret)
{
	struct node *copy;

	if (++p->copied_count > DOCUMENT_ALIAS_LIMIT)
		return refuse(p, alias,
			"the aliases unfold to more than %d nodes: the document is refused",
			DOCUMENT_ALIAS_LIMIT);
	if (++p->depth > DOCUMENT_DEPTH_LIMIT)
		return refuse(p, alias, "yaml: exceeded max depth of %d", DOCUMENT_DEPTH_LIMIT);
	copy = node_copy_flat(p->arena, node);
	for (size_t i = 0; i < node->count; i++) {
		int r = copy_counted(p, node->entries[i].value, alias, &copy->entries[i].value);

		if (r < 0)
			return r;
	}
	p->depth--;
	*ret = copy;
	return 0;
}

static int parse_alias(struct parser *p, const yaml_event_t *event, struct node **ret)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct mark mark = mark_of(p, &event->start_mark);
	const struct node *target = strmap_get(&p->anchors, name);

	if (strmap_has(&p->open_anchors, name))
		return refuse(p, mark, "yaml: anchor '%s' value contains itself", name);
	if (!target)
		return refuse(p, mark, "yaml: unknown anchor '%s' referenced", name);
	return copy_counted(p, target, mark, ret);
}

static void apply_tag(struct parser *p, struct node *node, const char *tag)
{
	static const struct {
		const char *tag;
		enum node_kind kind;
	} core[] = {
		{ YAML_STR_TAG, NODE_STRING },
		{ YAML_INT_TAG, NODE_INT },
		{ YAML_FLOAT_TAG, NODE_FLOAT },
		{ YAML_BOOL_TAG, NODE_BOOL },
		{ YAML_NULL_TAG, NODE_NULL },
	};

	if (strcmp(tag, "!reset") == 0) {
		node->merge = NODE_MERGE_RESET;
	} else if (strcmp(tag, "!override") == 0) {
		node->merge = NODE_MERGE_OVERRIDE;
	} else if (node_is_scalar(node)) {
		bool known = strcmp(tag, "!") == 0;

		for (size_t i = 0; i < ARRAY_LEN(core); i++) {
			if (strcmp(tag, core[i].tag) != 0)
				continue;
			known = core[i].kind == NODE_STRING || core[i].kind == node->kind;
			if (core[i].kind == NODE_STRING)
				node->kind = NODE_STRING;
			if (core[i].kind == NODE_FLOAT && node->kind == NODE_INT) {
				node->kind = NODE_FLOAT;
				node->real = (double)node->integer;
				known = true;
			}
			if (!known)
				refuse(p, node->mark, "yaml: cannot decode '%s' as a %s",
					node->text, node_kind_names[core[i].kind]);
			return;
		}
		node->kind = NODE_STRING;
	}
}

static int fill_scalar(struct parser *p, const yaml_event_t *event, struct node *node)
{
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = (const char *)event->data.scalar.tag;

	node->kind = NODE_STRING;
	node->mark = mark_of(p, &event->start_mark);
	/* An escape can still make a NUL: \0 in double quotes. */
	if (memchr(text, '\0', event->data.scalar.length))
		return refuse(p, node->mark, "yaml: a value must not hold a NUL character");
	node->text = arena_strndup(p->arena, text, event->data.scalar.length);
	node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (!node->is_quoted || (tag && strncmp(tag, "tag:yaml.org", 12) == 0))
		scalar_resolve(p->arena, node);
	if (tag)
		apply_tag(p, node, tag);
	return 0;
}

static int parse_scalar(struct parser *p, const yaml_event_t *event, struct node **ret)
{
	*ret = arena_alloc(p->arena, sizeof(**ret));
	return fill_scalar(p, event, *ret);
}

static void push_entry(struct parser *p, const char *key, struct mark mark, struct node *value)
{
	*array_add(p->entries, p->entry_count) =
		(struct node_entry){ .key = key, .key_mark = mark, .value = value };
}

/* Those pushed since there were `outer` become the node's. */
static void take_entries(struct parser *p, struct node *node, size_t outer)
{
	if (p->entry_count > outer)
		node_fill(p->arena, node, p->entries + outer, p->entry_count - outer);
	p->entry_count = outer;
}

/* Up to the end of the sequence, or to what cannot be read. */
static int parse_items(struct parser *p)
{
	for (;;) {
		cleanup_event yaml_event_t event = { 0 };
		struct node *child;
		int r = next_event(p, &event);

		if (r < 0)
			return r;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		r = parse_node(p, &event, &child);
		if (r < 0)
			return r;
		push_entry(p, NULL, child->mark, child);
	}
}

static int parse_sequence(struct parser *p, const yaml_event_t *start, struct node **ret)
{
	struct node *node = node_new(p->arena, NODE_SEQUENCE, mark_of(p, &start->start_mark));
	size_t outer = p->entry_count;
	int r = parse_items(p);

	take_entries(p, node, outer);
	if (r < 0)
		return r;
	if (start->data.sequence_start.tag)
		apply_tag(p, node, (const char *)start->data.sequence_start.tag);
	*ret = node;
	return 0;
}

/* Fold the mappings that `<<` named into `node`: what is there already, or came from an earlier
 * one, stays. */
static int merge_mappings(struct parser *p, struct node *node, const struct node *source)
{
	if (source->kind == NODE_SEQUENCE) {
		for (size_t i = 0; i < source->count; i++) {
			if (source->entries[i].value->kind != NODE_MAPPING)
				return refuse(p, source->entries[i].value->mark,
					"yaml: map merge requires map or sequence of maps as the "
					"value");
			merge_mappings(p, node, source->entries[i].value);
		}
		return 0;
	}
	if (source->kind != NODE_MAPPING)
		return refuse(p, source->mark,
			"yaml: map merge requires map or sequence of maps as the value");
	for (size_t i = 0; i < source->count; i++)
		if (!node_find(p->arena, node, source->entries[i].key))
			node_append(p->arena, node, source->entries[i].key,
				source->entries[i].key_mark, source->entries[i].value);
	return 0;
}

static int check_key(struct parser *p, const struct node *key)
{
	if (key->kind == NODE_MAPPING || key->kind == NODE_SEQUENCE)
		return refuse(p, key->mark, "yaml: a key must be a string, not a %s",
			node_kind_names[key->kind]);
	if (key->kind != NODE_STRING)
		return refuse(p, key->mark,
			"Non-string key: %s is read as a %s; write it in quotes to mean the text",
			*key->text ? key->text : "an empty key", node_kind_names[key->kind]);
	return 0;
}

/* Nearly all keys are plain scalars, of which only text and place are kept: those need no node that
 * lasts. `room` is for them. */
static int parse_key(
	struct parser *p, yaml_event_t *event, struct node *room, const struct node **ret)
{
	struct node *key = room;
	int r;

	if (event->type == YAML_SCALAR_EVENT && !event->data.scalar.anchor) {
		r = enter_node(p, mark_of(p, &event->start_mark));
		if (r == 0)
			r = fill_scalar(p, event, room);
		p->depth--;
	} else {
		r = parse_node(p, event, &key);
	}
	*ret = key;
	return r;
}

static int parse_entry(struct parser *p, yaml_event_t *key_event, struct node_entry *merge)
{
	cleanup_event yaml_event_t event = { 0 };
	struct node room = { 0 }, *value;
	const struct node *key;
	bool is_merge;
	int r;

	r = parse_key(p, key_event, &room, &key);
	if (r < 0)
		return r;
	r = next_event(p, &event);
	if (r < 0)
		return r;
	r = parse_node(p, &event, &value);
	if (r < 0)
		return r;
	is_merge = key->kind == NODE_STRING && !key->is_quoted && strcmp(key->text, "<<") == 0;
	if (is_merge && merge->value)
		return refuse(p, key->mark,
			"mapping key \"<<\" already defined at line %u, column %u",
			merge->key_mark.line, merge->key_mark.column);
	if (is_merge) {
		merge->key_mark = key->mark;
		merge->value = value;
		return 0;
	}
	/* A bad key spoils its entry only; the rest is still worth reading. */
	if (check_key(p, key) == 0)
		push_entry(p, key->text, key->mark, value);
	return 0;
}

/* The first of entries with the same key stays; the others are told of. */
static void take_unique_entries(struct parser *p, struct node *node, size_t outer)
{
	size_t end = p->entry_count, kept = outer;

	take_entries(p, node, outer);
	for (size_t i = outer; i < end; i++) {
		const struct node_entry *entry = &p->entries[i];
		const struct node_entry *first = node_find(p->arena, node, entry->key);

		if (first == &node->entries[i - outer])
			p->entries[kept++] = *entry;
		else
			refuse(p, entry->key_mark,
				"mapping key \"%s\" already defined at line %u, column %u",
				entry->key, first->key_mark.line, first->key_mark.column);
	}
	if (kept < end)
		node_fill(p->arena, node, p->entries + outer, kept - outer);
}

/* Up to the end of the mapping, or to what cannot be read. */
static int parse_entries(struct parser *p, struct node_entry *merge)
{
	for (;;) {
		cleanup_event yaml_event_t event = { 0 };
		int r = next_event(p, &event);

		if (r < 0)
			return r;
		if (event.type == YAML_MAPPING_END_EVENT)
			return 0;
		r = parse_entry(p, &event, merge);
		if (r < 0)
			return r;
	}
}

static int parse_mapping(struct parser *p, const yaml_event_t *start, struct node **ret)
{
	struct node *node = node_new(p->arena, NODE_MAPPING, mark_of(p, &start->start_mark));
	struct node_entry merge = { 0 }; /* the `<<` of this mapping */
	size_t outer = p->entry_count;
	int r = parse_entries(p, &merge);

	take_unique_entries(p, node, outer);
	if (r == 0 && merge.value)
		r = merge_mappings(p, node, merge.value);
	if (r < 0)
		return r;
	if (start->data.mapping_start.tag)
		apply_tag(p, node, (const char *)start->data.mapping_start.tag);
	*ret = node;
	return 0;
}

static const char *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static int parse_content(struct parser *p, yaml_event_t *event, struct node **ret)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return parse_alias(p, event, ret);
	case YAML_SCALAR_EVENT:
		return parse_scalar(p, event, ret);
	case YAML_SEQUENCE_START_EVENT:
		return parse_sequence(p, event, ret);
	case YAML_MAPPING_START_EVENT:
		return parse_mapping(p, event, ret);
	default:
		return refuse(
			p, mark_of(p, &event->start_mark), "yaml: unexpected end of the document");
	}
}

static int parse_node(struct parser *p, yaml_event_t *event, struct node **ret)
{
	const char *anchor = anchor_of(event);
	struct mark mark = mark_of(p, &event->start_mark);
	int r;

	r = enter_node(p, mark);
	if (r < 0)
		return r;
	if (anchor)
		strmap_set(&p->open_anchors, anchor, p);
	r = parse_content(p, event, ret);
	if (anchor)
		strmap_remove(&p->open_anchors, anchor);
	if (anchor && r == 0)
		strmap_set(&p->anchors, anchor, *ret);
	p->depth--;
	return r;
}

static int parse_stream(struct parser *p, struct node ***roots, size_t *count)
{
	for (;;) {
		cleanup_event yaml_event_t event = { 0 };
		int r = next_event(p, &event);

		if (r < 0)
			return r;
		if (event.type == YAML_STREAM_END_EVENT)
			return 0;
		if (event.type == YAML_DOCUMENT_END_EVENT || event.type == YAML_STREAM_START_EVENT)
			continue;
		if (event.type == YAML_DOCUMENT_START_EVENT) {
			strmap_release(&p->anchors);
			p->anchors = (struct strmap)STRMAP_INIT;
			continue;
		}
		struct node *root;

		r = parse_node(p, &event, &root);
		if (r < 0)
			return r;
		if (root->kind != NODE_NULL)
			*arena_array_add(p->arena, *roots, *count) = root;
	}
}

/* Length of the UTF-8 sequence at `s`, 0 when there is none: overlong forms, surrogates and what
 * lies above U+10FFFF are not. */
static size_t utf8_length(const unsigned char *s, const unsigned char *end)
{
	size_t length = s[0] < 0x80		       ? 1
			: s[0] >= 0xc2 && s[0] <= 0xdf ? 2
			: (s[0] & 0xf0) == 0xe0	       ? 3
			: s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						       : 0;

	if (length == 0 || length > (size_t)(end - s))
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

/* libyaml would tell of bad bytes without a line, and take UTF-16 for granted. */
static int check_text(struct parser *p, const char *text, size_t length)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + length;
	struct mark mark = { p->file, 1, 1 };

	if (length > DOCUMENT_SIZE_LIMIT)
		return refuse(p, (struct mark){ p->file, 0, 0 }, "the file is larger than %u MiB",
			DOCUMENT_SIZE_LIMIT >> 20);
	if (length >= 2 && ((s[0] == 0xff && s[1] == 0xfe) || (s[0] == 0xfe && s[1] == 0xff)))
		return refuse(p, mark, "the text is UTF-16; a Compose file must be UTF-8");
	while (s < end) {
		size_t step = utf8_length(s, end);

		if (step == 0)
			return refuse(p, mark, "yaml: invalid UTF-8: byte 0x%02x", *s);
		if (*s == '\0')
			return refuse(p, mark, "yaml: control characters are not allowed: NUL");
		mark.column = *s == '\n' ? 1 : mark.column + 1;
		mark.line += *s == '\n';
		s += step;
	}
	return 0;
}

int document_parse(struct arena *arena, const char *file, const char *text, size_t length,
	struct problems *problems, struct node ***ret_roots, size_t *ret_count)
{
	struct parser p = { .arena = arena, .problems = problems, .file = file };
	size_t problems_before = problems->count;
	int r;

	problems_add_source(problems, file, text, length);
	r = check_text(&p, text, length);
	if (r < 0)
		return r;
	if (!yaml_parser_initialize(&p.yaml))
		return refuse(&p, (struct mark){ file, 0, 0 }, "yaml: cannot start the parser");
	yaml_parser_set_input_string(&p.yaml, (const unsigned char *)text, length);
	yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
	r = parse_stream(&p, ret_roots, ret_count);
	yaml_parser_delete(&p.yaml);
	strmap_release(&p.anchors);
	strmap_release(&p.open_anchors);
	free(p.entries);
	return r < 0 || problems->count > problems_before ? -EINVAL : 0;
}
