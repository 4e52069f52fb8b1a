/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.h - the packet filter and NAT rules that networks and endpoints call for, as plain data.
 * Pure: what there is to protect in, rules out; a back-end (firewall_backend.h) carries them to the
 * kernel. May depend on: engine/base/, ip.h.
 *
 * All rules are in chains of our own, one for each hook we need and each family, each reached by
 * one jump. They decide everything about our bridges by themselves, so neither the policy of
 * FORWARD nor bridge-nf-call-iptables matters:
 *   FORWARD      the user's chain; internal networks closed; into a network only answers, DNATed
 *                flows and its own containers; out of it everything
 *   INPUT        127/8 is not for containers; the name service is for its own network only;
 *                neighbour discovery
 *   PREROUTING   name service queries, published ports
 *   OUTPUT       published ports for the host itself, 127.0.0.1 included; ::1 cannot be, as the
 *                kernel lets nobody translate it
 *   POSTROUTING  masquerading, also for flows that turn around on a bridge
 * IPv6 gets rules once a network has IPv6 addresses; a network that has no addresses of a family is
 * closed to it. */
#ifndef MYCOMPOSE_NET_FIREWALL_H
#define MYCOMPOSE_NET_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/strbuf.h"
#include "engine/net/ip.h"

#define CHAIN_TEXT	    32 /* xt_chainlabel; the kernel takes 28 letters */
#define RULE_INTERFACE_TEXT 16 /* IFNAMSIZ */
#define USER_CHAIN_NAME	    "MYCOMPOSE-USER"

enum firewall_family { FIREWALL_V4, FIREWALL_V6, FIREWALL_FAMILIES };

/* A published port. */
struct firewall_port {
	struct ip_range host; /* family 0 = every address of the host that is of `to`'s family */
	uint16_t host_port;
	struct ip_range to; /* the container's address; decides the family of the rule */
	uint16_t to_port;
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _SCTP */
};

/* What there is to protect. The pointers stay the caller's. */
struct firewall_network {
	const char *bridge;
	bool internal;
	bool no_icc;				    /* its containers may not talk to each other */
	bool no_masquerade;			    /* their own addresses leave the host */
	struct ip_range subnets[FIREWALL_FAMILIES]; /* family 0 = none of this family */
	struct ip_range gateways[FIREWALL_FAMILIES];
	/* Where the name service listens on the gateway address; 0 = not served there. */
	uint16_t resolver_ports[FIREWALL_FAMILIES];
	const struct firewall_port *ports;
	size_t port_count;
};

enum rule_target {
	TARGET_ACCEPT,
	TARGET_DROP,
	TARGET_CHAIN, /* jump to `chain` */
	TARGET_DNAT,  /* to to:to_port */
	TARGET_MASQUERADE,
};

enum rule_state { STATE_ESTABLISHED = 1, /* with RELATED */ STATE_DNAT = 2 };

/* Zero means "any" everywhere. */
struct rule {
	char in[RULE_INTERFACE_TEXT]; /* a '+' at the end stands for any rest */
	char out[RULE_INTERFACE_TEXT];
	bool not_in;
	bool not_out;
	struct ip_range source;
	struct ip_range destination;
	bool not_destination;
	uint8_t protocol;
	uint16_t port;	   /* destination */
	uint8_t icmp_type; /* with IPPROTO_ICMPV6 */
	bool source_local;
	bool destination_local;
	uint8_t states; /* enum rule_state */
	bool not_states;
	enum rule_target target;
	char chain[CHAIN_TEXT];
	struct ip_range to;
	uint16_t to_port;
};

struct rule_chain {
	enum firewall_family family;
	const char *table; /* "filter", "nat" */
	const char *hook;  /* the built-in chain it is reached from */
	char name[CHAIN_TEXT];
	struct rule jump; /* in the hook */
	struct rule *rules;
	size_t count; /* 0 = the chain is not to be */
};

#define FIREWALL_CHAINS (5 * FIREWALL_FAMILIES)
struct firewall {
	char world[7]; /* as given to firewall_build */
	struct rule_chain chains[FIREWALL_CHAINS];
};

/* `world` tells the chains of one run root from those of another on the same host: at most six
 * letters; "" for the usual one. *ret needs firewall_release. */
void firewall_build(const struct firewall_network *networks, size_t count, const char *world,
	struct firewall *ret);
void firewall_release(struct firewall *firewall);
/* Does any chain of the family have rules? */
bool firewall_has_family(const struct firewall *firewall, enum firewall_family family);
bool firewall_is_empty(const struct firewall *firewall);
/* Are there ports of this family to lead into the network? With IPv4 its bridge needs
 * route_localnet. */
bool firewall_publishes(const struct firewall_network *network, enum firewall_family family);

/* As `iptables-save` and `ip6tables-save` print a rule: "-A CHAIN -i … -j DROP" and a newline. */
void rule_print(const char *chain, const struct rule *rule, struct strbuf *out);
/* "tcp", "udp", "sctp" to IPPROTO_*; 0 when unknown. */
uint8_t protocol_number(const char *name);
const char *protocol_name(uint8_t number); /* NULL when unknown */

#endif
