/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_relay.c - what is sent to published ports and no rule of the firewall can lead to the
 * container: what goes to ::1, which the kernel lets nobody translate, and what is of a family of
 * which the container has no address. It arrives at the sockets that hold the ports and is carried
 * on by copying, so the container sees it come from its gateway. UDP is uplink_datagrams.c's.
 *
 * A pair is two sockets and two buffers, one for each direction; a direction reads only into an
 * empty buffer, which is what holds back a sender whose reader is slow. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/minded.h"
#include "engine/supervisor/uplink_datagrams.h"

#define PAIRS_MAX    256 /* of one container; more wait in the queue of the socket */
#define BUFFER_SIZE  32768
#define ACCEPT_PAUSE (100 * NS_PER_MS)

struct listener {
	struct port_relay *relay;
	struct loop_source *source;  /* TCP */
	struct datagrams *datagrams; /* UDP */
	struct sockaddr_storage target;
	socklen_t target_length;
};

struct side {
	struct pair *pair;
	int fd;
	struct loop_source *source;
	uint32_t events;
	bool ended;	 /* it has sent its last */
	bool shut;	 /* it was told that the other has */
	size_t position; /* of what is left in the buffer */
	size_t length;
	char buffer[BUFFER_SIZE]; /* read from here, for the other side */
};

struct pair {
	struct port_relay *relay;
	struct pair *next, *previous;
	struct side sides[2];
};

struct port_relay {
	struct loop *loop;
	struct listener *listeners;
	size_t listener_count;
	struct pair *pairs;
	size_t pair_count;
};

static void listeners_await(struct port_relay *relay)
{
	for (size_t i = 0; i < relay->listener_count; i++)
		if (relay->listeners[i].source) /* TCP's */
			loop_modify(relay->listeners[i].source,
				relay->pair_count < PAIRS_MAX ? EPOLLIN : 0);
}

static void pair_unlink(struct pair *pair)
{
	struct port_relay *relay = pair->relay;

	if (pair->next)
		pair->next->previous = pair->previous;
	if (pair->previous)
		pair->previous->next = pair->next;
	else
		relay->pairs = pair->next;
	relay->pair_count--;
}

static void pair_free(struct pair *pair)
{
	pair_unlink(pair);
	for (int i = 0; i < 2; i++) {
		loop_remove(pair->sides[i].source);
		close_fd(&pair->sides[i].fd);
	}
	free(pair);
}

static void pair_end(struct pair *pair)
{
	struct port_relay *relay = pair->relay;

	pair_free(pair);
	if (relay->pair_count + 1 == PAIRS_MAX)
		listeners_await(relay);
}

