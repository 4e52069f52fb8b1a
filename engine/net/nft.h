/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft.h - the rules in nftables. May depend on: engine/base/, firewall.h.
 *
 * They are in tables of our own, `ip mycompose` and `ip6 mycompose` (a second run root on the host:
 * "mycompose-" and its six letters): a base chain for each hook, which leads to the chain of the
 * same name that the legacy tables have, and MYCOMPOSE-USER. Everything is changed in one
 * transaction; chains that are right are left as they are, with their counters.
 *
 * In nftables an accept ends the way through one table only: a drop of another table still holds.
 * Where the tables are there that iptables makes on top of nftables (`filter` with FORWARD and
 * INPUT), what ours accept is accepted at the top of those too, so that a FORWARD policy of DROP
 * means what it means with legacy tables. Other tables are left alone (firewall_host.h tells which
 * ones are in the way). */
#ifndef MYCOMPOSE_NET_NFT_H
#define MYCOMPOSE_NET_NFT_H

#include "engine/net/firewall_backend.h"

#define NFT_TABLE_NAME "mycompose"

/* Does the kernel have nftables, and the host the library? Makes nothing. */
int nft_check(struct error *err);
/* Does the FORWARD that iptables makes on nftables drop what it does not know? Rules in the legacy
 * tables could not change that. */
bool nft_iptables_drops(void);
/* As firewall_backend's sync. */
int nft_sync(const struct firewall *wanted, struct udp_changes *changes, struct error *err);

#endif
