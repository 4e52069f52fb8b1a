/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.c - the packet filter and NAT rules that networks and endpoints call for. */
#include "engine/net/firewall.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define DNS_PORT 53

enum { CHAIN_FORWARD, CHAIN_INPUT, CHAIN_PREROUTING, CHAIN_OUTPUT, CHAIN_POSTROUTING };

static const struct chain_row {
	const char *table;
	const char *hook;
	bool local; /* only packets for the host itself are of interest */
} chain_rows[FIREWALL_CHAINS] = {
	[CHAIN_FORWARD] = { "filter", "FORWARD", false },
	[CHAIN_INPUT] = { "filter", "INPUT", false },
	[CHAIN_PREROUTING] = { "nat", "PREROUTING", true },
	[CHAIN_OUTPUT] = { "nat", "OUTPUT", true },
	[CHAIN_POSTROUTING] = { "nat", "POSTROUTING", false },
};

static const struct protocol_row {
	const char *name;
	uint8_t number;
} protocol_rows[] = {
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
};

static const struct subnet loopback = { 0x7f000000u, 8 };

uint8_t protocol_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocol_rows); i++)
		if (strcmp(protocol_rows[i].name, name) == 0)
			return protocol_rows[i].number;
	return 0;
}

static struct rule *rule_add(struct firewall *firewall, int chain, enum rule_target target)
{
	struct rule_chain *to = &firewall->chains[chain];
	struct rule *rule = array_add(to->rules, to->count);

	rule->target = target;
	return rule;
}

static void interface_set(char to[static INTERFACE_TEXT], const char *name)
{
	snprintf(to, INTERFACE_TEXT, "%s", name);
}

static struct rule *rule_in(
	struct firewall *firewall, int chain, const char *bridge, enum rule_target target)
{
	struct rule *rule = rule_add(firewall, chain, target);

	interface_set(rule->in, bridge);
	return rule;
}

static struct rule *rule_out(
	struct firewall *firewall, int chain, const char *bridge, enum rule_target target)
{
	struct rule *rule = rule_add(firewall, chain, target);

	interface_set(rule->out, bridge);
	return rule;
}

static struct subnet host(uint32_t address)
{
	return (struct subnet){ address, 32 };
}

/* Before any ACCEPT, so that neither an established nor a DNATed flow crosses the border. */
static void internal_forward(struct firewall *firewall, const char *bridge)
{
	struct rule *rule = rule_in(firewall, CHAIN_FORWARD, bridge, TARGET_DROP);

	interface_set(rule->out, bridge);
	rule->not_out = true;
	rule = rule_out(firewall, CHAIN_FORWARD, bridge, TARGET_DROP);
	interface_set(rule->in, bridge);
	rule->not_in = true;
}

/* Into the network. The bridge's own traffic passes here only where bridge-nf-call-iptables is on;
 * who may not talk to whom inside (enable_icc) is settled by isolated bridge ports. */
static void inbound_forward(struct firewall *firewall, const char *bridge)
{
	struct rule *rule = rule_out(firewall, CHAIN_FORWARD, bridge, TARGET_ACCEPT);

	rule->states = STATE_ESTABLISHED | STATE_DNAT;
	rule = rule_in(firewall, CHAIN_FORWARD, bridge, TARGET_ACCEPT);
	interface_set(rule->out, bridge);
	rule_out(firewall, CHAIN_FORWARD, bridge, TARGET_DROP);
}

/* Out of the network. Networks of this run root are closed by now; those of another one have
 * chains that may come after ours. */
static void outbound_forward(struct firewall *firewall, const char *bridge)
{
	struct rule *rule = rule_in(firewall, CHAIN_FORWARD, bridge, TARGET_DROP);

	interface_set(rule->out, "mc-+");
	rule->states = STATE_ESTABLISHED | STATE_DNAT;
	rule->not_states = true;
	rule_in(firewall, CHAIN_FORWARD, bridge, TARGET_ACCEPT);
}

