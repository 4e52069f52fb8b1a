/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_print.c - rules in the words of iptables. */
#include <netinet/in.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/firewall.h"

static const struct protocol_row {
	const char *name;
	uint8_t number;
} protocol_rows[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
};

uint8_t protocol_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocol_rows); i++)
		if (strcmp(protocol_rows[i].name, name) == 0)
			return protocol_rows[i].number;
	return 0;
}

const char *protocol_name(uint8_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(protocol_rows); i++)
		if (protocol_rows[i].number == number)
			return protocol_rows[i].name;
	return NULL;
}

static void print_range(
	const char *option, const struct ip_range *range, bool inverted, struct strbuf *out)
{
	char text[IP_TEXT];

	if (!range->family)
		return;
	ip_format_cidr(range, text);
	strbuf_addf(out, "%s %s %s", inverted ? " !" : "", option, text);
}

static void print_interface(const char *option, const char *name, bool inverted, struct strbuf *out)
{
	if (*name)
		strbuf_addf(out, "%s %s %s", inverted ? " !" : "", option, name);
}

static void print_protocol(const struct rule *rule, struct strbuf *out)
{
	const char *name = protocol_name(rule->protocol);

	if (name)
		strbuf_addf(out, " -p %s -m %s --dport %u", name, name, rule->port);
	if (rule->protocol == IPPROTO_ICMPV6)
		strbuf_addf(out, " -p ipv6-icmp -m icmp6 --icmpv6-type %u", rule->icmp_type);
}

static void print_matches(const struct rule *rule, struct strbuf *out)
{
	static const char *const states[] = { "", "RELATED,ESTABLISHED", "DNAT",
		"RELATED,ESTABLISHED,DNAT" };

	print_protocol(rule, out);
	if (rule->source_local)
		strbuf_add_str(out, " -m addrtype --src-type LOCAL");
	if (rule->destination_local)
		strbuf_add_str(out, " -m addrtype --dst-type LOCAL");
	if (rule->states)
		strbuf_addf(out, " -m conntrack%s --ctstate %s", rule->not_states ? " !" : "",
			states[rule->states]);
}

static void print_target(const struct rule *rule, struct strbuf *out)
{
	static const char *const names[] = { "ACCEPT", "DROP", "", "DNAT", "MASQUERADE" };
	bool is_v6 = rule->to.family == AF_INET6;
	char address[IP_TEXT];

	strbuf_addf(
		out, " -j %s", rule->target == TARGET_CHAIN ? rule->chain : names[rule->target]);
	if (rule->target != TARGET_DNAT)
		return;
	ip_format(&rule->to, address);
	strbuf_addf(out, " --to-destination %s%s%s:%u", is_v6 ? "[" : "", address, is_v6 ? "]" : "",
		rule->to_port);
}

void rule_print(const char *chain, const struct rule *rule, struct strbuf *out)
{
	strbuf_addf(out, "-A %s", chain);
	print_range("-s", &rule->source, false, out);
	print_range("-d", &rule->destination, rule->not_destination, out);
	print_interface("-i", rule->in, rule->not_in, out);
	print_interface("-o", rule->out, rule->not_out, out);
	print_matches(rule, out);
	print_target(rule, out);
	strbuf_add_char(out, '\n');
}
