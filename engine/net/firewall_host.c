/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_host.c - who else on this host decides about the packets of containers. */
#include "engine/net/firewall_host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/iptc.h"
#include "engine/net/nft.h"
#include "engine/net/nft_ruleset.h"

#define IPV6_FORWARDING_FILE "/proc/sys/net/ipv6/conf/all/forwarding"

static const char elsewhere[] = "it must accept the bridges of mycompose's networks";

static bool ipv6_is_forwarded(void)
{
	cleanup_free char *text = NULL;
	size_t length;

	return file_read(AT_FDCWD, IPV6_FORWARDING_FILE, 64, &text, &length, NULL) == 0 &&
	       text[0] != '0';
}

static const char *family_word(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* iptables' own table on nftables, which the nft back-end writes to. */
static bool is_iptables_nft(const struct nft_chain *chain)
{
	return strcmp(chain->table, "filter") == 0 && strcmp(chain->name, "FORWARD") == 0 &&
	       chain->family != NFPROTO_INET;
}

static bool decides(const struct nft_chain *chain, bool with_ipv6, bool is_nft)
{
	if (chain->hook != NF_INET_FORWARD || !chain->type || strcmp(chain->type, "filter") != 0 ||
		strncmp(chain->table, NFT_TABLE_NAME, strlen(NFT_TABLE_NAME)) == 0)
		return false;
	if (is_nft && is_iptables_nft(chain))
		return false;
	return chain->family == NFPROTO_IPV4 || chain->family == NFPROTO_INET ||
	       (chain->family == NFPROTO_IPV6 && with_ipv6);
}

static void obstacle_add(char ***list, const char *chain, const char *remedy)
{
	cleanup_free char *text = xasprintf("%s drops what it does not know (%s)", chain, remedy);

	strv_add(list, text);
}

static int nft_obstacles(bool is_nft, char ***list, struct error *err)
{
	struct nft_chains chains = { NULL, 0 };
	bool with_ipv6 = ipv6_is_forwarded();
	int r = nft_chains_read(&chains, err);

	if (r == -EOPNOTSUPP) { /* no nftables, no obstacle */
		error_release(err);
		r = 0;
	}
	for (size_t i = 0; i < chains.count && r == 0; i++) {
		const struct nft_chain *chain = &chains.items[i];
		cleanup_free char *text = NULL;
		bool drops = false;

		if (!decides(chain, with_ipv6, is_nft))
			continue;
		r = nft_chain_drops(chain, &drops, err);
		if (r < 0 || !drops)
			continue;
		text = xasprintf("nftables chain %s %s %s", family_word(chain->family),
			chain->table, chain->name);
		obstacle_add(list, text,
			is_iptables_nft(chain) ? FIREWALL_ENVIRONMENT
				"=nft makes it accept what ours accept"
					       : elsewhere);
	}
	nft_chains_release(&chains);
	return r;
}

static void legacy_obstacles(char ***list)
{
	static const char remedy[] =
		FIREWALL_ENVIRONMENT "=legacy puts the rules there, before it drops";

	if (iptc_forward_drops(FIREWALL_V4))
		obstacle_add(list, "chain FORWARD of iptables' legacy tables", remedy);
	if (ipv6_is_forwarded() && iptc_forward_drops(FIREWALL_V6))
		obstacle_add(list, "chain FORWARD of ip6tables' legacy tables", remedy);
}

int firewall_obstacles(const struct engine *engine, char ***ret, struct error *err)
{
	const char *backend = firewall_backend_name(engine, NULL);
	bool is_nft = backend && strcmp(backend, "nft") == 0;
	cleanup_strv char **list = NULL;
	int r = nft_obstacles(is_nft, &list, err);

	if (r < 0)
		return r;
	if (is_nft)
		legacy_obstacles(&list);
	*ret = steal_ptr(list);
	return 0;
}

void firewall_warn(const struct engine *engine)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **obstacles = NULL;

	if (firewall_obstacles(engine, &obstacles, &err) < 0) {
		log_debug("firewall: %s", error_text(&err));
		return;
	}
	for (size_t i = 0; obstacles && obstacles[i]; i++)
		log_warning("containers may not be reached, nor reach others: %s", obstacles[i]);
}
