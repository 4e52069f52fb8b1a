/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_backend.h - who carries the rules of firewall.h to the kernel, and the choice of one.
 * May depend on: engine/base/, firewall.h. */
#ifndef MYCOMPOSE_NET_FIREWALL_BACKEND_H
#define MYCOMPOSE_NET_FIREWALL_BACKEND_H

#include "engine/base/errors.h"
#include "engine/engine.h"
#include "engine/net/firewall.h"

/* UDP ports whose DNAT rules came or went. */
struct udp_changes {
	uint16_t *ports;
	size_t count;
};

struct firewall_backend {
	const char *name;
	const char *why; /* it is taken when nobody has chosen */
	/* -EOPNOTSUPP with the reason when this host has it not. Changes nothing. */
	int (*check)(struct error *err);
	/* Make our chains and jumps equal to the wanted ones: one commit per table, none when
	 * nothing differs. 1 = changed; -EOPNOTSUPP as `check`; -EWOULDBLOCK: somebody else had the
	 * lock of the tables for too long. */
	int (*sync)(const struct firewall *wanted, struct udp_changes *changes, struct error *err);
};

/* How long the lock of the tables is waited for while ours is held, which others wait for: iptables
 * holds it for milliseconds. Who has more patience lets ours go and tries again. */
#define TABLES_LOCK_WAIT_MS 200

/* Make the kernel's rules agree, through the back-end that firewall_host.h says. Under the networks
 * lock. 1 = changed. */
int firewall_commit(const struct engine *engine, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err);

#endif
