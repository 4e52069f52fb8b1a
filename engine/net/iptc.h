/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc.h - the kernel's tables: the only place that speaks to libiptc (libip4tc).
 * May depend on: engine/base/, firewall.h.
 *
 * libiptc reads a whole table, changes the copy and writes the whole table back, so two writers
 * lose each other's changes unless both hold the xtables lock (xtables_lock); where somebody wrote
 * without it the kernel answers EAGAIN and the table is read again. */
#ifndef MYCOMPOSE_NET_IPTC_H
#define MYCOMPOSE_NET_IPTC_H

#include "engine/net/firewall.h"

/* UDP ports whose DNAT rules came or went. */
struct udp_changes {
	uint16_t *ports;
	size_t count;
};

/* The lock that iptables takes too. Returns the fd that holds it. */
int xtables_lock(struct error *err);
/* Make our chains and jumps of `table` equal to the wanted ones. One commit, none when nothing
 * differs. 1 = changed. The lock must be held. */
int iptc_sync(const char *table, const struct firewall *wanted, struct udp_changes *changes,
	struct error *err);

#endif
