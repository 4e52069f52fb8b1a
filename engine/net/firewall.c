/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.c - the packet filter and NAT rules that networks and endpoints call for. */
#include "engine/net/firewall.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

#define DNS_PORT 53

enum { CHAIN_FORWARD, CHAIN_INPUT, CHAIN_PREROUTING, CHAIN_OUTPUT, CHAIN_POSTROUTING, CHAINS };
_Static_assert(CHAINS *FIREWALL_FAMILIES == FIREWALL_CHAINS, "a chain for each hook and family");

static const struct chain_row {
	const char *table;
	const char *hook;
	bool local; /* only packets for the host itself are of interest */
} chain_rows[CHAINS] = {
	[CHAIN_FORWARD] = { "filter", "FORWARD", false },
	[CHAIN_INPUT] = { "filter", "INPUT", false },
	[CHAIN_PREROUTING] = { "nat", "PREROUTING", true },
	[CHAIN_OUTPUT] = { "nat", "OUTPUT", true },
	[CHAIN_POSTROUTING] = { "nat", "POSTROUTING", false },
};

static const struct ip_range loopback6 = { AF_INET6, 128, { [15] = 1 } };

/* The chains of one family while they are filled. */
struct rules {
	struct rule_chain *chains;
	enum firewall_family family;
};

static struct rule *rule_add(const struct rules *rules, int chain, enum rule_target target)
{
	struct rule_chain *to = &rules->chains[chain];
	struct rule *rule = array_add(to->rules, to->count);

	rule->target = target;
	return rule;
}

static void interface_set(char to[static RULE_INTERFACE_TEXT], const char *name)
{
	snprintf(to, RULE_INTERFACE_TEXT, "%s", name);
}

static struct rule *rule_in(
	const struct rules *rules, int chain, const char *bridge, enum rule_target target)
{
	struct rule *rule = rule_add(rules, chain, target);

	interface_set(rule->in, bridge);
	return rule;
}

static struct rule *rule_out(
	const struct rules *rules, int chain, const char *bridge, enum rule_target target)
{
	struct rule *rule = rule_add(rules, chain, target);

	interface_set(rule->out, bridge);
	return rule;
}

static bool has_family(const struct firewall_network *network, enum firewall_family family)
{
	return network->subnets[family].family != 0;
}

/* Nothing may cross its border: it is meant so, or has no addresses to do it with. */
static bool is_closed(const struct firewall_network *network, enum firewall_family family)
{
	return network->internal || !has_family(network, family);
}

/* Before any ACCEPT, so that neither an established nor a DNATed flow crosses the border. */
static void closed_forward(const struct rules *rules, const char *bridge)
{
	struct rule *rule = rule_in(rules, CHAIN_FORWARD, bridge, TARGET_DROP);

	interface_set(rule->out, bridge);
	rule->not_out = true;
	rule = rule_out(rules, CHAIN_FORWARD, bridge, TARGET_DROP);
	interface_set(rule->in, bridge);
	rule->not_in = true;
}

/* Into the network. The bridge's own traffic passes here only where bridge-nf-call-iptables is on,
 * or where a container sends it by way of the host; who may not talk to whom inside is first of all
 * settled by isolated bridge ports. */
static void inbound_forward(const struct rules *rules, const struct firewall_network *network)
{
	struct rule *rule = rule_out(rules, CHAIN_FORWARD, network->bridge, TARGET_ACCEPT);

	rule->states = STATE_ESTABLISHED | STATE_DNAT;
	if (!network->no_icc) {
		rule = rule_in(rules, CHAIN_FORWARD, network->bridge, TARGET_ACCEPT);
		interface_set(rule->out, network->bridge);
	}
	rule_out(rules, CHAIN_FORWARD, network->bridge, TARGET_DROP);
}

/* Out of the network. Networks of this run root are closed by now; those of another one have
 * chains that may come after ours. */
static void outbound_forward(const struct rules *rules, const char *bridge)
{
	struct rule *rule = rule_in(rules, CHAIN_FORWARD, bridge, TARGET_DROP);

	interface_set(rule->out, "mc-+");
	rule->states = STATE_ESTABLISHED | STATE_DNAT;
	rule->not_states = true;
	rule_in(rules, CHAIN_FORWARD, bridge, TARGET_ACCEPT);
}

