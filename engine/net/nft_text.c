/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_text.c - rules in the words of nftables. */
#include "engine/net/nft_text.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"

static int print_interface(
	const char *keyword, const char *name, bool inverted, struct strbuf *out, struct error *err)
{
	size_t length = strlen(name);
	bool is_prefix = length && name[length - 1] == '+';

	if (!length)
		return 0;
	if (strpbrk(name, "\"\\*"))
		return error_set(
			err, -EINVAL, "nftables cannot be told the interface name '%s'", name);
	strbuf_addf(out, "%s %s\"%.*s%s\" ", keyword, inverted ? "!= " : "",
		(int)(length - is_prefix), name, is_prefix ? "*" : "");
	return 0;
}

static void print_range(const char *keyword, enum firewall_family family,
	const struct ip_range *range, bool inverted, struct strbuf *out)
{
	char text[IP_TEXT];

	if (!range->family)
		return;
	if (range->prefix == ip_bits(range->family))
		ip_format(range, text);
	else
		ip_format_cidr(range, text);
	strbuf_addf(out, "%s %s %s%s ", family == FIREWALL_V4 ? "ip" : "ip6", keyword,
		inverted ? "!= " : "", text);
}

static void print_protocol(const struct rule *rule, struct strbuf *out)
{
	const char *name = protocol_name(rule->protocol);

	if (name)
		strbuf_addf(out, "%s dport %u ", name, rule->port);
	if (rule->protocol == IPPROTO_ICMPV6)
		strbuf_addf(out, "icmpv6 type %u ", rule->icmp_type);
}

static void print_target(const struct rule *rule, struct strbuf *out)
{
	static const char *const verdicts[] = {
		[TARGET_ACCEPT] = "accept",
		[TARGET_DROP] = "drop",
		[TARGET_CHAIN] = "jump ",
		[TARGET_DNAT] = "dnat to ",
		[TARGET_MASQUERADE] = "masquerade",
	};
	bool is_v6 = rule->to.family == AF_INET6;
	char address[IP_TEXT];

	strbuf_addf(out, "counter %s", verdicts[rule->target]);
	if (rule->target == TARGET_CHAIN)
		strbuf_add_str(out, rule->chain);
	if (rule->target != TARGET_DNAT)
		return;
	ip_format(&rule->to, address);
	strbuf_addf(out, "%s%s%s:%u", is_v6 ? "[" : "", address, is_v6 ? "]" : "", rule->to_port);
}

/* What is true of a packet whose flow has one of the states, or none: alternatives, as the two come
 * from two fields of the flow. A packet without a flow has no `ct status` at all, and matches
 * neither a test of it nor its contrary. */
static const struct {
	uint8_t states;
	bool not_states;
	const char *conditions[2];
} state_rows[] = {
	{ 0, false, { "", NULL } },
	{ STATE_ESTABLISHED, false, { "ct state established,related ", NULL } },
	{ STATE_DNAT, false, { "ct status dnat ", NULL } },
	{ STATE_ESTABLISHED | STATE_DNAT, false,
		{ "ct state established,related ", "ct status dnat " } },
	{ STATE_ESTABLISHED, true, { "ct state invalid,new,untracked ", NULL } },
	{ STATE_DNAT, true, { "ct state invalid,untracked ", "ct status & dnat == 0 " } },
	{ STATE_ESTABLISHED | STATE_DNAT, true,
		{ "ct state invalid,untracked ", "ct state new ct status & dnat == 0 " } },
};

static const char *const *states_find(const struct rule *rule)
{
	for (size_t i = 0; i < ARRAY_LEN(state_rows); i++)
		if (state_rows[i].states == rule->states &&
			state_rows[i].not_states == (rule->states && rule->not_states))
			return state_rows[i].conditions;
	return NULL;
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

static void line_add(
	struct nft_lines *lines, const struct rule *rule, const char *text, const char *tag)
{
	struct nft_line *line = array_add(lines->items, lines->count);
	struct strbuf comment = STRBUF_INIT;

	strbuf_addf(&comment, "%s %016" PRIx64, tag, hash_of(text));
	if (rule->target == TARGET_DNAT && rule->protocol == IPPROTO_UDP)
		strbuf_addf(&comment, " udp %u", rule->port);
	line->comment = strbuf_steal(&comment);
	line->text = xasprintf("%s comment \"%s\"", text, line->comment);
}

int nft_lines_add(struct nft_lines *lines, enum firewall_family family, const struct rule *rule,
	const char *tag, struct error *err)
{
	const char *const *states = states_find(rule);

	for (size_t i = 0; i < 2 && states[i]; i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		int r = print_interface("iifname", rule->in, rule->not_in, &text, err);

		if (r == 0)
			r = print_interface("oifname", rule->out, rule->not_out, &text, err);
		if (r < 0)
			return r;
		print_range("saddr", family, &rule->source, false, &text);
		print_range("daddr", family, &rule->destination, rule->not_destination, &text);
		print_protocol(rule, &text);
		if (rule->source_local)
			strbuf_add_str(&text, "fib saddr type local ");
		if (rule->destination_local)
			strbuf_add_str(&text, "fib daddr type local ");
		strbuf_add_str(&text, states[i]);
		print_target(rule, &text);
		line_add(lines, rule, strbuf_text(&text), tag);
	}
	return 0;
}

void nft_lines_release(struct nft_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		free(lines->items[i].text);
		free(lines->items[i].comment);
	}
	free(lines->items);
	*lines = (struct nft_lines){ NULL, 0 };
}

uint16_t nft_comment_udp_port(const char *comment)
{
	const char *udp = comment ? strstr(comment, " udp ") : NULL;
	uint64_t port;

	if (!udp || parse_u64(udp + strlen(" udp "), 1, UINT16_MAX, &port) < 0)
		return 0;
	return (uint16_t)port;
}
