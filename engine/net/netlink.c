/* SPDX-License-Identifier: GPL-2.0-or-later
 * netlink.c - the batch of requests, questions, and their answers. */
#include "engine/net/netlink_message.h"

#include <errno.h>
#include <linux/rtnetlink.h>
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
	char kind[16];	  /* of the link it makes, which the kernel may refuse to have; or empty */
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

void netlink_batch_add(struct netlink *netlink, struct nl_msg *msg, const char *what, int tolerated)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct request *request = array_add(netlink->requests, netlink->request_count);
	static const char zeros[NLMSG_ALIGNTO];

	*request = (struct request){ .what = what, .tolerated = tolerated };
	header->nlmsg_seq = netlink->first_sequence + (uint32_t)netlink->request_count - 1;
	strbuf_add(&netlink->batch, header, header->nlmsg_len);
	strbuf_add(&netlink->batch, zeros, NLMSG_ALIGN(header->nlmsg_len) - header->nlmsg_len);
	nlmsg_free(msg);
}

void netlink_batch_add_link(struct netlink *netlink, struct nl_msg *msg, const char *what,
	int tolerated, const char *kind)
{
	struct request *request;

	netlink_batch_add(netlink, msg, what, tolerated);
	request = &netlink->requests[netlink->request_count - 1];
	snprintf(request->kind, sizeof(request->kind), "%s", kind);
}

static int request_error(const struct request *request, int code, struct error *err)
{
	/* Also what one gets after an update of the kernel took the running one's modules away. */
	if (code == -EOPNOTSUPP && *request->kind)
		return error_set(err, code,
			"%s: the running kernel has no interfaces of the kind '%s', nor a module "
			"of that name to load",
			request->what, request->kind);
	if (code == -EBUSY && *request->kind)
		return error_set(err, code,
			"%s: an interface of the kind '%s' cannot be on it beside what it has "
			"already: macvlans, ipvlans, or a bridge or bond that it is a port of",
			request->what, request->kind);
	return error_sys(err, code, "%s", request->what);
}

int netlink_receive(struct netlink *netlink, unsigned char **ret_data)
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
		int left = netlink_receive(netlink, &data);

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

int netlink_ask(struct netlink *netlink, struct nl_msg *msg, uint32_t *ret_sequence)
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
	int r = netlink_ask(netlink, msg, &sequence);

	for (bool done = r < 0; !done;) {
		unsigned char *answer = NULL;
		int left = netlink_receive(netlink, &answer);

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
