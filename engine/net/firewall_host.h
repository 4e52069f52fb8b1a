/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_host.h - what to tell a user about the firewall of this host.
 * May depend on: engine/base/, engine.h.
 *
 * The kernel has two rule sets: the older one of iptables' legacy tables, and nftables. Ours are in
 * one of them. MYCOMPOSE_FIREWALL=legacy or nft in the environment decides; else where they are
 * already if that is nftables; else nftables where iptables works on it and drops what it forwards;
 * else the legacy tables where the kernel has them; else nftables. */
#ifndef MYCOMPOSE_NET_FIREWALL_HOST_H
#define MYCOMPOSE_NET_FIREWALL_HOST_H

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"
#include "engine/engine.h"

#define FIREWALL_ENVIRONMENT "MYCOMPOSE_FIREWALL"

/* "legacy" or "nft"; NULL when there is none that could be used, or the environment names none.
 * The reason, a phrase without a full stop, is appended to `why` (may be NULL). Makes no table. */
const char *firewall_backend_name(const struct engine *engine, struct strbuf *why);

/* Who keeps packets to and from containers from passing although our rules let them: chains of
 * others that drop, in the end, what they do not know. In nftables, and between it and the legacy
 * tables, an accept of one chain does not undo the drop of another. One text for each chain, as
 * "nftables chain inet firewalld filter_FORWARD drops what it does not know (…)", with what can be
 * done about it in parentheses. *ret is a list for strv_free, NULL when there is nobody.
 * Costs two netlink requests where there are no chains of others. */
int firewall_obstacles(const struct engine *engine, char ***ret, struct error *err);
/* Warn of each. For after a firewall_sync that changed something. */
void firewall_warn(const struct engine *engine);

#endif