/* route_localnet makes the host believe 127/8 on the bridge. Only answers to the host's own flows,
 * which POSTROUTING had masqueraded, may come with it (CVE-2020-8558). */
static void loopback_input(struct firewall *firewall, const char *bridge)
{
	struct rule *rule = rule_in(firewall, CHAIN_INPUT, bridge, TARGET_DROP);

	rule->source = loopback;
	rule = rule_in(firewall, CHAIN_INPUT, bridge, TARGET_DROP);
	rule->destination = loopback;
	rule->states = STATE_ESTABLISHED;
	rule->not_states = true;
}

/* The name service listens on a port the kernel chose, so that a server on the host or a published
 * port may have 53. Nobody reaches it but through the bridge, and no INPUT rule of the host's keeps
 * the containers from it. */
static void resolver_rules(struct firewall *firewall, const struct firewall_network *entry)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };
	uint32_t gateway = network_gateway(entry->network);

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct rule *rule =
			rule_in(firewall, CHAIN_PREROUTING, entry->network->bridge, TARGET_DNAT);

		rule->destination = host(gateway);
		rule->protocol = protocols[i];
		rule->port = DNS_PORT;
		rule->to_address = gateway;
		rule->to_port = entry->resolver_port;
		for (int outsider = 0; outsider < 2; outsider++) {
			rule = rule_in(firewall, CHAIN_INPUT, entry->network->bridge,
				outsider ? TARGET_DROP : TARGET_ACCEPT);
			rule->not_in = outsider;
			rule->destination = host(gateway);
			rule->protocol = protocols[i];
			rule->port = entry->resolver_port;
		}
	}
}

static void publish_rule(struct firewall *firewall, int chain, const struct published_port *port,
	uint32_t host_address, uint32_t address)
{
	struct rule *rule = rule_add(firewall, chain, TARGET_DNAT);

	if (host_address)
		rule->destination = host(host_address);
	rule->protocol = protocol_number(port->protocol);
	rule->port = port->host_port;
	rule->to_address = address;
	rule->to_port = port->container_port;
}

/* A port on 127.0.0.1 is the host's alone: DNAT comes before the kernel's check for martians, so a
 * rule in PREROUTING would open it to the neighbours (CVE-2020-8558, moby 45610). */
static void publish_endpoint(struct firewall *firewall, const struct endpoint *endpoint)
{
	uint32_t address;

	if (address_parse(endpoint->address, &address) < 0)
		return;
	for (size_t i = 0; i < endpoint->port_count; i++) {
		const struct published_port *port = &endpoint->ports[i];
		uint32_t host_address = 0;

		if (!port->host_port ||
			(port->host_ip && address_parse(port->host_ip, &host_address) < 0))
			continue;
		if (!subnet_contains(&loopback, host_address))
			publish_rule(firewall, CHAIN_PREROUTING, port, host_address, address);
		publish_rule(firewall, CHAIN_OUTPUT, port, host_address, address);
	}
}

bool firewall_publishes(const struct firewall_network *entry)
{
	if (entry->network->internal)
		return false;
	for (size_t i = 0; i < entry->endpoint_count; i++)
		if (entry->endpoints[i].port_count)
			return true;
	return false;
}

/* Two kinds of DNATed flow would otherwise be answered past the host, which alone can turn the
 * addresses back: from a container of the same bridge, and from a loopback address of the host. */
static void masquerade(struct firewall *firewall, const struct firewall_network *entry)
{
	const char *bridge = entry->network->bridge;
	struct rule *rule;

	if (!entry->network->internal && !entry->traits.no_masquerade) {
		rule = rule_out(firewall, CHAIN_POSTROUTING, bridge, TARGET_MASQUERADE);
		rule->not_out = true;
		rule->source = network_subnet(entry->network);
	}
	if (!firewall_publishes(entry))
		return;
	rule = rule_out(firewall, CHAIN_POSTROUTING, bridge, TARGET_MASQUERADE);
	rule->source = network_subnet(entry->network);
	rule->states = STATE_DNAT;
	rule = rule_out(firewall, CHAIN_POSTROUTING, bridge, TARGET_MASQUERADE);
	rule->source_local = true;
	rule->states = STATE_DNAT;
}

