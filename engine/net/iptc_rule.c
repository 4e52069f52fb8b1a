/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_rule.c - one rule as the kernel's struct ipt_entry with its matches and target. */
#include "engine/net/iptc_rule.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_sctp.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

/* A '+' at the end leaves the rest of the name, its NUL included, out of the comparison. */
static void interface_fill(char name[IFNAMSIZ], unsigned char mask[IFNAMSIZ], const char *wanted)
{
	size_t length = strlen(wanted);

	if (!length)
		return;
	memcpy(name, wanted, length);
	if (wanted[length - 1] == '+')
		name[length - 1] = '\0';
	memset(mask, 0xff, wanted[length - 1] == '+' ? length - 1 : length + 1);
}

static void header_fill(struct ipt_ip *ip, const struct rule *rule)
{
	ip->src.s_addr = htonl(rule->source.base);
	ip->smsk.s_addr = htonl(subnet_mask(&rule->source));
	ip->dst.s_addr = htonl(rule->destination.base);
	ip->dmsk.s_addr = htonl(subnet_mask(&rule->destination));
	interface_fill(ip->iniface, ip->iniface_mask, rule->in);
	interface_fill(ip->outiface, ip->outiface_mask, rule->out);
	ip->proto = rule->protocol;
	if (rule->not_in)
		ip->invflags |= IPT_INV_VIA_IN;
	if (rule->not_out)
		ip->invflags |= IPT_INV_VIA_OUT;
}

static void padding_add(struct strbuf *entry, size_t length)
{
	static const char zeros[sizeof(struct _xt_align)];

	strbuf_add(entry, zeros, XT_ALIGN(length) - length);
}

static void match_add(
	struct strbuf *entry, const char *name, uint8_t revision, const void *data, size_t length)
{
	struct xt_entry_match match;

	memset(&match, 0, sizeof(match));
	match.u.user.match_size = (uint16_t)(XT_ALIGN(sizeof(match)) + XT_ALIGN(length));
	match.u.user.revision = revision;
	snprintf(match.u.user.name, sizeof(match.u.user.name), "%s", name);
	strbuf_add(entry, &match, sizeof(match));
	padding_add(entry, sizeof(match));
	strbuf_add(entry, data, length);
	padding_add(entry, length);
}

static void protocol_match(struct strbuf *entry, const struct rule *rule)
{
	struct xt_tcp tcp = { .spts = { 0, 0xffff }, .dpts = { rule->port, rule->port } };
	struct xt_udp udp = { .spts = { 0, 0xffff }, .dpts = { rule->port, rule->port } };
	struct xt_sctp_info sctp;

	if (rule->protocol == IPPROTO_TCP)
		match_add(entry, "tcp", 0, &tcp, sizeof(tcp));
	else if (rule->protocol == IPPROTO_UDP)
		match_add(entry, "udp", 0, &udp, sizeof(udp));
	if (rule->protocol != IPPROTO_SCTP)
		return;
	memset(&sctp, 0, sizeof(sctp));
	sctp.dpts[0] = sctp.dpts[1] = rule->port;
	sctp.spts[1] = 0xffff;
	sctp.flags = XT_SCTP_DEST_PORTS;
	match_add(entry, "sctp", 0, &sctp, sizeof(sctp));
}

static void addrtype_match(struct strbuf *entry, const struct rule *rule)
{
	struct xt_addrtype_info_v1 info = {
		.source = rule->source_local ? XT_ADDRTYPE_LOCAL : 0,
		.dest = rule->destination_local ? XT_ADDRTYPE_LOCAL : 0,
	};

	if (info.source || info.dest)
		match_add(entry, "addrtype", 1, &info, sizeof(info));
}

static void conntrack_match(struct strbuf *entry, const struct rule *rule)
{
	struct xt_conntrack_mtinfo3 info;

	if (!rule->states)
		return;
	memset(&info, 0, sizeof(info));
	info.match_flags = XT_CONNTRACK_STATE;
	if (rule->not_states)
		info.invert_flags = XT_CONNTRACK_STATE;
	if (rule->states & STATE_ESTABLISHED)
		info.state_mask |= XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) |
				   XT_CONNTRACK_STATE_BIT(IP_CT_RELATED);
	if (rule->states & STATE_DNAT)
		info.state_mask |= XT_CONNTRACK_STATE_DNAT;
	match_add(entry, "conntrack", 3, &info, sizeof(info));
}

static void target_add(
	struct strbuf *entry, const char *name, uint8_t revision, const void *data, size_t length)
{
	struct xt_entry_target target;

	memset(&target, 0, sizeof(target));
	target.u.user.target_size = (uint16_t)(XT_ALIGN(sizeof(target)) + XT_ALIGN(length));
	target.u.user.revision = revision;
	snprintf(target.u.user.name, sizeof(target.u.user.name), "%s", name);
	strbuf_add(entry, &target, sizeof(target));
	padding_add(entry, sizeof(target));
	strbuf_add(entry, data, length);
	padding_add(entry, length);
}

