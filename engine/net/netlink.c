/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink.c - the batch and its requests: links, addresses, routes. */
#include "engine/net/netlink_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

#define ANSWER_SIZE 32768	/* the kernel builds dump parts of at most this size */
#define QUESTION    0x80000000u /* sequence numbers of questions, apart from those of requests */
#define SEND_SIZE   4096	/* of one datagram: if all of it fails, the answers still fit */

struct request {
	const char *what; /* for the error: "create bridge" */
	int tolerated;	  /* a negative errno that is as good as success, or 0 */
	const char
		*kind; /* of the link it makes, which the kernel may have no module for; or NULL */
};

struct netlink {
	struct nl_sock *socket;
	struct strbuf batch;
	struct request *requests; /* its sequence number is first_sequence + index */
	size_t request_count;
	uint32_t first_sequence;
	uint32_t questions; /* asked so far, see ask() */
};

/* libnl keeps errno of the system call that failed, its own code is coarser. */
static int nl_errno(void)
{
	return errno ? -errno : -EIO;
}

int netlink_open_family(int family, struct netlink **ret, struct error *err)
{
	cleanup_netlink struct netlink *netlink = xcalloc(1, sizeof(*netlink));

	netlink->first_sequence = 1;
	netlink->socket = nl_socket_alloc();
	if (!netlink->socket)
		return error_sys(err, -ENOMEM, "netlink socket");
	/* The kernel gives the port number: libnl's own guess is unique per process only as long as
	 * nobody forks or enters another pid namespace. */
	nl_socket_set_local_port(netlink->socket, 0);
	nl_socket_set_msg_buf_size(netlink->socket, ANSWER_SIZE);
	errno = 0;
	if (nl_connect(netlink->socket, family) < 0)
		return error_sys(err, nl_errno(), "netlink socket");
	*ret = steal_ptr(netlink);
	return 0;
}

int netlink_open(struct netlink **ret, struct error *err)
{
	return netlink_open_family(NETLINK_ROUTE, ret, err);
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->socket);
	strbuf_release(&netlink->batch);
	free(netlink->requests);
	free(netlink);
}

void netlink_cleanup(struct netlink **netlink)
{
	netlink_free(*netlink);
	*netlink = NULL;
}

static void batch_clear(struct netlink *netlink)
{
	strbuf_clear(&netlink->batch);
	netlink->first_sequence += (uint32_t)netlink->request_count;
	free(netlink->requests);
	netlink->requests = NULL;
	netlink->request_count = 0;
}

/* libnl's puts fail only when the message is full, and it is made large enough for all of ours. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t length)
{
	struct nl_msg *msg = nlmsg_alloc_size(1024);

	if (!msg || !nlmsg_put(msg, 0, 0, type, 0, NLM_F_REQUEST | flags) ||
		nlmsg_append(msg, (void *)header, length, NLMSG_ALIGNTO) < 0)
		abort();
	return msg;
}

void netlink_put(struct nl_msg *msg, int type, const void *bytes, size_t length)
{
	if (nla_put(msg, type, (int)length, bytes) < 0)
		abort();
}

static void put_u8(struct nl_msg *msg, int type, uint8_t value)
{
	netlink_put(msg, type, &value, sizeof(value));
}

static void put_u32(struct nl_msg *msg, int type, uint32_t value)
{
	netlink_put(msg, type, &value, sizeof(value));
}

static void put_string(struct nl_msg *msg, int type, const char *value)
{
	netlink_put(msg, type, value, strlen(value) + 1);
}

static struct nlattr *nest(struct nl_msg *msg, int type)
{
	struct nlattr *start = nla_nest_start(msg, type);

	if (!start)
		abort();
	return start;
}

void netlink_batch_add(struct netlink *netlink, struct nl_msg *msg, const char *what, int tolerated)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct request *request = array_add(netlink->requests, netlink->request_count);
	static const char zeros[NLMSG_ALIGNTO];

	*request = (struct request){ what, tolerated, NULL };
	header->nlmsg_seq = netlink->first_sequence + (uint32_t)netlink->request_count - 1;
	strbuf_add(&netlink->batch, header, header->nlmsg_len);
	strbuf_add(&netlink->batch, zeros, NLMSG_ALIGN(header->nlmsg_len) - header->nlmsg_len);
	nlmsg_free(msg);
}

static void batch_add_link(struct netlink *netlink, struct nl_msg *msg, const char *what,
	int tolerated, const char *kind)
{
	netlink_batch_add(netlink, msg, what, tolerated);
	netlink->requests[netlink->request_count - 1].kind = kind;
}

static int request_error(const struct request *request, int code, struct error *err)
{
	/* Also what one gets after an update of the kernel took the running one's modules away. */
	if (code == -EOPNOTSUPP && request->kind)
		return error_set(err, code,
			"%s: the running kernel has no interfaces of the kind '%s', nor a module "
			"of that name to load",
			request->what, request->kind);
	return error_sys(err, code, "%s", request->what);
}

