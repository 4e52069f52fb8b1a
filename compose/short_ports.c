/* SPDX-License-Identifier: GPL-2.0-or-later
 * short_ports.c - the short syntax of ports: [[IP:][PUBLISHED[-LAST]]:]TARGET[-LAST][/PROTOCOL]. */
#include "compose/keys.h"

#include <arpa/inet.h>
#include <string.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"

#define UNFOLDED_PORTS_LIMIT 100000 /* of one load */

struct port_range {
	uint64_t first;
	uint64_t last;
};

struct port_text {
	const char *host_ip; /* NULL: not given */
	const char *published;
	const char *target;
	const char *protocol;
};

/* "80" or "80-90"; the rule for both ends is the same: 0..65535, in order. */
static bool parse_range(struct arena *arena, const char *text, struct port_range *ret)
{
	const char *dash = strchr(text, '-');
	const char *first = dash ? arena_strndup(arena, text, (size_t)(dash - text)) : text;

	if (parse_u64(first, 0, 65535, &ret->first) < 0)
		return false;
	ret->last = ret->first;
	if (dash && parse_u64(dash + 1, 0, 65535, &ret->last) < 0)
		return false;
	return ret->last >= ret->first;
}

/* Cut the text at its last two colons outside brackets; what stands before them is an address (IPv6
 * has colons of its own). */
static void cut(struct arena *arena, const char *text, struct port_text *ret)
{
	char *copy = arena_strdup(arena, text);
	char *slash = strchr(copy, '/');
	char *colon;

	*ret = (struct port_text){ .protocol = "tcp", .target = copy };
	if (slash) {
		*slash = '\0';
		ret->protocol = slash + 1;
	}
	colon = strrchr(copy, ':');
	if (!colon || colon[1] == ']')
		return;
	*colon = '\0';
	ret->target = colon + 1;
	ret->published = copy;
	colon = strrchr(copy, ':');
	if (!colon)
		return;
	*colon = '\0';
	ret->published = colon + 1;
	ret->host_ip = copy;
	if (copy[0] == '[' && copy[strlen(copy) - 1] == ']') {
		copy[strlen(copy) - 1] = '\0';
		ret->host_ip = copy + 1;
	}
}

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static const char *lower_case(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *p = copy; *p; p++)
		*p = ascii_to_lower(*p);
	return copy;
}

static struct node *range_node(
	struct arena *arena, const struct port_range *range, struct mark mark)
{
	char first[NUMBER_TEXT_SIZE], last[NUMBER_TEXT_SIZE];
	const char *text = format_u64(range->first, first);

	if (range->last != range->first)
		text = arena_join(arena, text, "-", format_u64(range->last, last));
	return node_string(arena, text, mark);
}

/* Without a `published` range the host's port is chosen at start. */
static void add_port(struct canon *c, struct node *list, const struct node *item,
	const struct port_text *text, uint64_t target, const struct port_range *published)
{
	struct arena *arena = c->arena;
	struct mark mark = item->mark;
	bool has_address = text->host_ip && *text->host_ip;
	struct node *port = node_mapping(arena, mark,
		(struct node_entry[]){
			{ "mode", .value = node_string(arena, "ingress", mark) },
			{ "host_ip", .value = has_address ? node_string(arena, text->host_ip, mark)
							  : NULL },
			{ "target", .value = node_int(arena, (int64_t)target, mark) },
			{ "published",
				.value = published ? range_node(arena, published, mark) : NULL },
			{ "protocol", .value = node_string(arena, text->protocol, mark) },
		},
		5);

	port->merge = item->merge;
	node_append(arena, list, NULL, mark, port);
}

/* A short line can ask for 65536 ports; a file of such lines would use up the memory. */
static bool may_unfold(struct canon *c, uint64_t count)
{
	if (!c->unfolded_ports)
		return true;
	*c->unfolded_ports += count;
	return *c->unfolded_ports <= UNFOLDED_PORTS_LIMIT;
}

static void expand_port(
	struct canon *c, struct node *list, const struct node *item, const struct path *path)
{
	struct port_range target, published = { 0 };
	struct port_text text;
	bool is_published;

