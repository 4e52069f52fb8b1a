/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_nft.c - the kernel's nftables rule set, read by netlink. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/netlink_message.h"
#include "engine/net/nft_ruleset.h"

#define LIST_TRIES	 100
#define USERDATA_COMMENT 0 /* libnftnl's numbering of what it hangs on a rule */

struct listing {
	const char *table; /* NULL = all */
	struct nft_chains *chains;
	struct nft_rules *rules;
	bool interrupted; /* the rule set changed meanwhile: what came is of no use */
};

static uint32_t number32(const struct nlattr *attr)
{
	return ntohl(nla_get_u32((struct nlattr *)attr));
}

static char *text_of(const struct nlattr *attr)
{
	return attr ? xstrndup(nla_data(attr), (size_t)nla_len(attr)) : NULL;
}

static void hook_read(struct nft_chain *chain, struct nlattr *nested)
{
	struct nlattr *hook[NFTA_HOOK_MAX + 1];

	if (nla_parse_nested(hook, NFTA_HOOK_MAX, nested, NULL) < 0 || !hook[NFTA_HOOK_HOOKNUM])
		return;
	chain->hook = (int)number32(hook[NFTA_HOOK_HOOKNUM]);
	if (hook[NFTA_HOOK_PRIORITY])
		chain->priority = (int32_t)number32(hook[NFTA_HOOK_PRIORITY]);
}

static void read_chain(struct nlmsghdr *header, void *data)
{
	struct nlattr *attrs[NFTA_CHAIN_MAX + 1];
	struct listing *listing = data;
	struct nft_chain *chain;

	listing->interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (nlmsg_parse(header, sizeof(struct nfgenmsg), attrs, NFTA_CHAIN_MAX, NULL) < 0 ||
		!attrs[NFTA_CHAIN_TABLE] || !attrs[NFTA_CHAIN_NAME])
		return;
	chain = array_add(listing->chains->items, listing->chains->count);
	chain->family = ((struct nfgenmsg *)nlmsg_data(header))->nfgen_family;
	chain->table = text_of(attrs[NFTA_CHAIN_TABLE]);
	chain->name = text_of(attrs[NFTA_CHAIN_NAME]);
	chain->hook = NFT_HOOK_NONE;
	if (!attrs[NFTA_CHAIN_HOOK])
		return;
	hook_read(chain, attrs[NFTA_CHAIN_HOOK]);
	chain->type = text_of(attrs[NFTA_CHAIN_TYPE]);
	chain->drops = attrs[NFTA_CHAIN_POLICY] && number32(attrs[NFTA_CHAIN_POLICY]) == NF_DROP;
}

/* Type, length, bytes; one after the other. */
static char *comment_read(const struct nlattr *userdata)
{
	const uint8_t *bytes = userdata ? nla_data(userdata) : NULL;
	size_t length = userdata ? (size_t)nla_len(userdata) : 0;

	for (size_t at = 0; at + 2 <= length && at + 2 + bytes[at + 1] <= length;
		at += 2u + bytes[at + 1])
		if (bytes[at] == USERDATA_COMMENT)
			return xstrndup((const char *)bytes + at + 2, bytes[at + 1]);
	return NULL;
}

static bool is_drop(struct nlattr *expression)
{
	struct nlattr *immediate[NFTA_IMMEDIATE_MAX + 1], *value[NFTA_DATA_MAX + 1],
		*verdict[NFTA_VERDICT_MAX + 1];

	return expression &&
	       nla_parse_nested(immediate, NFTA_IMMEDIATE_MAX, expression, NULL) == 0 &&
	       immediate[NFTA_IMMEDIATE_DATA] &&
	       nla_parse_nested(value, NFTA_DATA_MAX, immediate[NFTA_IMMEDIATE_DATA], NULL) == 0 &&
	       value[NFTA_DATA_VERDICT] &&
	       nla_parse_nested(verdict, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT], NULL) == 0 &&
	       verdict[NFTA_VERDICT_CODE] && number32(verdict[NFTA_VERDICT_CODE]) == NF_DROP;
}

/* iptables-nft's targets come as an expression "target" with their name. */
static bool is_reject(const char *name, struct nlattr *data)
{
	struct nlattr *target[NFTA_TARGET_MAX + 1];

	if (strcmp(name, "reject") == 0)
		return true;
	return strcmp(name, "target") == 0 && data &&
	       nla_parse_nested(target, NFTA_TARGET_MAX, data, NULL) == 0 &&
	       target[NFTA_TARGET_NAME] &&
	       strcmp(nla_data(target[NFTA_TARGET_NAME]), "REJECT") == 0;
}

/* Counting and logging are no conditions; a limit is. */
static bool stops_all(struct nlattr *expressions)
{
	bool stops = false;
	struct nlattr *item;
	int left;

	nla_for_each_nested(item, expressions, left)
	{
		struct nlattr *attrs[NFTA_EXPR_MAX + 1];
		const char *name;

		if (nla_parse_nested(attrs, NFTA_EXPR_MAX, item, NULL) < 0 ||
			!attrs[NFTA_EXPR_NAME])
			return false;
		name = nla_data(attrs[NFTA_EXPR_NAME]);
		if (strcmp(name, "counter") == 0 || strcmp(name, "log") == 0)
			continue;
		stops = is_reject(name, attrs[NFTA_EXPR_DATA]) ||
			(strcmp(name, "immediate") == 0 && is_drop(attrs[NFTA_EXPR_DATA]));
		if (!stops)
			return false;
	}
	return stops;
}

