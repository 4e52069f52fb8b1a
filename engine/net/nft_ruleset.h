/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_ruleset.h - what is read of the kernel's nftables rule set: chains, and of rules what marks
 * them as ours or as ones that stop everything. It is read by netlink (netlink_nft.c), which costs
 * microseconds and depends on no version of a library; writing is libnftables' (nft_library.h).
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_NET_NFT_RULESET_H
#define MYCOMPOSE_NET_NFT_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"

#define NFT_HOOK_NONE (-1)

struct nft_chain {
	uint8_t family; /* NFPROTO_* */
	char *table;
	char *name;
	char *type;	  /* of a base chain: "filter", "nat"; else NULL */
	int hook;	  /* of a base chain: NF_INET_*; else NFT_HOOK_NONE */
	int32_t priority; /* of a base chain */
	bool drops;	  /* its policy */
};

struct nft_rule {
	char *chain;
	uint64_t handle;
	char *comment;	/* NULL = none */
	bool stops_all; /* no condition, and the verdict is drop or reject */
};

struct nft_chains {
	struct nft_chain *items;
	size_t count;
};
struct nft_rules {
	struct nft_rule *items;
	size_t count;
};

/* All chains of all families / all rules of one table, in the order of the kernel: by chain, then
 * by position. *ret needs the release, also after a failure. -EOPNOTSUPP: the kernel has no
 * nftables. A table that is not there has no rules. */
int nft_chains_read(struct nft_chains *ret, struct error *err);
int nft_rules_read(uint8_t family, const char *table, struct nft_rules *ret, struct error *err);
void nft_chains_release(struct nft_chains *chains);
void nft_rules_release(struct nft_rules *rules);

/* Does the base chain drop in the end what no rule of it knows: by its policy, or by a rule that
 * asks for nothing? */
int nft_chain_drops(const struct nft_chain *chain, bool *ret, struct error *err);

const struct nft_chain *nft_chain_find(
	const struct nft_chains *chains, uint8_t family, const char *table, const char *name);

#endif