	cut(c->arena, item->text, &text);
	text.protocol = lower_case(c->arena, text.protocol);
	is_published = text.published && *text.published;
	if (!*text.target) {
		canon_problem(c, item, path, "No port specified: %s", item->text);
	} else if (text.host_ip && *text.host_ip && !is_address(text.host_ip)) {
		canon_problem(c, item, path, "Invalid ip address: %s", text.host_ip);
	} else if (!parse_range(c->arena, text.target, &target) || target.first == 0) {
		canon_problem(c, item, path, "Invalid containerPort: %s", text.target);
	} else if (is_published && !parse_range(c->arena, text.published, &published)) {
		canon_problem(c, item, path, "Invalid hostPort: %s", text.published);
	} else if (is_published && target.first != target.last &&
		   published.last - published.first != target.last - target.first) {
		canon_problem(c, item, path,
			"Invalid ranges specified for container and host Ports: %s and %s",
			text.target, text.published);
	} else if (strcmp(text.protocol, "tcp") != 0 && strcmp(text.protocol, "udp") != 0 &&
		   strcmp(text.protocol, "sctp") != 0) {
		canon_problem(c, item, path, "Invalid proto: %s", text.protocol);
	} else if (target.first == target.last) {
		/* A range of published ports for one target: one of them is chosen at start. */
		add_port(c, list, item, &text, target.first, is_published ? &published : NULL);
	} else if (!may_unfold(c, target.last - target.first + 1)) {
		canon_problem(c, item, path,
			"the ranges of ports unfold to more than %d ports; network_mode: host "
			"needs no list",
			UNFOLDED_PORTS_LIMIT);
	} else {
		for (uint64_t i = 0; i <= target.last - target.first; i++) {
			uint64_t one = published.first + i;

			add_port(c, list, item, &text, target.first + i,
				is_published ? &(struct port_range){ one, one } : NULL);
		}
	}
}

/* Long syntax: fill in what the short one implies. */
static void complete_port(struct canon *c, struct node *port, const struct path *path)
{
	struct node *published = node_get(port, "published");
	struct node *target = node_get(port, "target");
	struct port_range range;

	if (published && published->kind == NODE_INT) {
		published->kind = NODE_STRING;
		published->text = node_scalar_text(c->arena,
			&(struct node){ .kind = NODE_INT, .integer = published->integer });
	}
	if (published && published->kind == NODE_STRING && !canon_is_open(c, published) &&
		*published->text && !parse_range(c->arena, published->text, &range)) {
		struct path at = { path, "published", 0 };

		canon_problem(c, published, &at,
			"invalid published port '%s': 0 to 65535, or a range", published->text);
	}
	if (!target || (target->kind == NODE_INT && target->integer == 0))
		canon_problem(c, port, path, "missing a target port");
	if (target && target->kind == NODE_INT &&
		(target->integer < 0 || target->integer > 65535)) {
		struct path at = { path, "target", 0 };

		canon_problem(c, target, &at, "port %s is out of range",
			node_scalar_text(c->arena, target));
	}
	if (!node_get(port, "mode"))
		node_set_string(c->arena, port, "mode", "ingress");
	if (!node_get(port, "protocol"))
		node_set_string(c->arena, port, "protocol", "tcp");
}

struct node *normalise_ports(struct canon *c, struct node *node, const struct path *path)
{
	struct node *list;

	if (node->kind != NODE_SEQUENCE)
		return node;
	list = node_new(c->arena, NODE_SEQUENCE, node->mark);
	for (size_t i = 0; i < node->count; i++) {
		struct node *item = node->entries[i].value;
		struct path at = { path, NULL, i };

		if (item->kind == NODE_INT || item->kind == NODE_FLOAT) {
			item->text = node_scalar_text(c->arena, item);
			item->kind = NODE_STRING;
		}
		if (item->kind == NODE_MAPPING && item->merge != NODE_MERGE_RESET)
			complete_port(c, item, &at);
		if (item->kind == NODE_STRING && !canon_is_open(c, item))
			expand_port(c, list, item, &at);
		else
			node_append(c->arena, list, NULL, item->mark, item);
	}
	return list;
}

const char *identity_port(struct arena *arena, const struct node *item)
{
	static const char *const parts[] = { "host_ip", "target", "published", "protocol" };
	const char *texts[ARRAY_LEN(parts)];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct node *part = node_get(item, parts[i]);

		texts[i] = part ? node_scalar_text(arena, part) : "";
	}
	return arena_join(arena, texts[0], "/", texts[1], "/", texts[2], "/", texts[3]);
}
