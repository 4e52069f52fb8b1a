/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft.c - the rules in nftables: read our chains, compare, write what differs. */
#include "engine/net/nft.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/net/nft_library.h"
#include "engine/net/nft_ruleset.h"
#include "engine/net/nft_text.h"

#define RUN_TRIES      20
#define RETRY_PAUSE_NS 2000000
#define FOREIGN_TABLE  "filter"

/* The base chains that stand for the built-in ones of legacy tables, with their priorities. */
static const struct hook_row {
	const char *hook; /* as in struct rule_chain */
	const char *chain;
	const char *type;
	int number;
	int priority;
} hook_rows[] = {
	{ "FORWARD", "forward", "filter", NF_INET_FORWARD, 0 },
	{ "INPUT", "input", "filter", NF_INET_LOCAL_IN, 0 },
	{ "PREROUTING", "prerouting", "nat", NF_INET_PRE_ROUTING, -100 },
	{ "OUTPUT", "output", "nat", NF_INET_LOCAL_OUT, -100 },
	{ "POSTROUTING", "postrouting", "nat", NF_INET_POST_ROUTING, 100 },
};

static const struct family_row {
	const char *word;
	uint8_t number;
} family_rows[FIREWALL_FAMILIES] = {
	[FIREWALL_V4] = { "ip", NFPROTO_IPV4 },
	[FIREWALL_V6] = { "ip6", NFPROTO_IPV6 },
};

/* One family's tables being compared, and the commands that make them right. */
struct edit {
	enum firewall_family family;
	const char *word;
	uint8_t number;
	const char *table;
	const struct nft_chains *chains;
	struct nft_rules own;	  /* of our table */
	struct nft_rules foreign; /* of the one iptables makes */
	struct strbuf *script;
	struct udp_changes *changes;
	struct error *err;
};

static const struct hook_row *hook_find(const char *hook)
{
	const struct hook_row *row = hook_rows;

	while (strcmp(row->hook, hook) != 0)
		row++;
	return row;
}

static const struct nft_chain *chain_find(const struct edit *edit, const char *name)
{
	return nft_chain_find(edit->chains, edit->number, edit->table, name);
}

/* The next rule of the chain from index *at on, which then stands behind it; NULL at the end. */
static const struct nft_rule *rule_next(
	const struct nft_rules *rules, const char *chain, size_t *at)
{
	while (*at < rules->count) {
		const struct nft_rule *rule = &rules->items[(*at)++];

		if (strcmp(rule->chain, chain) == 0)
			return rule;
	}
	return NULL;
}

static bool comment_is(const struct nft_rule *rule, const char *comment)
{
	return rule->comment && strcmp(rule->comment, comment) == 0;
}

static bool chain_holds(const struct edit *edit, const char *name, const struct nft_lines *lines)
{
	size_t at = 0;

	for (size_t i = 0; i < lines->count; i++) {
		const struct nft_rule *rule = rule_next(&edit->own, name, &at);

		if (!rule || !comment_is(rule, lines->items[i].comment))
			return false;
	}
	return !rule_next(&edit->own, name, &at);
}

static void udp_note(struct edit *edit, const char *comment)
{
	uint16_t port = nft_comment_udp_port(comment);

	if (port)
		*array_add(edit->changes->ports, edit->changes->count) = port;
}

/* Which rules that take a UDP port are in one of the two lists only. */
static void udp_compare(struct edit *edit, const char *name, const struct nft_lines *lines)
{
	const struct nft_rule *rule;
	size_t at = 0;

	for (size_t i = 0; i < lines->count; i++) {
		bool is_there = false;

		for (at = 0; !is_there && (rule = rule_next(&edit->own, name, &at));)
			is_there = comment_is(rule, lines->items[i].comment);
		if (!is_there)
			udp_note(edit, lines->items[i].comment);
	}
	for (at = 0; (rule = rule_next(&edit->own, name, &at));) {
		bool is_wanted = false;

		for (size_t i = 0; i < lines->count && !is_wanted; i++)
			is_wanted = comment_is(rule, lines->items[i].comment);
		if (!is_wanted)
			udp_note(edit, rule->comment);
	}
}

__attribute__((format(printf, 2, 3))) static void command(
	const struct edit *edit, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(edit->script, fmt, ap);
	va_end(ap);
	strbuf_add_char(edit->script, '\n');
}

static void chain_delete(struct edit *edit, const char *name)
{
	const struct nft_lines none = { NULL, 0 };

	if (!chain_find(edit, name))
		return;
	udp_compare(edit, name, &none);
	command(edit, "flush chain %s %s %s", edit->word, edit->table, name);
	command(edit, "delete chain %s %s %s", edit->word, edit->table, name);
}

static bool base_is_right(const struct nft_chain *chain, const struct hook_row *hook)
{
	return chain->hook == hook->number && chain->priority == hook->priority && !chain->drops &&
	       chain->type && strcmp(chain->type, hook->type) == 0;
}