static void read_rule(struct nlmsghdr *header, void *data)
{
	struct nlattr *attrs[NFTA_RULE_MAX + 1];
	struct listing *listing = data;
	struct nft_rule *rule;

	listing->interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (nlmsg_parse(header, sizeof(struct nfgenmsg), attrs, NFTA_RULE_MAX, NULL) < 0 ||
		!attrs[NFTA_RULE_TABLE] || !attrs[NFTA_RULE_CHAIN] || !attrs[NFTA_RULE_HANDLE] ||
		strcmp(nla_data(attrs[NFTA_RULE_TABLE]), listing->table) != 0)
		return;
	rule = array_add(listing->rules->items, listing->rules->count);
	rule->chain = text_of(attrs[NFTA_RULE_CHAIN]);
	rule->handle = be64toh(nla_get_u64(attrs[NFTA_RULE_HANDLE]));
	rule->comment = comment_read(attrs[NFTA_RULE_USERDATA]);
	rule->stops_all = attrs[NFTA_RULE_EXPRESSIONS] && stops_all(attrs[NFTA_RULE_EXPRESSIONS]);
}

static int list_once(struct netlink *netlink, int command, uint8_t family, struct listing *listing,
	struct error *err)
{
	const struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };
	struct nl_msg *msg = netlink_message(
		NFNL_SUBSYS_NFTABLES << 8 | command, NLM_F_DUMP, &header, sizeof(header));
	int r;

	if (listing->table)
		netlink_put(msg, NFTA_RULE_TABLE, listing->table, strlen(listing->table) + 1);
	listing->interrupted = false;
	r = netlink_dump(netlink, msg, listing->rules ? read_rule : read_chain, listing, err);
	if (r == 0 && listing->interrupted)
		r = error_set(err, -EAGAIN, "the rule set changes all the time");
	return r;
}

static void listing_empty(struct listing *listing)
{
	if (listing->rules)
		nft_rules_release(listing->rules);
	if (listing->chains)
		nft_chains_release(listing->chains);
}

static int list(int command, uint8_t family, struct listing *listing, struct error *err)
{
	cleanup_netlink struct netlink *netlink = NULL;
	int r = netlink_open_family(NETLINK_NETFILTER, &netlink, err);

	if (r == 0)
		r = -EAGAIN;
	for (int try = 0; try < LIST_TRIES && r == -EAGAIN; try++) {
		error_release(err);
		listing_empty(listing);
		r = list_once(netlink, command, family, listing, err);
	}
	/* EINVAL: nfnetlink knows no such subsystem, not even after the kernel asked for it. */
	if (r == -EPROTONOSUPPORT || r == -EINVAL || r == -EOPNOTSUPP) {
		error_release(err);
		return error_set(err, -EOPNOTSUPP, "this kernel has no nftables");
	}
	if (r < 0)
		error_wrap(err, "nftables");
	return r;
}

int nft_chains_read(struct nft_chains *ret, struct error *err)
{
	struct listing listing = { .chains = ret };

	return list(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, &listing, err);
}

int nft_rules_read(uint8_t family, const char *table, struct nft_rules *ret, struct error *err)
{
	struct listing listing = { .table = table, .rules = ret };
	int r = list(NFT_MSG_GETRULE, family, &listing, err);

	if (r != -ENOENT)
		return r;
	error_release(err);
	return 0;
}

void nft_chains_release(struct nft_chains *chains)
{
	for (size_t i = 0; i < chains->count; i++) {
		free(chains->items[i].table);
		free(chains->items[i].name);
		free(chains->items[i].type);
	}
	free(chains->items);
	*chains = (struct nft_chains){ NULL, 0 };
}

void nft_rules_release(struct nft_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		free(rules->items[i].chain);
		free(rules->items[i].comment);
	}
	free(rules->items);
	*rules = (struct nft_rules){ NULL, 0 };
}

const struct nft_chain *nft_chain_find(
	const struct nft_chains *chains, uint8_t family, const char *table, const char *name)
{
	for (size_t i = 0; i < chains->count; i++)
		if (chains->items[i].family == family &&
			strcmp(chains->items[i].table, table) == 0 &&
			strcmp(chains->items[i].name, name) == 0)
			return &chains->items[i];
	return NULL;
}

int nft_chain_drops(const struct nft_chain *chain, bool *ret, struct error *err)
{
	struct nft_rules rules = { NULL, 0 };
	bool drops = chain->drops;
	int r = 0;

	if (!drops)
		r = nft_rules_read(chain->family, chain->table, &rules, err);
	for (size_t i = 0; i < rules.count && !drops; i++)
		drops = rules.items[i].stops_all && strcmp(rules.items[i].chain, chain->name) == 0;
	nft_rules_release(&rules);
	if (r < 0)
		return r;
	*ret = drops;
	return 0;
}