/* One datagram of answers; *ret_data is libnl's heap. */
static int receive(struct netlink *netlink, unsigned char **ret_data)
{
	struct sockaddr_nl from;
	int length;

	errno = 0;
	length = nl_recv(netlink->socket, &from, ret_data, NULL);
	if (length > 0)
		return length;
	return length == 0 ? -EIO : nl_errno();
}

/* `last` is the index of the newest request sent, the one that is always answered. */
static int answer_check(struct netlink *netlink, struct nlmsghdr *header, uint32_t last, bool *done,
	int failed, struct error *err)
{
	uint32_t position = header->nlmsg_seq - netlink->first_sequence;
	const struct nlmsgerr *answer = nlmsg_data(header);

	if (header->nlmsg_type != NLMSG_ERROR || position > last ||
		nlmsg_datalen(header) < (int)sizeof(*answer))
		return failed;
	*done = position == last;
	if (answer->error == 0 || failed || answer->error == netlink->requests[position].tolerated)
		return failed;
	return request_error(&netlink->requests[position], answer->error, err);
}

static int answers_wait(struct netlink *netlink, uint32_t last, int failed, struct error *err)
{
	for (bool done = false; !done;) {
		unsigned char *data = NULL;
		int left = receive(netlink, &data);

		if (left < 0)
			return error_sys(err, left, "receive from netlink");
		for (struct nlmsghdr *header = (struct nlmsghdr *)data; nlmsg_ok(header, left);
			header = nlmsg_next(header, &left))
			failed = answer_check(netlink, header, last, &done, failed, err);
		free(data);
	}
	return failed;
}

/* How many bytes from `from` on go into one datagram; its last message asks for an answer. */
static size_t datagram_close(struct netlink *netlink, size_t from, uint32_t *ret_last)
{
	size_t end = from;
	struct nlmsghdr *header;

	do {
		header = (struct nlmsghdr *)(netlink->batch.data + end);
		end += NLMSG_ALIGN(header->nlmsg_len);
	} while (end < netlink->batch.length && end - from < SEND_SIZE);
	header->nlmsg_flags |= NLM_F_ACK;
	*ret_last = header->nlmsg_seq - netlink->first_sequence;
	return end - from;
}

int netlink_commit(struct netlink *netlink, struct error *err)
{
	int failed = 0;

	for (size_t from = 0; from < netlink->batch.length;) {
		uint32_t last = 0;
		size_t length = datagram_close(netlink, from, &last);

		errno = 0;
		if (nl_sendto(netlink->socket, netlink->batch.data + from, length) < 0) {
			failed = error_sys(err, nl_errno(), "send to netlink");
			break;
		}
		failed = answers_wait(netlink, last, failed, err);
		from += length;
	}
	batch_clear(netlink);
	return failed;
}

