/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink_message.h - messages, the batch and lists: what the files that speak to libnl share.
 * Nobody else includes it. */
#ifndef MYCOMPOSE_NET_NETLINK_MESSAGE_H
#define MYCOMPOSE_NET_NETLINK_MESSAGE_H

#include <netlink/msg.h>

#include "engine/net/netlink.h"

/* A handle of another netlink family than rtnetlink. */
int netlink_open_family(int family, struct netlink **ret, struct error *err);

/* A request that begins with `header`; its end is netlink_batch_add or netlink_dump. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t length);
void netlink_put(struct nl_msg *msg, int type, const void *bytes, size_t length);

/* Moves the message into the batch. `tolerated` is a negative errno that is as good as success, or
 * 0. */
void netlink_batch_add(
	struct netlink *netlink, struct nl_msg *msg, const char *what, int tolerated);
/* Ask for a list and give every part of the answer to `each`. Ends the message. */
int netlink_dump(struct netlink *netlink, struct nl_msg *msg,
	void (*each)(struct nlmsghdr *header, void *data), void *data, struct error *err);

#endif
