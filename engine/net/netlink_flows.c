/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_flows.c - connection tracking entries that rules of the past have left. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>

#include "engine/net/netlink_message.h"

struct udp_flows {
	const uint16_t *ports;
	size_t port_count;
	struct netlink *deletes;
};

static bool port_is_named(const struct udp_flows *flows, uint16_t port)
{
	for (size_t i = 0; i < flows->port_count; i++)
		if (flows->ports[i] == port)
			return true;
	return false;
}

/* Protocol and destination port of a flow's first packet; -1 when it is not UDP. */
static int udp_port(struct nlattr *tuple)
{
	struct nlattr *attrs[CTA_TUPLE_MAX + 1], *proto[CTA_PROTO_MAX + 1];

	if (nla_parse_nested(attrs, CTA_TUPLE_MAX, tuple, NULL) < 0 || !attrs[CTA_TUPLE_PROTO] ||
		nla_parse_nested(proto, CTA_PROTO_MAX, attrs[CTA_TUPLE_PROTO], NULL) < 0 ||
		!proto[CTA_PROTO_NUM] || nla_get_u8(proto[CTA_PROTO_NUM]) != IPPROTO_UDP ||
		!proto[CTA_PROTO_DST_PORT])
		return -1;
	return ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT]));
}

static void read_flow(struct nlmsghdr *header, void *data)
{
	struct nfgenmsg family = { .version = NFNETLINK_V0 };
	struct nlattr *attrs[CTA_MAX + 1];
	struct udp_flows *flows = data;
	struct nl_msg *msg;
	uint32_t status;
	int port;

	if (nlmsg_parse(header, sizeof(family), attrs, CTA_MAX, NULL) < 0 ||
		!attrs[CTA_TUPLE_ORIG] || !attrs[CTA_STATUS])
		return;
	port = udp_port(attrs[CTA_TUPLE_ORIG]);
	status = ntohl(nla_get_u32(attrs[CTA_STATUS]));
	if (port < 0 || !port_is_named(flows, (uint16_t)port) ||
		(status & (IPS_SRC_NAT | IPS_DST_NAT)) == IPS_SRC_NAT)
		return;
	family.nfgen_family = ((struct nfgenmsg *)nlmsg_data(header))->nfgen_family;
	msg = netlink_message(
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, 0, &family, sizeof(family));
	netlink_put(msg, CTA_TUPLE_ORIG | NLA_F_NESTED, nla_data(attrs[CTA_TUPLE_ORIG]),
		(size_t)nla_len(attrs[CTA_TUPLE_ORIG]));
	if (attrs[CTA_ZONE])
		netlink_put(
			msg, CTA_ZONE, nla_data(attrs[CTA_ZONE]), (size_t)nla_len(attrs[CTA_ZONE]));
	netlink_batch_add(flows->deletes, msg, "delete connection tracking entry", -ENOENT);
}

int netlink_forget_udp(const uint16_t *ports, size_t count, struct error *err)
{
	struct nfgenmsg family = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 };
	cleanup_netlink struct netlink *list = NULL, *deletes = NULL;
	struct udp_flows flows = { .ports = ports, .port_count = count };
	int r = netlink_open_family(NETLINK_NETFILTER, &list, NULL);

	if (r == 0)
		r = netlink_open_family(NETLINK_NETFILTER, &deletes, NULL);
	if (r == -EPROTONOSUPPORT)
		return 0;
	if (r < 0)
		return error_sys(err, r, "netlink socket for connection tracking");
	flows.deletes = deletes;
	r = netlink_dump(list,
		netlink_message(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP, &family,
			sizeof(family)),
		read_flow, &flows, err);
	if (r == -EOPNOTSUPP || r == -EINVAL) {
		error_release(err);
		return 0;
	}
	return r < 0 ? r : netlink_commit(deletes, err);
}