/* Send a question at once, past the batch; its answers bear *ret_sequence. Ends the message. */
static int ask(struct netlink *netlink, struct nl_msg *msg, uint32_t *ret_sequence)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int r;

	*ret_sequence = header->nlmsg_seq = QUESTION | ++netlink->questions;
	errno = 0;
	r = nl_sendto(netlink->socket, header, header->nlmsg_len) < 0 ? nl_errno() : 0;
	nlmsg_free(msg);
	return r;
}

int netlink_dump(struct netlink *netlink, struct nl_msg *msg,
	void (*each)(struct nlmsghdr *header, void *data), void *data, struct error *err)
{
	uint32_t sequence;
	int r = ask(netlink, msg, &sequence);

	for (bool done = r < 0; !done;) {
		unsigned char *answer = NULL;
		int left = receive(netlink, &answer);

		if (left < 0) {
			r = left;
			break;
		}
		for (struct nlmsghdr *header = (struct nlmsghdr *)answer; nlmsg_ok(header, left);
			header = nlmsg_next(header, &left)) {
			if (header->nlmsg_seq != sequence)
				continue;
			done = header->nlmsg_type == NLMSG_DONE ||
			       header->nlmsg_type == NLMSG_ERROR;
			if (header->nlmsg_type == NLMSG_ERROR)
				r = ((struct nlmsgerr *)nlmsg_data(header))->error;
			else if (!done)
				each(header, data);
		}
		free(answer);
	}
	return r < 0 ? error_sys(err, r, "list by netlink") : 0;
}

void netlink_add_bridge(
	struct netlink *netlink, const char *name, uint32_t mtu, const uint8_t mac[6])
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	struct nlattr *info;

	put_string(msg, IFLA_IFNAME, name);
	/* A bridge without a MAC of its own takes the lowest of its ports and changes it as they
	 * come and go, which leaves the containers with a stale neighbour entry for the gateway. */
	netlink_put(msg, IFLA_ADDRESS, mac, 6);
	if (mtu)
		put_u32(msg, IFLA_MTU, mtu);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "bridge");
	nla_nest_end(msg, info);
	batch_add_link(netlink, msg, "create bridge", -EEXIST, "bridge");
}

void netlink_add_address(struct netlink *netlink, uint32_t index, uint32_t address, uint8_t prefix)
{
	struct ifaddrmsg header = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = index,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct subnet subnet = { .prefix = prefix };

	put_u32(msg, IFA_LOCAL, htonl(address));
	put_u32(msg, IFA_ADDRESS, htonl(address));
	put_u32(msg, IFA_BROADCAST, htonl(address | ~subnet_mask(&subnet)));
	netlink_batch_add(netlink, msg, "set address", -EEXIST);
}

void netlink_add_link_up(struct netlink *netlink, uint32_t index)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};

	netlink_batch_add(
		netlink, netlink_message(RTM_NEWLINK, 0, &link, sizeof(link)), "bring link up", 0);
}

void netlink_add_default_route(struct netlink *netlink, uint32_t index, uint32_t gateway)
{
	struct rtmsg route = {
		.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg =
		netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof(route));

	put_u32(msg, RTA_OIF, index);
	put_u32(msg, RTA_GATEWAY, htonl(gateway));
	netlink_batch_add(netlink, msg, "set default route", -EEXIST);
}

void netlink_add_link_delete(struct netlink *netlink, const char *name)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_DELLINK, 0, &link, sizeof(link));

	put_string(msg, IFLA_IFNAME, name);
	netlink_batch_add(netlink, msg, "delete link", -ENODEV);
}

void netlink_add_group_delete(struct netlink *netlink, uint32_t group)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_DELLINK, 0, &link, sizeof(link));

	put_u32(msg, IFLA_GROUP, group);
	netlink_batch_add(netlink, msg, "delete links of the group", -ENODEV);
}