/* `hook` is NULL for a chain that is jumped to. */
static void chain_agree(struct edit *edit, const char *name, const struct hook_row *hook,
	const struct nft_lines *lines)
{
	const struct nft_chain *chain = chain_find(edit, name);
	bool is_right = chain && (hook ? base_is_right(chain, hook) : chain->hook == NFT_HOOK_NONE);

	if (is_right && chain_holds(edit, name, lines))
		return;
	udp_compare(edit, name, lines);
	if (chain && !is_right)
		chain_delete(edit, name);
	if (!is_right && hook)
		command(edit,
			"add chain %s %s %s { type %s hook %s priority %d ; policy accept ; }",
			edit->word, edit->table, name, hook->type, hook->chain, hook->priority);
	else if (!is_right)
		command(edit, "add chain %s %s %s", edit->word, edit->table, name);
	else
		command(edit, "flush chain %s %s %s", edit->word, edit->table, name);
	for (size_t i = 0; i < lines->count; i++)
		command(edit, "add rule %s %s %s %s", edit->word, edit->table, name,
			lines->items[i].text);
}

/* Our chain of a hook, and the base chain that leads there. */
static int hook_agree(struct edit *edit, const struct rule_chain *wanted)
{
	const struct hook_row *hook = hook_find(wanted->hook);
	struct nft_lines rules = { NULL, 0 }, jump = { NULL, 0 };
	int r = 0;

	if (!wanted->count) {
		chain_delete(edit, hook->chain);
		chain_delete(edit, wanted->name);
		return 0;
	}
	for (size_t i = 0; i < wanted->count && r == 0; i++)
		r = nft_lines_add(&rules, edit->family, &wanted->rules[i], edit->table, edit->err);
	if (r == 0)
		r = nft_lines_add(&jump, edit->family, &wanted->jump, edit->table, edit->err);
	if (r == 0) {
		chain_agree(edit, wanted->name, NULL, &rules);
		chain_agree(edit, hook->chain, hook, &jump);
	}
	nft_lines_release(&rules);
	nft_lines_release(&jump);
	return r;
}

static bool is_tagged(const struct nft_rule *rule, const char *tag)
{
	size_t length = strlen(tag);

	return rule->comment && strncmp(rule->comment, tag, length) == 0 &&
	       rule->comment[length] == ' ';
}

/* Those of our own and of other run roots. */
static bool is_of_ours(const struct nft_rule *rule)
{
	return rule->comment && strncmp(rule->comment, NFT_TABLE_NAME, strlen(NFT_TABLE_NAME)) == 0;
}

/* Exactly these of ours, with nothing of others before. */
static bool foreign_holds(const struct edit *edit, const char *chain, const struct nft_lines *lines)
{
	const struct nft_rule *rule;
	bool others = false;
	size_t at = 0, found = 0;

	while ((rule = rule_next(&edit->foreign, chain, &at))) {
		others |= !is_of_ours(rule);
		if (!is_tagged(rule, edit->table))
			continue;
		if (others || found == lines->count ||
			!comment_is(rule, lines->items[found].comment))
			return false;
		found++;
	}
	return found == lines->count;
}

/* What our filter accepts at the hook is accepted in the table of iptables too. */
static int foreign_agree(struct edit *edit, const struct rule_chain *wanted)
{
	const struct nft_chain *chain =
		nft_chain_find(edit->chains, edit->number, FOREIGN_TABLE, wanted->hook);
	struct nft_lines lines = { NULL, 0 };
	const struct nft_rule *rule;
	size_t at = 0;
	int r = 0;

	if (!chain || chain->hook != hook_find(wanted->hook)->number)
		return 0;
	for (size_t i = 0; i < wanted->count && r == 0; i++)
		if (wanted->rules[i].target == TARGET_ACCEPT)
			r = nft_lines_add(
				&lines, edit->family, &wanted->rules[i], edit->table, edit->err);
	if (r == 0 && !foreign_holds(edit, wanted->hook, &lines)) {
		while ((rule = rule_next(&edit->foreign, wanted->hook, &at)))
			if (is_tagged(rule, edit->table))
				command(edit, "delete rule %s %s %s handle %" PRIu64, edit->word,
					FOREIGN_TABLE, wanted->hook, rule->handle);
		for (size_t i = lines.count; i-- > 0;)
			command(edit, "insert rule %s %s %s %s", edit->word, FOREIGN_TABLE,
				wanted->hook, lines.items[i].text);
	}
	nft_lines_release(&lines);
	return r;
}

static bool table_is_there(const struct edit *edit)
{
	for (size_t i = 0; i < edit->chains->count; i++)
		if (edit->chains->items[i].family == edit->number &&
			strcmp(edit->chains->items[i].table, edit->table) == 0)
			return true;
	return false;
}

static bool chain_is_of(const struct rule_chain *wanted, const char *name)
{
	return strcmp(name, wanted->name) == 0 || strcmp(name, hook_find(wanted->hook)->chain) == 0;
}

