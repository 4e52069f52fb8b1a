/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_rule.c - one rule as the kernel's struct ipt_entry or ip6t_entry with its matches and
 * target. */
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

static void mask_fill(void *mask, const struct ip_range *range)
{
	uint8_t *bytes = mask;

	for (size_t i = 0; range->family && i < range->prefix; i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void header4_add(struct strbuf *bytes, const struct rule *rule)
{
	struct ipt_entry head;
	struct ipt_ip *ip = &head.ip;

	memset(&head, 0, sizeof(head));
	memcpy(&ip->src, rule->source.bytes, sizeof(ip->src));
	memcpy(&ip->dst, rule->destination.bytes, sizeof(ip->dst));
	mask_fill(&ip->smsk, &rule->source);
	mask_fill(&ip->dmsk, &rule->destination);
	interface_fill(ip->iniface, ip->iniface_mask, rule->in);
	interface_fill(ip->outiface, ip->outiface_mask, rule->out);
	ip->proto = rule->protocol;
	if (rule->not_in)
		ip->invflags |= IPT_INV_VIA_IN;
	if (rule->not_out)
		ip->invflags |= IPT_INV_VIA_OUT;
	if (rule->not_destination)
		ip->invflags |= IPT_INV_DSTIP;
	strbuf_add(bytes, &head, sizeof(head));
}

static void header6_add(struct strbuf *bytes, const struct rule *rule)
{
	struct ip6t_entry head;
	struct ip6t_ip6 *ip = &head.ipv6;

	memset(&head, 0, sizeof(head));
	memcpy(&ip->src, rule->source.bytes, sizeof(ip->src));
	memcpy(&ip->dst, rule->destination.bytes, sizeof(ip->dst));
	mask_fill(&ip->smsk, &rule->source);
	mask_fill(&ip->dmsk, &rule->destination);
	interface_fill(ip->iniface, ip->iniface_mask, rule->in);
	interface_fill(ip->outiface, ip->outiface_mask, rule->out);
	ip->proto = rule->protocol;
	if (rule->protocol)
		ip->flags |= IP6T_F_PROTO;
	if (rule->not_in)
		ip->invflags |= IP6T_INV_VIA_IN;
	if (rule->not_out)
		ip->invflags |= IP6T_INV_VIA_OUT;
	if (rule->not_destination)
		ip->invflags |= IP6T_INV_DSTIP;
	strbuf_add(bytes, &head, sizeof(head));
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
	struct ip6t_icmp icmp = { .type = rule->icmp_type, .code = { 0, 0xff } };
	struct xt_sctp_info sctp;

	if (rule->protocol == IPPROTO_TCP)
		match_add(entry, "tcp", 0, &tcp, sizeof(tcp));
	else if (rule->protocol == IPPROTO_UDP)
		match_add(entry, "udp", 0, &udp, sizeof(udp));
	else if (rule->protocol == IPPROTO_ICMPV6)
		match_add(entry, "icmp6", 0, &icmp, sizeof(icmp));
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
	memcpy(&range.min_addr, rule->to.bytes, sizeof(range.min_addr));
	range.max_addr = range.min_addr;
	range.min_proto.all = range.max_proto.all = htons(rule->to_port);
	target_add(entry, "DNAT", 2, &range, sizeof(range));
}

static void masquerade_target(struct strbuf *entry, enum firewall_family family)
{
	struct nf_nat_ipv4_multi_range_compat range4;
	struct nf_nat_range range6;

	memset(&range4, 0, sizeof(range4));
	memset(&range6, 0, sizeof(range6));
	range4.rangesize = 1;
	if (family == FIREWALL_V4)
		target_add(entry, "MASQUERADE", 0, &range4, sizeof(range4));
	else
		target_add(entry, "MASQUERADE", 0, &range6, sizeof(range6));
}

/* libiptc turns the name of a verdict or a chain into what the kernel wants. */
static void standard_target(struct strbuf *entry, const struct rule *rule)
{
	static const int verdict;
	const char *name = rule->target == TARGET_ACCEPT ? "ACCEPT" : "DROP";

	target_add(entry, rule->target == TARGET_CHAIN ? rule->chain : name, 0, &verdict,
		sizeof(verdict));
}

void *iptc_rule_build(const struct rule *rule, enum firewall_family family)
{
	const struct iptc_family *layout = &iptc_families[family];
	struct strbuf bytes = STRBUF_INIT;
	uint16_t offset;

	if (family == FIREWALL_V4)
		header4_add(&bytes, rule);
	else
		header6_add(&bytes, rule);
	protocol_match(&bytes, rule);
	addrtype_match(&bytes, rule);
	conntrack_match(&bytes, rule);
	offset = (uint16_t)bytes.length;
	memcpy(bytes.data + layout->target_offset_at, &offset, sizeof(offset));
	if (rule->target == TARGET_DNAT)
		dnat_target(&bytes, rule);
	else if (rule->target == TARGET_MASQUERADE)
		masquerade_target(&bytes, family);
	else
		standard_target(&bytes, rule);
	offset = (uint16_t)bytes.length;
	memcpy(bytes.data + layout->next_offset_at, &offset, sizeof(offset));
	return bytes.data;
}

/* An entry of either family, taken apart. */
struct view {
	const char *bytes;
	const struct xt_entry_target *target;
	size_t matches;
	size_t target_offset;
	size_t next_offset;
};

static struct view view_of(enum firewall_family family, const void *entry)
{
	const struct iptc_family *layout = &iptc_families[family];
	struct view view = {
		.bytes = entry,
		.matches = layout->entry_size,
		.target_offset = entry_number(entry, layout->target_offset_at),
		.next_offset = entry_number(entry, layout->next_offset_at),
	};

	view.target = (const void *)(view.bytes + view.target_offset);
	return view;
}

const char *iptc_rule_target(enum firewall_family family, const void *entry)
{
	return view_of(family, entry).target->u.user.name;
}

/* Of a match the kernel gives name, revision and data back; what else is in its header is unset. */
static bool matches_equal(const struct view *a, const struct view *b)
{
	const size_t head = XT_ALIGN(sizeof(struct xt_entry_match));

	if (a->target_offset != b->target_offset)
		return false;
	for (size_t at = a->matches; at < a->target_offset;) {
		const struct xt_entry_match *x = (const void *)(a->bytes + at);
		const struct xt_entry_match *y = (const void *)(b->bytes + at);

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

bool iptc_rule_equal(enum firewall_family family, const void *wanted, const void *present,
	const char *present_target)
{
	const size_t head = XT_ALIGN(sizeof(struct xt_entry_target));
	const struct view a = view_of(family, wanted), b = view_of(family, present);
	const char *target = a.target->u.user.name;

	if (memcmp(wanted, present, iptc_families[family].header_size) != 0 ||
		!matches_equal(&a, &b) || strcmp(target, present_target) != 0)
		return false;
	if (!is_nat(target))
		return true;
	return a.next_offset == b.next_offset &&
	       a.target->u.user.revision == b.target->u.user.revision &&
	       memcmp(a.bytes + a.target_offset + head, b.bytes + b.target_offset + head,
		       a.next_offset - a.target_offset - head) == 0;
}

uint16_t iptc_rule_udp_port(enum firewall_family family, const void *entry, const char *target)
{
	const struct view view = view_of(family, entry);
	const struct xt_entry_match *match = (const void *)(view.bytes + view.matches);
	const struct xt_udp *udp = (const void *)match->data;
	const uint16_t protocol = entry_number(entry, iptc_families[family].protocol_at);

	if (protocol != IPPROTO_UDP || strcmp(target, "DNAT") != 0 ||
		view.target_offset <= view.matches || strcmp(match->u.user.name, "udp") != 0)
		return 0;
	return udp->dpts[0];
}