static void put_peer(struct nl_msg *msg, const struct veth_pair *pair)
{
	struct nlattr *peer = nest(msg, VETH_INFO_PEER);
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	if (nlmsg_append(msg, &link, sizeof(link), NLMSG_ALIGNTO) < 0)
		abort();
	put_string(msg, IFLA_IFNAME, pair->peer_name);
	netlink_put(msg, IFLA_ADDRESS, pair->peer_mac, 6);
	put_u32(msg, IFLA_NET_NS_FD, (uint32_t)pair->peer_netns_fd);
	if (pair->mtu)
		put_u32(msg, IFLA_MTU, pair->mtu);
	nla_nest_end(msg, peer);
}

static void add_veth_create(struct netlink *netlink, const struct veth_pair *pair)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	struct nlattr *info, *data;

	put_string(msg, IFLA_IFNAME, pair->host_name);
	put_u32(msg, IFLA_MASTER, pair->port.bridge_index);
	put_u32(msg, IFLA_GROUP, pair->group);
	if (pair->mtu)
		put_u32(msg, IFLA_MTU, pair->mtu);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "veth");
	data = nest(msg, IFLA_INFO_DATA);
	put_peer(msg, pair);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	batch_add_link(netlink, msg, "create veth pair", 0, "veth");
}

static void put_port(struct nl_msg *msg, const struct bridge_port *port)
{
	struct nlattr *info = nest(msg, IFLA_LINKINFO), *data;

	put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
	data = nest(msg, IFLA_INFO_SLAVE_DATA);
	put_u8(msg, IFLA_BRPORT_MODE, port->hairpin);
	put_u8(msg, IFLA_BRPORT_ISOLATED, port->isolated);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
}

/* What the kernel takes only from an existing link: alias, port options and the IPv6 mode. */
static void add_port_up(struct netlink *netlink, const struct veth_pair *pair)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));
	struct nlattr *info, *data;

	put_string(msg, IFLA_IFNAME, pair->host_name);
	if (pair->has_ipv6) {
		info = nest(msg, IFLA_AF_SPEC);
		data = nest(msg, AF_INET6);
		put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	}
	netlink_put(msg, IFLA_IFALIAS, pair->alias, strlen(pair->alias));
	if (pair->port.isolated || pair->port.hairpin)
		put_port(msg, &pair->port);
	netlink_batch_add(netlink, msg, "bring veth up", 0);
}

void netlink_add_veth(struct netlink *netlink, const struct veth_pair *pair)
{
	add_veth_create(netlink, pair);
	add_port_up(netlink, pair);
}

void netlink_add_port(struct netlink *netlink, uint32_t index, const struct bridge_port *port)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));

	put_u32(msg, IFLA_MASTER, port->bridge_index);
	netlink_batch_add(netlink, msg, "join link to bridge", -ENODEV);
	if (!port->isolated && !port->hairpin)
		return;
	/* The kernel reads port options before it sets the master: they need a message of their
	 * own. */
	msg = netlink_message(RTM_NEWLINK, 0, &link, sizeof(link));
	put_port(msg, port);
	netlink_batch_add(netlink, msg, "set options of bridge port", -ENODEV);
}

struct loose_links {
	struct loose_link *items;
	size_t count;
	uint32_t group;
};

static void read_loose(struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *link = nlmsg_data(header);
	struct nlattr *attrs[IFLA_MAX + 1];
	struct loose_links *links = data;
	struct loose_link *loose;

	if (header->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(header, sizeof(*link), attrs, IFLA_MAX, NULL) < 0 ||
		attrs[IFLA_MASTER] || !attrs[IFLA_GROUP] ||
		nla_get_u32(attrs[IFLA_GROUP]) != links->group)
		return;
	loose = array_add(links->items, links->count);
	*loose = (struct loose_link){ .index = (uint32_t)link->ifi_index };
	if (attrs[IFLA_IFALIAS])
		nla_strlcpy(loose->alias, attrs[IFLA_IFALIAS], sizeof(loose->alias));
}

