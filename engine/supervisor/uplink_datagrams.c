/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_datagrams.c - the relay's part for UDP (see uplink_relay.c): every client has a socket of
 * its own towards the container, so that an answer is known to be for it. Clients are forgotten
 * when they have been silent for a while; of too many the one that was silent longest is. */
#include "engine/supervisor/uplink_datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"

#define FLOWS_MAX    128 /* of one port */
#define IDLE_NS	     (90 * NS_PER_SEC)
#define BATCH	     64 /* datagrams before others have their turn */
#define SIZE_MAX_UDP 65535

struct flow {
	struct datagrams *owner;
	int fd; /* -1 = free */
	struct loop_source *source;
	struct sockaddr_storage client;
	socklen_t client_length;
	/* The address the client had sent to, from which it expects the answer. */
	struct in6_pktinfo reached;
	int64_t used_ns;
};

struct datagrams {
	struct loop *loop;
	int fd; /* the port's, not ours */
	struct loop_source *source;
	struct loop_timer *timer;
	struct sockaddr_storage target;
	socklen_t target_length;
	struct flow flows[FLOWS_MAX];
	char buffer[SIZE_MAX_UDP];
};

static void flow_close(struct flow *flow)
{
	loop_remove(steal_ptr(flow->source));
	close_fd(&flow->fd);
}

static void flows_expire(void *arg)
{
	struct datagrams *datagrams = arg;
	int64_t now = time_monotonic();
	bool any = false;

	datagrams->timer = NULL;
	for (size_t i = 0; i < FLOWS_MAX; i++) {
		struct flow *flow = &datagrams->flows[i];

		if (flow->fd >= 0 && now - flow->used_ns > IDLE_NS)
			flow_close(flow);
		any |= flow->fd >= 0;
	}
	if (any)
		datagrams->timer =
			loop_add_timer(datagrams->loop, IDLE_NS / 2, flows_expire, datagrams);
}

/* Space for one in6_pktinfo, aligned as control messages must be. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void answer_send(struct flow *flow, size_t length)
{
	union control control = { .bytes = { 0 } };
	struct iovec vector = { flow->owner->buffer, length };
	struct msghdr message = {
		.msg_name = &flow->client,
		.msg_namelen = flow->client_length,
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};

	if (flow->client.ss_family == AF_INET6) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = IPPROTO_IPV6;
		header->cmsg_type = IPV6_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(flow->reached));
		memcpy(CMSG_DATA(header), &flow->reached, sizeof(flow->reached));
	}
	sendmsg(flow->owner->fd, &message, MSG_DONTWAIT); /* lost, as UDP may be */
}

static void flow_ready(int fd, uint32_t events, void *arg)
{
	struct flow *flow = arg;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		ssize_t length =
			recv(fd, flow->owner->buffer, sizeof(flow->owner->buffer), MSG_DONTWAIT);

		if (length < 0) /* nothing more, or the container refuses: it may not for long */
			return;
		flow->used_ns = time_monotonic();
		answer_send(flow, (size_t)length);
	}
}

static struct flow *flow_find(
	struct datagrams *datagrams, const struct sockaddr_storage *client, socklen_t length)
{
	for (size_t i = 0; i < FLOWS_MAX; i++) {
		struct flow *flow = &datagrams->flows[i];

		if (flow->fd >= 0 && flow->client_length == length &&
			memcmp(&flow->client, client, length) == 0)
			return flow;
	}
	return NULL;
}

static struct flow *flow_new(
	struct datagrams *datagrams, const struct sockaddr_storage *client, socklen_t length)
{
	struct flow *flow = &datagrams->flows[0];

	for (size_t i = 0; i < FLOWS_MAX && flow->fd >= 0; i++)
		if (datagrams->flows[i].fd < 0 || datagrams->flows[i].used_ns < flow->used_ns)
			flow = &datagrams->flows[i];
	flow_close(flow);
	flow->client = *client;
	flow->client_length = length;
	flow->fd =
		socket(datagrams->target.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (flow->fd < 0 ||
		connect(flow->fd, (struct sockaddr *)&datagrams->target, datagrams->target_length) <
			0 ||
		loop_add_fd(datagrams->loop, flow->fd, EPOLLIN, flow_ready, flow, &flow->source,
			NULL) < 0) {
		close_fd(&flow->fd);
		return NULL;
	}
	if (!datagrams->timer)
		datagrams->timer =
			loop_add_timer(datagrams->loop, IDLE_NS / 2, flows_expire, datagrams);
	return flow;
}

static void reached_read(struct msghdr *message, struct in6_pktinfo *ret)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	memset(ret, 0, sizeof(*ret));
	if (header && header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO)
		memcpy(ret, CMSG_DATA(header), sizeof(*ret));
	if (!IN6_IS_ADDR_LINKLOCAL(&ret->ipi6_addr))
		ret->ipi6_ifindex = 0; /* which way it goes is the route's to say */
}

static void port_ready(int fd, uint32_t events, void *arg)
{
	struct datagrams *datagrams = arg;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage client = { 0 };
		union control control;
		struct iovec vector = { datagrams->buffer, sizeof(datagrams->buffer) };
		struct msghdr message = {
			.msg_name = &client,
			.msg_namelen = sizeof(client),
			.msg_iov = &vector,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
		struct flow *flow;

		if (length < 0)
			return;
		flow = flow_find(datagrams, &client, message.msg_namelen);
		if (!flow)
			flow = flow_new(datagrams, &client, message.msg_namelen);
		if (!flow)
			continue;
		reached_read(&message, &flow->reached);
		flow->used_ns = time_monotonic();
		send(flow->fd, datagrams->buffer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

int datagrams_start(struct loop *loop, int fd, const struct sockaddr_storage *target,
	socklen_t target_length, struct datagrams **ret, struct error *err)
{
	struct datagrams *datagrams = xcalloc(1, sizeof(*datagrams));
	const int on = 1;
	int r;

	datagrams->loop = loop;
	datagrams->fd = fd;
	datagrams->target = *target;
	datagrams->target_length = target_length;
	for (size_t i = 0; i < FLOWS_MAX; i++) {
		datagrams->flows[i].owner = datagrams;
		datagrams->flows[i].fd = -1;
	}
	/* Of an IPv4 socket this fails and is not needed: its host has the one address. */
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	r = loop_add_fd(loop, fd, EPOLLIN, port_ready, datagrams, &datagrams->source, err);
	if (r < 0) {
		free(datagrams);
		return r;
	}
	*ret = datagrams;
	return 0;
}

void datagrams_stop(struct datagrams *datagrams)
{
	if (!datagrams)
		return;
	for (size_t i = 0; i < FLOWS_MAX; i++)
		flow_close(&datagrams->flows[i]);
	loop_cancel(datagrams->timer);
	loop_remove(datagrams->source);
	free(datagrams);
}