/* Is there something in our table that is not ours: rules in the user's chain, other chains? */
static bool table_is_shared(const struct edit *edit, const struct firewall *wanted)
{
	size_t at = 0;

	if (rule_next(&edit->own, USER_CHAIN_NAME, &at))
		return true;
	for (size_t i = 0; i < edit->chains->count; i++) {
		const struct nft_chain *chain = &edit->chains->items[i];
		bool known = strcmp(chain->name, USER_CHAIN_NAME) == 0;

		if (chain->family != edit->number || strcmp(chain->table, edit->table) != 0)
			continue;
		for (size_t k = 0; k < FIREWALL_CHAINS && !known; k++)
			known = chain_is_of(&wanted->chains[k], chain->name);
		if (!known)
			return true;
	}
	return false;
}

static void table_remove(struct edit *edit, const struct firewall *wanted)
{
	if (!table_is_shared(edit, wanted)) {
		for (size_t i = 0; i < edit->own.count; i++)
			udp_note(edit, edit->own.items[i].comment);
		command(edit, "delete table %s %s", edit->word, edit->table);
		return;
	}
	for (size_t i = 0; i < FIREWALL_CHAINS; i++) {
		if (wanted->chains[i].family != edit->family)
			continue;
		chain_delete(edit, hook_find(wanted->chains[i].hook)->chain);
		chain_delete(edit, wanted->chains[i].name);
	}
}

static int table_agree(struct edit *edit, const struct firewall *wanted)
{
	int r = 0;

	if (!firewall_has_family(wanted, edit->family)) {
		if (table_is_there(edit))
			table_remove(edit, wanted);
		return 0;
	}
	if (!chain_find(edit, USER_CHAIN_NAME)) {
		command(edit, "add table %s %s", edit->word, edit->table);
		command(edit, "add chain %s %s " USER_CHAIN_NAME, edit->word, edit->table);
	}
	for (size_t i = 0; i < FIREWALL_CHAINS && r == 0; i++)
		if (wanted->chains[i].family == edit->family)
			r = hook_agree(edit, &wanted->chains[i]);
	return r;
}

static int family_agree(struct edit *edit, const struct firewall *wanted)
{
	int r = nft_rules_read(edit->number, edit->table, &edit->own, edit->err);

	if (r == 0)
		r = nft_rules_read(edit->number, FOREIGN_TABLE, &edit->foreign, edit->err);
	if (r == 0)
		r = table_agree(edit, wanted);
	for (size_t i = 0; i < FIREWALL_CHAINS && r == 0; i++)
		if (wanted->chains[i].family == edit->family &&
			strcmp(wanted->chains[i].table, "filter") == 0)
			r = foreign_agree(edit, &wanted->chains[i]);
	nft_rules_release(&edit->own);
	nft_rules_release(&edit->foreign);
	return r;
}

/* The commands that make both families right, empty when they are. */
static int script_make(const struct firewall *wanted, struct strbuf *script,
	struct udp_changes *changes, struct error *err)
{
	struct nft_chains chains = { NULL, 0 };
	char table[CHAIN_TEXT];
	int r = nft_chains_read(&chains, err);

	snprintf(table, sizeof(table), NFT_TABLE_NAME "%s%s", *wanted->world ? "-" : "",
		wanted->world);
	for (enum firewall_family family = 0; family < FIREWALL_FAMILIES && r == 0; family++) {
		struct edit edit = {
			.family = family,
			.word = family_rows[family].word,
			.number = family_rows[family].number,
			.table = table,
			.chains = &chains,
			.script = script,
			.changes = changes,
			.err = err,
		};

		r = family_agree(&edit, wanted);
	}
	nft_chains_release(&chains);
	return r;
}

int nft_sync(const struct firewall *wanted, struct udp_changes *changes, struct error *err)
{
	int r = 0;

	/* Whoever writes at the same time may take away what a command names. */
	for (int try = 0; try < RUN_TRIES; try++) {
		const struct timespec pause = { 0, try ? RETRY_PAUSE_NS : 0 };
		cleanup_strbuf struct strbuf script = STRBUF_INIT;

		nanosleep(&pause, NULL);
		r = script_make(wanted, &script, changes, err);
		if (r < 0)
			return r;
		if (!script.length) /* in a later try: somebody else did it, or undid what was in
				       the way */
			return try > 0;
		r = nft_run(strbuf_text(&script), err);
		if (r == 0)
			return 1;
		if (r == -EOPNOTSUPP)
			break;
	}
	return r;
}

int nft_check(struct error *err)
{
	struct nft_chains chains = { NULL, 0 };
	int r = nft_chains_read(&chains, err);

	nft_chains_release(&chains);
	return r < 0 ? r : nft_library_check(err);
}

bool nft_iptables_drops(void)
{
	cleanup_error struct error err = ERROR_INIT;
	struct nft_chains chains = { NULL, 0 };
	const struct nft_chain *chain;
	bool drops = false;

	if (nft_chains_read(&chains, &err) == 0) {
		chain = nft_chain_find(&chains, NFPROTO_IPV4, FOREIGN_TABLE, "FORWARD");
		if (chain && chain->hook == NF_INET_FORWARD &&
			nft_chain_drops(chain, &drops, &err) < 0)
			drops = false;
	}
	nft_chains_release(&chains);
	return drops;
}
