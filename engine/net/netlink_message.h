/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_message.h - messages, the batch and lists: what the files that speak to libnl share.
 * Nobody else includes it. */
#ifndef MYCOMPOSE_NET_NETLINK_MESSAGE_H
#define MYCOMPOSE_NET_NETLINK_MESSAGE_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/net/netlink.h"

/* A handle of another netlink family than rtnetlink. */
int netlink_open_family(int family, struct netlink **ret, struct error *err);

/* A request that begins with `header`; its end is netlink_batch_add or netlink_dump. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t length);
void netlink_put(struct nl_msg *msg, int type, const void *bytes, size_t length);

static inline void put_u8(struct nl_msg *msg, int type, uint8_t value)
{
	netlink_put(msg, type, &value, sizeof(value));
}

static inline void put_u32(struct nl_msg *msg, int type, uint32_t value)
{
	netlink_put(msg, type, &value, sizeof(value));
}

static inline void put_string(struct nl_msg *msg, int type, const char *value)
{
	netlink_put(msg, type, value, strlen(value) + 1);
}

static inline struct nlattr *nest(struct nl_msg *msg, int type)
{
	struct nlattr *start = nla_nest_start(msg, type);

	if (!start)
		abort();
	return start;
}

/* Moves the message into the batch. `tolerated` is a negative errno that is as good as success, or
 * 0. */
void netlink_batch_add(
	struct netlink *netlink, struct nl_msg *msg, const char *what, int tolerated);
/* The same for a request that makes a link of a kind, which the kernel may not know. */
void netlink_batch_add_link(struct netlink *netlink, struct nl_msg *msg, const char *what,
	int tolerated, const char *kind);
/* Send a question at once, past the batch; its answers bear *ret_sequence. Ends the message. */
int netlink_ask(struct netlink *netlink, struct nl_msg *msg, uint32_t *ret_sequence);
/* One datagram of answers; *ret_data is libnl's heap. Its length or a negative errno. */
int netlink_receive(struct netlink *netlink, unsigned char **ret_data);
/* Ask for a list and give every part of the answer to `each`. Ends the message. */
int netlink_dump(struct netlink *netlink, struct nl_msg *msg,
	void (*each)(struct nlmsghdr *header, void *data), void *data, struct error *err);

#endif