/* route_localnet makes the host believe 127/8 on the bridge. Only answers to the host's own flows,
 * which POSTROUTING had masqueraded, may come with it (CVE-2020-8558). IPv6 has no such switch: the
 * kernel drops ::1 that comes from anywhere but lo. */
static void loopback_input(const struct rules *rules, const char *bridge)
{
	const struct ip_range loopback = ip_from_v4(INADDR_LOOPBACK, 8);
	struct rule *rule = rule_in(rules, CHAIN_INPUT, bridge, TARGET_DROP);

	rule->source = loopback;
	rule = rule_in(rules, CHAIN_INPUT, bridge, TARGET_DROP);
	rule->destination = loopback;
	rule->states = STATE_ESTABLISHED;
	rule->not_states = true;
}

/* A host that drops what it does not know in INPUT would not be found by its containers: what ARP
 * does for IPv4, neighbour discovery does by packets. */
static void neighbour_input(const struct rules *rules, const char *bridge)
{
	static const uint8_t types[] = { ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct rule *rule = rule_in(rules, CHAIN_INPUT, bridge, TARGET_ACCEPT);

		rule->protocol = IPPROTO_ICMPV6;
		rule->icmp_type = types[i];
	}
}

/* The name service listens on a port the kernel chose, so that a server on the host or a published
 * port may have 53. Nobody reaches it but through the bridge, and no INPUT rule of the host's keeps
 * the containers from it. */
static void resolver_rules(const struct rules *rules, const struct firewall_network *network)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP };
	const struct ip_range *gateway = &network->gateways[rules->family];
	uint16_t port = network->resolver_ports[rules->family];

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct rule *rule = rule_in(rules, CHAIN_PREROUTING, network->bridge, TARGET_DNAT);

		rule->destination = *gateway;
		rule->protocol = protocols[i];
		rule->port = DNS_PORT;
		rule->to = *gateway;
		rule->to_port = port;
		for (int outsider = 0; outsider < 2; outsider++) {
			rule = rule_in(rules, CHAIN_INPUT, network->bridge,
				outsider ? TARGET_DROP : TARGET_ACCEPT);
			rule->not_in = outsider;
			rule->destination = *gateway;
			rule->protocol = protocols[i];
			rule->port = port;
		}
	}
}

static struct rule *publish_rule(
	const struct rules *rules, int chain, const struct firewall_port *port)
{
	struct rule *rule = rule_add(rules, chain, TARGET_DNAT);

	rule->destination = port->host;
	rule->protocol = port->protocol;
	rule->port = port->host_port;
	rule->to = port->to;
	rule->to_port = port->to_port;
	return rule;
}

/* For the host itself. What goes to ::1 and is translated is answered to ::1 by another interface
 * than lo, and dropped; without a rule it comes to whoever holds the port. */
static void publish_output(const struct rules *rules, const struct firewall_port *port)
{
	struct rule *rule;

	if (rules->family == FIREWALL_V6 && ip_is_loopback(&port->host))
		return;
	rule = publish_rule(rules, CHAIN_OUTPUT, port);
	if (rules->family == FIREWALL_V6 && !port->host.family) {
		rule->destination = loopback6;
		rule->not_destination = true;
	}
}

static bool port_is_of(const struct firewall_port *port, enum firewall_family family)
{
	const uint8_t wanted = family == FIREWALL_V4 ? AF_INET : AF_INET6;

	return port->host_port && port->to.family == wanted &&
	       (!port->host.family || port->host.family == wanted);
}

bool firewall_publishes(const struct firewall_network *network, enum firewall_family family)
{
	for (size_t i = 0; i < network->port_count && !is_closed(network, family); i++)
		if (port_is_of(&network->ports[i], family))
			return true;
	return false;
}

/* A port on 127.0.0.1 is the host's alone: DNAT comes before the kernel's check for martians, so a
 * rule in PREROUTING would open it to the neighbours (CVE-2020-8558, moby 45610). */
static void publish_ports(const struct rules *rules, const struct firewall_network *network)
{
	for (size_t i = 0; i < network->port_count; i++) {
		const struct firewall_port *port = &network->ports[i];

		if (!port_is_of(port, rules->family))
			continue;
		if (!ip_is_loopback(&port->host))
			publish_rule(rules, CHAIN_PREROUTING, port);
		publish_output(rules, port);
	}
}