/* The newest revisions: iptables shows no other ones. */
static void dnat_target(struct strbuf *entry, const struct rule *rule)
{
	struct nf_nat_range2 range;

	memset(&range, 0, sizeof(range));
	range.flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
	range.min_addr.ip = range.max_addr.ip = htonl(rule->to_address);
	range.min_proto.all = range.max_proto.all = htons(rule->to_port);
	target_add(entry, "DNAT", 2, &range, sizeof(range));
}

static void masquerade_target(struct strbuf *entry)
{
	struct nf_nat_ipv4_multi_range_compat range;

	memset(&range, 0, sizeof(range));
	range.rangesize = 1;
	target_add(entry, "MASQUERADE", 0, &range, sizeof(range));
}

/* libiptc turns the name of a verdict or a chain into what the kernel wants. */
static void standard_target(struct strbuf *entry, const struct rule *rule)
{
	static const int verdict;
	const char *name = rule->target == TARGET_ACCEPT ? "ACCEPT" : "DROP";

	target_add(entry, rule->target == TARGET_CHAIN ? rule->chain : name, 0, &verdict,
		sizeof(verdict));
}

struct ipt_entry *iptc_rule_build(const struct rule *rule)
{
	struct strbuf bytes = STRBUF_INIT;
	struct ipt_entry head, *entry;
	size_t target_offset;

	memset(&head, 0, sizeof(head));
	header_fill(&head.ip, rule);
	strbuf_add(&bytes, &head, sizeof(head));
	protocol_match(&bytes, rule);
	addrtype_match(&bytes, rule);
	conntrack_match(&bytes, rule);
	target_offset = bytes.length;
	if (rule->target == TARGET_DNAT)
		dnat_target(&bytes, rule);
	else if (rule->target == TARGET_MASQUERADE)
		masquerade_target(&bytes);
	else
		standard_target(&bytes, rule);
	entry = (struct ipt_entry *)bytes.data;
	entry->target_offset = (uint16_t)target_offset;
	entry->next_offset = (uint16_t)bytes.length;
	return entry;
}

const char *iptc_rule_target(const struct ipt_entry *entry)
{
	const struct xt_entry_target *target =
		(const void *)((const char *)entry + entry->target_offset);

	return target->u.user.name;
}

/* Of a match the kernel gives name, revision and data back; what else is in its header is unset. */
static bool matches_equal(const struct ipt_entry *a, const struct ipt_entry *b)
{
	const size_t head = XT_ALIGN(sizeof(struct xt_entry_match));

	if (a->target_offset != b->target_offset)
		return false;
	for (size_t at = sizeof(*a); at < a->target_offset;) {
		const struct xt_entry_match *x = (const void *)((const char *)a + at);
		const struct xt_entry_match *y = (const void *)((const char *)b + at);

		if (x->u.match_size != y->u.match_size || x->u.match_size < head ||
			x->u.user.revision != y->u.user.revision ||
			strcmp(x->u.user.name, y->u.user.name) != 0 ||
			memcmp((const char *)x + head, (const char *)y + head,
				x->u.match_size - head) != 0)
			return false;
		at += x->u.match_size;
	}
	return true;
}

static bool is_nat(const char *target)
{
	return strcmp(target, "DNAT") == 0 || strcmp(target, "MASQUERADE") == 0;
}

static uint8_t target_revision(const struct ipt_entry *entry)
{
	const struct xt_entry_target *target =
		(const void *)((const char *)entry + entry->target_offset);

	return target->u.user.revision;
}

bool iptc_rule_equal(
	const struct ipt_entry *wanted, const struct ipt_entry *present, const char *present_target)
{
	const size_t head = XT_ALIGN(sizeof(struct xt_entry_target));
	const char *target = iptc_rule_target(wanted);

	if (memcmp(&wanted->ip, &present->ip, sizeof(wanted->ip)) != 0 ||
		!matches_equal(wanted, present) || strcmp(target, present_target) != 0)
		return false;
	if (!is_nat(target))
		return true;
	return wanted->next_offset == present->next_offset &&
	       target_revision(wanted) == target_revision(present) &&
	       memcmp((const char *)wanted + wanted->target_offset + head,
		       (const char *)present + present->target_offset + head,
		       wanted->next_offset - wanted->target_offset - head) == 0;
}

uint16_t iptc_rule_udp_port(const struct ipt_entry *entry, const char *target)
{
	const struct xt_entry_match *match = (const void *)entry->elems;
	const struct xt_udp *udp = (const void *)match->data;

	if (entry->ip.proto != IPPROTO_UDP || strcmp(target, "DNAT") != 0 ||
		entry->target_offset <= sizeof(*entry) || strcmp(match->u.user.name, "udp") != 0)
		return 0;
	return udp->dpts[0];
}