/* A failure on one side is a reset on the other: neither shall take half a message for a whole. */
static void pair_break(struct pair *pair)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	for (int i = 0; i < 2; i++)
		setsockopt(pair->sides[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	pair_end(pair);
}

/* Carry what can be carried one way. False: the connection is broken. */
static bool carry(struct side *from, struct side *to)
{
	ssize_t moved;

	if (!from->length && !from->ended) {
		moved = recv(from->fd, from->buffer, sizeof(from->buffer), MSG_DONTWAIT);
		if (moved < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		from->ended = moved == 0;
		from->position = 0;
		from->length = moved > 0 ? (size_t)moved : 0;
	}
	if (from->length) {
		moved = send(to->fd, from->buffer + from->position, from->length,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (moved < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (moved > 0) {
			from->position += (size_t)moved;
			from->length -= (size_t)moved;
		}
	}
	if (from->ended && !from->length && !to->shut) {
		to->shut = true;
		return shutdown(to->fd, SHUT_WR) == 0 || errno == ENOTCONN;
	}
	return true;
}

static void side_await(struct side *side, const struct side *other)
{
	uint32_t events =
		(!side->ended && !side->length ? EPOLLIN : 0u) | (other->length ? EPOLLOUT : 0u);

	if (events == side->events)
		return;
	side->events = events;
	loop_modify(side->source, events);
}

static void side_ready(int fd, uint32_t events, void *arg)
{
	struct side *side = arg;
	struct pair *pair = side->pair;
	struct side *sides = pair->sides;
	bool is_whole = true;

	(void)fd;
	(void)events;
	for (int i = 0; i < 2 && is_whole; i++)
		is_whole = carry(&sides[i], &sides[1 - i]);
	if (!is_whole) {
		pair_break(pair);
	} else if (sides[0].shut && sides[1].shut) {
		pair_end(pair);
	} else {
		side_await(&sides[0], &sides[1]);
		side_await(&sides[1], &sides[0]);
	}
}

static int side_open(struct side *side, struct pair *pair, int fd)
{
	const int on = 1;

	side->pair = pair;
	side->fd = fd;
	side->events = EPOLLIN;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)); /* a peer that is gone */
	return loop_add_fd(pair->relay->loop, fd, EPOLLIN, side_ready, side, &side->source, NULL);
}

static void pair_open(struct listener *listener, int client_fd)
{
	struct port_relay *relay = listener->relay;
	struct pair *pair = xcalloc(1, sizeof(*pair));
	int server_fd =
		socket(listener->target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	pair->relay = relay;
	pair->next = relay->pairs;
	if (pair->next)
		pair->next->previous = pair;
	relay->pairs = pair;
	relay->pair_count++;
	pair->sides[0].fd = client_fd;
	pair->sides[1].fd = server_fd;
	if (server_fd < 0 ||
		(connect(server_fd, (struct sockaddr *)&listener->target, listener->target_length) <
				0 &&
			errno != EINPROGRESS) ||
		side_open(&pair->sides[0], pair, client_fd) < 0 ||
		side_open(&pair->sides[1], pair, server_fd) < 0)
		pair_break(pair);
}

static void listener_ready(int fd, uint32_t events, void *arg)
{
	struct listener *listener = arg;
	int client_fd;

	(void)events;
	client_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client_fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		loop_pause(listener->source, ACCEPT_PAUSE); /* no descriptor or memory to spare */
	if (client_fd < 0)
		return;
	pair_open(listener, client_fd);
	if (listener->relay->pair_count == PAIRS_MAX)
		listeners_await(listener->relay);
}

static socklen_t target_make(
	const struct endpoint *endpoint, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (endpoint->address) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		inet_pton(AF_INET, endpoint->address, &ipv4->sin_addr);
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	inet_pton(AF_INET6, endpoint->address6, &ipv6->sin6_addr);
	return sizeof(*ipv6);
}

static bool is_relayed(const struct port_socket *socket, const struct published_port *port,
	const struct endpoint *endpoint)
{
	return strcmp(port->protocol, "sctp") != 0 && (socket->is_ipv6 || !endpoint->address);
}

/* In two passes: sources point at the listeners, which must not move any more. */
static int listeners_open(struct minded *minded, const struct endpoint *endpoint, struct error *err)
{
	struct port_relay *relay = minded->port_relay;
	int r = 0;

	relay->listeners = xcalloc(minded->port_socket_count, sizeof(*relay->listeners));
	for (size_t i = 0; i < minded->port_socket_count && r == 0; i++) {
		const struct port_socket *socket = &minded->port_sockets[i];
		const struct published_port *port = &minded->ports[socket->port];
		struct listener *listener = &relay->listeners[relay->listener_count];

		if (!is_relayed(socket, port, endpoint))
			continue;
		listener->relay = relay;
		listener->target_length =
			target_make(endpoint, port->container_port, &listener->target);
		r = strcmp(port->protocol, "udp") == 0
			    ? datagrams_start(relay->loop, socket->fd, &listener->target,
				      listener->target_length, &listener->datagrams, err)
			    : loop_add_fd(relay->loop, socket->fd, EPOLLIN, listener_ready,
				      listener, &listener->source, err);
		if (r == 0)
			relay->listener_count++;
	}
	return r;
}

int port_relay_start(struct minded *minded, struct error *err)
{
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	int r;

	if (minded->port_relay || !minded->port_socket_count)
		return 0;
	r = endpoint_of_container(
		minded->supervisor->engine, minded->container->id, &endpoints, &count, err);
	if (r < 0)
		return r;
	minded->port_relay = xcalloc(1, sizeof(*minded->port_relay));
	minded->port_relay->loop = minded->supervisor->loop;
	for (size_t i = 0; i < count; i++) {
		if (!endpoints[i].port_count)
			continue;
		r = listeners_open(minded, &endpoints[i], err);
		break; /* ports are published through one endpoint */
	}
	endpoint_list_free(endpoints, count);
	if (r < 0)
		port_relay_stop(minded);
	return r;
}

void port_relay_stop(struct minded *minded)
{
	struct port_relay *relay = steal_ptr(minded->port_relay);

	if (!relay)
		return;
	while (relay->pairs)
		pair_free(relay->pairs);
	for (size_t i = 0; i < relay->listener_count; i++) {
		loop_remove(relay->listeners[i].source);
		datagrams_stop(relay->listeners[i].datagrams);
	}
	free(relay->listeners);
	free(relay);
}