int netlink_list_loose(struct netlink *netlink, uint32_t group, struct loose_link **ret,
	size_t *ret_count, struct error *err)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_GETLINK, NLM_F_DUMP, &link, sizeof(link));
	struct loose_links links = { .group = group };
	struct nlattr *info;
	int r;

	put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	info = nest(msg, IFLA_LINKINFO);
	put_string(msg, IFLA_INFO_KIND, "veth");
	nla_nest_end(msg, info);
	r = netlink_dump(netlink, msg, read_loose, &links, err);
	if (r < 0) {
		free(links.items);
		return r;
	}
	*ret = links.items;
	*ret_count = links.count;
	return 0;
}

static void read_link(struct nlmsghdr *header, struct link_info *ret)
{
	const struct ifinfomsg *link = nlmsg_data(header);
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];

	*ret = (struct link_info){
		.index = (uint32_t)link->ifi_index,
		.up = link->ifi_flags & IFF_UP,
	};
	if (nlmsg_parse(header, sizeof(*link), attrs, IFLA_MAX, NULL) < 0 ||
		!attrs[IFLA_LINKINFO] ||
		nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) < 0 ||
		!info[IFLA_INFO_KIND])
		return;
	nla_strlcpy(ret->kind, info[IFLA_INFO_KIND], sizeof(ret->kind));
}

int netlink_find_link(
	struct netlink *netlink, const char *name, struct link_info *ret, struct error *err)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = netlink_message(RTM_GETLINK, 0, &link, sizeof(link));
	unsigned char *data = NULL;
	struct nlmsghdr *header;
	uint32_t sequence;
	int r, left;

	put_string(msg, IFLA_IFNAME, name);
	r = ask(netlink, msg, &sequence);
	left = r < 0 ? r : receive(netlink, &data);
	if (left < 0)
		return error_sys(err, left, "find link '%s'", name);
	header = (struct nlmsghdr *)data;
	if (!nlmsg_ok(header, left) || header->nlmsg_seq != sequence)
		r = -EBADMSG;
	else if (header->nlmsg_type == NLMSG_ERROR)
		r = ((struct nlmsgerr *)nlmsg_data(header))->error;
	else
		read_link(header, ret);
	free(data);
	return r < 0 && r != -ENODEV ? error_sys(err, r, "find link '%s'", name) : r;
}

struct routes {
	struct subnet *items;
	size_t count;
};

static void read_route(struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = nlmsg_data(header);
	struct nlattr *attrs[RTA_MAX + 1];
	struct routes *routes = data;
	struct subnet *subnet;

	if (header->nlmsg_type != RTM_NEWROUTE || route->rtm_dst_len == 0 ||
		route->rtm_dst_len > 32 || route->rtm_type == RTN_BROADCAST ||
		route->rtm_type == RTN_MULTICAST || route->rtm_type == RTN_ANYCAST ||
		nlmsg_parse(header, sizeof(*route), attrs, RTA_MAX, NULL) < 0 || !attrs[RTA_DST] ||
		nla_len(attrs[RTA_DST]) != 4)
		return;
	subnet = array_add(routes->items, routes->count);
	*subnet = (struct subnet){ ntohl(nla_get_u32(attrs[RTA_DST])), route->rtm_dst_len };
}

int netlink_list_routes(
	struct netlink *netlink, struct subnet **ret, size_t *ret_count, struct error *err)
{
	struct rtmsg route = { .rtm_family = AF_INET };
	struct routes routes = { NULL, 0 };
	int r = netlink_dump(netlink,
		netlink_message(RTM_GETROUTE, NLM_F_DUMP, &route, sizeof(route)), read_route,
		&routes, err);

	if (r < 0) {
		free(routes.items);
		return r;
	}
	*ret = routes.items;
	*ret_count = routes.count;
	return 0;
}