/* Two kinds of DNATed flow would otherwise be answered past the host, which alone can turn the
 * addresses back: from a container of the same bridge, and from a loopback address of the host. */
static void masquerade(const struct rules *rules, const struct firewall_network *network)
{
	const struct ip_range *subnet = &network->subnets[rules->family];
	struct rule *rule;

	if (is_closed(network, rules->family))
		return;
	if (!network->no_masquerade) {
		rule = rule_out(rules, CHAIN_POSTROUTING, network->bridge, TARGET_MASQUERADE);
		rule->not_out = true;
		rule->source = *subnet;
	}
	if (!firewall_publishes(network, rules->family))
		return;
	rule = rule_out(rules, CHAIN_POSTROUTING, network->bridge, TARGET_MASQUERADE);
	rule->source = *subnet;
	rule->states = STATE_DNAT;
	rule = rule_out(rules, CHAIN_POSTROUTING, network->bridge, TARGET_MASQUERADE);
	rule->source_local = true;
	rule->states = STATE_DNAT;
}

static void input_rules(const struct rules *rules, const struct firewall_network *network)
{
	if (rules->family == FIREWALL_V6 && has_family(network, FIREWALL_V6))
		neighbour_input(rules, network->bridge);
	if (rules->family == FIREWALL_V4 && !is_closed(network, FIREWALL_V4))
		loopback_input(rules, network->bridge);
}

static void family_build(
	const struct rules *rules, const struct firewall_network *networks, size_t count)
{
	struct rule *user = rule_add(rules, CHAIN_FORWARD, TARGET_CHAIN);

	snprintf(user->chain, sizeof(user->chain), USER_CHAIN_NAME);
	for (size_t i = 0; i < count; i++)
		if (is_closed(&networks[i], rules->family))
			closed_forward(rules, networks[i].bridge);
	for (size_t i = 0; i < count; i++)
		inbound_forward(rules, &networks[i]);
	for (size_t i = 0; i < count; i++) {
		if (!is_closed(&networks[i], rules->family))
			outbound_forward(rules, networks[i].bridge);
		input_rules(rules, &networks[i]);
		if (networks[i].resolver_ports[rules->family])
			resolver_rules(rules, &networks[i]);
		masquerade(rules, &networks[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (firewall_publishes(&networks[i], rules->family))
			publish_ports(rules, &networks[i]);
}

static void chains_name(const struct rules *rules, const char *world)
{
	for (size_t i = 0; i < CHAINS; i++) {
		struct rule_chain *chain = &rules->chains[i];

		chain->family = rules->family;
		chain->table = chain_rows[i].table;
		chain->hook = chain_rows[i].hook;
		snprintf(chain->name, sizeof(chain->name), "MYCOMPOSE%s%s-%s", *world ? "-" : "",
			world, chain->hook);
		chain->jump.target = TARGET_CHAIN;
		chain->jump.destination_local = chain_rows[i].local;
		memcpy(chain->jump.chain, chain->name, sizeof(chain->name));
	}
}

/* IPv4 is there on every host; IPv6 rules are for who uses it. */
static bool family_is_wanted(
	enum firewall_family family, const struct firewall_network *networks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (family == FIREWALL_V4 || has_family(&networks[i], family))
			return true;
	return false;
}

void firewall_build(const struct firewall_network *networks, size_t count, const char *world,
	struct firewall *ret)
{
	struct firewall firewall = { 0 };

	snprintf(firewall.world, sizeof(firewall.world), "%s", world);
	for (enum firewall_family family = 0; family < FIREWALL_FAMILIES; family++) {
		const struct rules rules = { &firewall.chains[family * CHAINS], family };

		chains_name(&rules, firewall.world);
		if (family_is_wanted(family, networks, count))
			family_build(&rules, networks, count);
	}
	*ret = firewall;
}

void firewall_release(struct firewall *firewall)
{
	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		free(firewall->chains[i].rules);
	memset(firewall, 0, sizeof(*firewall));
}

bool firewall_has_family(const struct firewall *firewall, enum firewall_family family)
{
	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		if (firewall->chains[i].family == family && firewall->chains[i].count)
			return true;
	return false;
}

bool firewall_is_empty(const struct firewall *firewall)
{
	return !firewall_has_family(firewall, FIREWALL_V4) &&
	       !firewall_has_family(firewall, FIREWALL_V6);
}
