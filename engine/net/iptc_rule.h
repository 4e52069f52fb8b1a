/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_rule.h - one rule as the kernel's struct ipt_entry or ip6t_entry with its matches and
 * target. May depend on: firewall.h, iptc_family.h, kernel headers. */
#ifndef MYCOMPOSE_NET_IPTC_RULE_H
#define MYCOMPOSE_NET_IPTC_RULE_H

#include "engine/net/iptc_family.h"

/* Heap, for free(). */
void *iptc_rule_build(const struct rule *rule, enum firewall_family family);
/* Same conditions, same target? `present_target` is what the library says of the entry that is in
 * the table. Counters do not matter. */
bool iptc_rule_equal(enum firewall_family family, const void *wanted, const void *present,
	const char *present_target);
const char *iptc_rule_target(enum firewall_family family, const void *entry);
/* The UDP port a DNAT rule takes, 0 if it is no such rule. */
uint16_t iptc_rule_udp_port(enum firewall_family family, const void *entry, const char *target);

#endif
