/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc.h - the rules in the kernel's legacy tables: the only place that speaks to libiptc (libip4tc
 * and libip6tc). May depend on: engine/base/, firewall.h.
 *
 * libiptc reads a whole table, changes the copy and writes the whole table back, so two writers
 * lose each other's changes unless both hold the xtables lock; where somebody wrote without it the
 * kernel answers EAGAIN and the table is read again. Chains that are right are left as they are,
 * with their counters. */
#ifndef MYCOMPOSE_NET_IPTC_H
#define MYCOMPOSE_NET_IPTC_H

#include "engine/net/firewall_backend.h"

/* Does this kernel have legacy tables, or can it load them? Makes none. */
int iptc_check(struct error *err);
/* As firewall_backend's sync. -EOPNOTSUPP when a table that is needed cannot be had. */
int iptc_sync(const struct firewall *wanted, struct udp_changes *changes, struct error *err);

/* Does the family's FORWARD drop in the end what no rule knows? Reads the table if this netns has
 * it, and makes none. */
bool iptc_forward_drops(enum firewall_family family);

#endif