static void chains_name(struct firewall *firewall, const char *world)
{
	for (size_t i = 0; i < FIREWALL_CHAINS; i++) {
		struct rule_chain *chain = &firewall->chains[i];

		chain->table = chain_rows[i].table;
		chain->hook = chain_rows[i].hook;
		snprintf(chain->name, sizeof(chain->name), "MYCOMPOSE%s%s-%s", *world ? "-" : "",
			world, chain->hook);
		chain->jump.target = TARGET_CHAIN;
		chain->jump.destination_local = chain_rows[i].local;
		memcpy(chain->jump.chain, chain->name, sizeof(chain->name));
	}
}

void firewall_build(const struct firewall_network *networks, size_t count, const char *world,
	struct firewall *ret)
{
	struct firewall firewall = { 0 };
	struct rule *user;

	chains_name(&firewall, world);
	if (count) {
		user = rule_add(&firewall, CHAIN_FORWARD, TARGET_CHAIN);
		snprintf(user->chain, sizeof(user->chain), USER_CHAIN_NAME);
	}
	for (size_t i = 0; i < count; i++)
		if (networks[i].network->internal)
			internal_forward(&firewall, networks[i].network->bridge);
	for (size_t i = 0; i < count; i++)
		inbound_forward(&firewall, networks[i].network->bridge);
	for (size_t i = 0; i < count; i++) {
		if (!networks[i].network->internal) {
			outbound_forward(&firewall, networks[i].network->bridge);
			loopback_input(&firewall, networks[i].network->bridge);
		}
		if (networks[i].resolver_port)
			resolver_rules(&firewall, &networks[i]);
		masquerade(&firewall, &networks[i]);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0;
			firewall_publishes(&networks[i]) && k < networks[i].endpoint_count; k++)
			publish_endpoint(&firewall, &networks[i].endpoints[k]);
	*ret = firewall;
}

void firewall_release(struct firewall *firewall)
{
	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		free(firewall->chains[i].rules);
	memset(firewall, 0, sizeof(*firewall));
}

static void print_subnet(const char *option, const struct subnet *subnet, struct strbuf *out)
{
	char text[SUBNET_TEXT];

	if (!subnet->prefix)
		return;
	subnet_format(subnet, text);
	strbuf_addf(out, " %s %s", option, text);
}

static void print_interface(const char *option, const char *name, bool inverted, struct strbuf *out)
{
	if (*name)
		strbuf_addf(out, "%s %s %s", inverted ? " !" : "", option, name);
}

static void print_protocol(const struct rule *rule, struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(protocol_rows); i++)
		if (protocol_rows[i].number == rule->protocol)
			strbuf_addf(out, " -p %s -m %s --dport %u", protocol_rows[i].name,
				protocol_rows[i].name, rule->port);
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
	char address[ADDRESS_TEXT];

	strbuf_addf(
		out, " -j %s", rule->target == TARGET_CHAIN ? rule->chain : names[rule->target]);
	if (rule->target != TARGET_DNAT)
		return;
	address_format(rule->to_address, address);
	strbuf_addf(out, " --to-destination %s:%u", address, rule->to_port);
}

void rule_print(const char *chain, const struct rule *rule, struct strbuf *out)
{
	strbuf_addf(out, "-A %s", chain);
	print_subnet("-s", &rule->source, out);
	print_subnet("-d", &rule->destination, out);
	print_interface("-i", rule->in, rule->not_in, out);
	print_interface("-o", rule->out, rule->not_out, out);
	print_matches(rule, out);
	print_target(rule, out);
	strbuf_add_char(out, '\n');
}
