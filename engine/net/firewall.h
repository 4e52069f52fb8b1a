/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.h - the packet filter and NAT rules that networks and endpoints call for. Pure: records
 * in, rules out; iptc.c carries them to the kernel. May depend on: engine/base/, network.h.
 *
 * All rules are in chains of our own, one for each built-in chain we need, each reached by one
 * jump. They decide everything about our bridges by themselves, so neither the policy of FORWARD
 * nor bridge-nf-call-iptables matters:
 *   FORWARD      the user's chain; internal networks closed; into a network only answers, DNATed
 *                flows and its own containers; out of it everything
 *   INPUT        127/8 is not for containers; the name service is for its own network only
 *   PREROUTING   name service queries, published ports
 *   OUTPUT       published ports for the host itself, 127.0.0.1 included
 *   POSTROUTING  masquerading, also for flows that turn around on a bridge */
#ifndef MYCOMPOSE_NET_FIREWALL_H
#define MYCOMPOSE_NET_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/strbuf.h"
#include "engine/net/address.h"
#include "engine/net/room.h"

#define CHAIN_TEXT	32 /* xt_chainlabel; the kernel takes 28 letters */
#define USER_CHAIN_NAME "MYCOMPOSE-USER"

enum rule_target {
	TARGET_ACCEPT,
	TARGET_DROP,
	TARGET_CHAIN, /* jump to `chain` */
	TARGET_DNAT,  /* to to_address:to_port */
	TARGET_MASQUERADE,
};

enum rule_state { STATE_ESTABLISHED = 1, /* with RELATED */ STATE_DNAT = 2 };

/* Zero means "any" everywhere. */
struct rule {
	char in[INTERFACE_TEXT]; /* a '+' at the end stands for any rest */
	char out[INTERFACE_TEXT];
	bool not_in;
	bool not_out;
	struct subnet source;
	struct subnet destination;
	uint8_t protocol;
	uint16_t port; /* destination */
	bool source_local;
	bool destination_local;
	uint8_t states; /* enum rule_state */
	bool not_states;
	enum rule_target target;
	char chain[CHAIN_TEXT];
	uint32_t to_address;
	uint16_t to_port;
};

struct rule_chain {
	const char *table; /* "filter", "nat" */
	const char *hook;  /* the built-in chain it is reached from */
	char name[CHAIN_TEXT];
	struct rule jump; /* in the hook */
	struct rule *rules;
	size_t count; /* 0 = the chain is not to be */
};

#define FIREWALL_CHAINS 5
struct firewall {
	struct rule_chain chains[FIREWALL_CHAINS];
};

/* What there is to protect. The pointers stay the caller's. */
struct firewall_network {
	const struct network *network;
	struct network_traits traits;
	const struct endpoint *endpoints;
	size_t endpoint_count;
	uint16_t resolver_port;
};

/* `world` tells the chains of one run root from those of another on the same host; "" for the
 * usual one. *ret needs firewall_release. */
void firewall_build(const struct firewall_network *networks, size_t count, const char *world,
	struct firewall *ret);
void firewall_release(struct firewall *firewall);
/* As `iptables-save` prints a rule: "-A CHAIN -i … -j DROP" and a newline. */
void rule_print(const char *chain, const struct rule *rule, struct strbuf *out);
/* "tcp", "udp", "sctp" to IPPROTO_*; 0 when unknown. */
uint8_t protocol_number(const char *name);
/* Does the endpoint's network need route_localnet on its bridge? */
bool firewall_publishes(const struct firewall_network *network);

#endif
