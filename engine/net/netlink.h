/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink.h - links, addresses, routes and connection tracking entries: the only place that speaks
 * to libnl. May depend on: engine/base/, libnl-3.
 *
 * A handle is one rtnetlink socket of the netns the caller is in, and a batch: the netlink_add_*
 * calls only write requests down, netlink_commit sends them all at once and waits for one answer
 * (the kernel works through them in order and answers unasked only where one fails). Requests name
 * interfaces by index, or by name where the same batch makes them. */
#ifndef MYCOMPOSE_NET_NETLINK_H
#define MYCOMPOSE_NET_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/net/address.h"
#include "engine/net/address6.h"

struct netlink;

#define cleanup_netlink __attribute__((cleanup(netlink_cleanup)))
int netlink_open(struct netlink **ret, struct error *err);
void netlink_free(struct netlink *netlink); /* requests not committed are dropped */
void netlink_cleanup(struct netlink **netlink);

/* Send what is written down. The first request that failed is told, named by what it was for;
 * the others were carried out as far as the kernel could. The batch is empty afterwards. */
int netlink_commit(struct netlink *netlink, struct error *err);

/* One that exists is fine: the caller has looked (netlink_find_link) or does next. */
void netlink_add_bridge(
	struct netlink *netlink, const char *name, uint32_t mtu, const uint8_t mac[6]);
void netlink_add_address(
	struct netlink *netlink, uint32_t index, uint32_t address, uint8_t prefix); /* same */
void netlink_add_link_up(struct netlink *netlink, uint32_t index);
void netlink_add_address6(struct netlink *netlink, uint32_t index, const struct in6_addr *address,
	uint8_t prefix); /* same */
/* Without a gateway (0, NULL) everything is expected to be on the link. */
void netlink_add_default_route(struct netlink *netlink, uint32_t index, uint32_t gateway);
void netlink_add_default_route6(
	struct netlink *netlink, uint32_t index, const struct in6_addr *gateway);
void netlink_add_link_group(struct netlink *netlink, uint32_t index, uint32_t group);
/* One that is absent is fine. */
void netlink_add_link_delete(struct netlink *netlink, const char *name);
/* Every link of the group, in one step of the kernel. An empty group is fine. */
void netlink_add_group_delete(struct netlink *netlink, uint32_t group);

struct bridge_port {
	uint32_t bridge_index;
	bool isolated; /* from other isolated ports of the bridge */
	bool hairpin;  /* frames may leave by the port they came from */
};
struct veth_pair {
	const char *host_name;
	const char *alias; /* of the host end */
	struct bridge_port port;
	uint32_t group;
	uint32_t mtu;  /* 0 = kernel's default */
	bool has_ipv6; /* the kernel has IPv6: no link-local address for the host end */
	const char *peer_name;
	int peer_netns_fd;
	const uint8_t *peer_mac; /* 6 bytes */
};
/* The host end joins the bridge and comes up; the peer stays down. */
void netlink_add_veth(struct netlink *netlink, const struct veth_pair *pair);

/* A link that lives on another one, or alone. */
struct sub_link {
	const char *kind; /* "macvlan", "ipvlan", "vlan", "dummy" */
	const char *name;
	uint32_t parent_index; /* 0 = none */
	uint32_t mode;	       /* MACVLAN_MODE_*, IPVLAN_MODE_*; a vlan's id */
	uint32_t flags;	       /* IPVLAN_F_* */
	int netns_fd;	       /* where it is made; -1 = here */
	const uint8_t *mac;    /* NULL = the kernel's choice */
	uint32_t mtu;	       /* 0 = as the parent */
	uint32_t group;	       /* 0 = that of ordinary links */
};
/* It stays down. */
void netlink_add_sub_link(struct netlink *netlink, const struct sub_link *link);

/* A veth's host end that belongs to no bridge, or not any more. */
struct loose_link {
	uint32_t index;
	char alias[256]; /* IFALIASZ; empty = none */
};
/* Those of the group. Heap. */
int netlink_list_loose(struct netlink *netlink, uint32_t group, struct loose_link **ret,
	size_t *ret_count, struct error *err);
/* It joins the bridge and comes up; one that is gone by now is fine. */
void netlink_add_port(struct netlink *netlink, uint32_t index, const struct bridge_port *port);

struct link_info {
	uint32_t index;
	uint32_t group;
	bool up;
	char kind[16]; /* "bridge", "veth"; empty for hardware and lo */
};
/* -ENODEV when absent (then err is not written: often it is no error). */
int netlink_find_link(
	struct netlink *netlink, const char *name, struct link_info *ret, struct error *err);
/* The destinations of all unicast and local IPv4 routes but the default one. Heap. */
int netlink_list_routes(
	struct netlink *netlink, struct subnet **ret, size_t *ret_count, struct error *err);
int netlink_list_routes6(
	struct netlink *netlink, struct subnet6 **ret, size_t *ret_count, struct error *err);

/* Forget the UDP flows, of both families, to these host ports that were translated, or not
 * translated, by rules that no longer hold: without that a client that keeps its port goes on to
 * the old address until it pauses for the time-out. Flows that merely leave the host through source
 * NAT are left. A kernel without ctnetlink has nothing to forget with: 0. */
int netlink_forget_udp(const uint16_t *ports, size_t count, struct error *err);

#endif
