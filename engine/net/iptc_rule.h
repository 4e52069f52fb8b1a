/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_rule.h - one rule as the kernel's struct ipt_entry with its matches and target.
 * May depend on: firewall.h, kernel headers. */
#ifndef MYCOMPOSE_NET_IPTC_RULE_H
#define MYCOMPOSE_NET_IPTC_RULE_H

#include <libiptc/libiptc.h>

#include "engine/net/firewall.h"

/* Heap, for free(). */
struct ipt_entry *iptc_rule_build(const struct rule *rule);
/* Same conditions, same target? `present_target` is what iptc_get_target says of the entry that is
 * in the table. Counters do not matter. */
bool iptc_rule_equal(const struct ipt_entry *wanted, const struct ipt_entry *present,
	const char *present_target);
const char *iptc_rule_target(const struct ipt_entry *entry);
/* The UDP port a DNAT rule takes, 0 if it is no such rule. */
uint16_t iptc_rule_udp_port(const struct ipt_entry *entry, const char *target);

#endif
