/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_text.h - rules in the words of nftables. Pure. May depend on: engine/base/, firewall.h.
 *
 * Every rule we write carries a comment of the form "TAG HASH", or "TAG HASH udp PORT" where it
 * takes a UDP port away: the kernel gives comments back as they were, while it has its own mind
 * about the form of everything else. The hash is that of the rule's text. */
#ifndef MYCOMPOSE_NET_NFT_TEXT_H
#define MYCOMPOSE_NET_NFT_TEXT_H

#include "engine/base/errors.h"
#include "engine/net/firewall.h"

struct nft_lines {
	struct nft_line {
		char *text;    /* matches and verdict, with the comment */
		char *comment; /* the comment alone */
	} * items;
	size_t count;
};

/* Appends what the rule comes to: two lines where nftables has no "or" for its states. -EINVAL: an
 * interface's name that nftables cannot be told. */
int nft_lines_add(struct nft_lines *lines, enum firewall_family family, const struct rule *rule,
	const char *tag, struct error *err);
void nft_lines_release(struct nft_lines *lines);
/* The UDP port in a comment; 0 when there is none. */
uint16_t nft_comment_udp_port(const char *comment);

#endif
