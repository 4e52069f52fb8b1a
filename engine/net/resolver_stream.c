/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_stream.c - askers by TCP (RFC 7766): each connection may carry many questions, answered
 * in the order the answers come. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/net/resolver_internal.h"

#define IDLE_NS		(10 * NS_PER_SEC)
#define ACCEPT_PAUSE_NS (100 * NS_PER_MS)
#define STREAM_HEAD	2
#define IN_MAX		(STREAM_HEAD + QUERY_MAX)
#define OUT_MAX		(4 * DNS_MESSAGE_MAX) /* an asker that does not read */

static void client_close(struct client *client)
{
	close_fd(&client->fd);
	strbuf_release(&client->in);
	strbuf_release(&client->out);
	client->pending = 0;
}

static size_t slot_of(const struct resolver *resolver, const struct client *client)
{
	return (size_t)(client - resolver->clients);
}

/* Reading pauses while as many answers are owed as one connection may await. */
static uint32_t wanted_events(const struct client *client)
{
	uint32_t events = 0;

	if (!client->closing && client->pending < CLIENT_PENDING_MAX)
		events |= EPOLLIN;
	if (client->out.length)
		events |= EPOLLOUT;
	return events;
}

static struct client *slot_take(struct resolver *resolver, const struct ip_range *address)
{
	struct client *free_slot = NULL;
	size_t of_asker = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &resolver->clients[i];

		if (client->fd < 0)
			free_slot = free_slot ? free_slot : client;
		else if (same_address(&client->address, address))
			of_asker++;
	}
	return of_asker < CLIENTS_PER_ASKER ? free_slot : NULL;
}

static void client_add(struct resolver *resolver, size_t service, int fd, const union peer *peer)
{
	struct ip_range address = peer_address(peer);
	struct client *client = slot_take(resolver, &address);

	if (!client) {
		close(fd);
		return;
	}
	*client = (struct client){
		.fd = fd,
		.serial = ++resolver->client_serial,
		.service = service,
		.address = address,
		.events = EPOLLIN,
		.deadline_ns = time_monotonic() + IDLE_NS,
	};
	if (resolver_watch(resolver, fd, EPOLLIN, EVENT_CLIENT, slot_of(resolver, client), true) <
		0)
		client_close(client);
}

/* Without a descriptor or memory to spare what waits goes on waiting, and would wake us for ever.
 */
static void accept_later(struct resolver *resolver, size_t slot)
{
	struct service *service = resolver->services[slot];

	service->accept_ns = time_monotonic() + ACCEPT_PAUSE_NS;
	resolver_watch(resolver, service->tcp_fd, 0, EVENT_LISTENER, slot, false);
}

void resolver_stream_accept(struct resolver *resolver, size_t service)
{
	for (int i = 0; i < BATCH; i++) {
		union peer peer;
		socklen_t length = sizeof(peer);
		int fd = accept4(resolver->services[service]->tcp_fd, &peer.any, &length,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
			accept_later(resolver, service);
		if (fd < 0)
			return;
		client_add(resolver, service, fd, &peer);
	}
}

void resolver_stream_accept_again(struct resolver *resolver, int64_t now_ns)
{
	for (size_t i = 0; i < resolver->service_count; i++) {
		struct service *service = resolver->services[i];

		if (!service || !service->accept_ns || service->accept_ns > now_ns)
			continue;
		service->accept_ns = 0;
		resolver_watch(resolver, service->tcp_fd, EPOLLIN, EVENT_LISTENER, i, false);
	}
}

/* Send what can be sent and settle what to wait for; ends the connection that has served. */
static void client_continue(struct resolver *resolver, struct client *client)
{
	uint32_t events;
	ssize_t sent = 0;

	if (client->out.length)
		sent = send(client->fd, client->out.data, client->out.length, MSG_NOSIGNAL);
	if (sent > 0)
		strbuf_consume(&client->out, (size_t)sent);
	if ((sent < 0 && errno != EAGAIN) || client->out.length > OUT_MAX ||
		(client->closing && !client->out.length && !client->pending)) {
		client_close(client);
		return;
	}
	events = wanted_events(client);
	if (events == client->events)
		return;
	client->events = events;
	if (resolver_watch(resolver, client->fd, events, EVENT_CLIENT, slot_of(resolver, client),
		    false) < 0)
		client_close(client);
}

static void answer_add(struct client *client, const uint8_t *answer, size_t length)
{
	const uint8_t head[STREAM_HEAD] = { (uint8_t)(length >> 8), (uint8_t)length };

	strbuf_add(&client->out, head, sizeof(head));
	strbuf_add(&client->out, answer, length);
	client->deadline_ns = time_monotonic() + IDLE_NS;
}

/* One whole question from the front of `in`. False when there is none, or the asker talks nonsense
 * (then the connection is closing). */
static bool question_take(struct resolver *resolver, struct client *client)
{
	const struct asker asker = {
		.service = client->service,
		.address = client->address,
		.client = (int)slot_of(resolver, client),
		.client_serial = client->serial,
	};
	uint8_t query[QUERY_MAX];
	size_t length, answered;

	if (client->in.length < STREAM_HEAD)
		return false;
	length = (size_t)(uint8_t)client->in.data[0] << 8 | (uint8_t)client->in.data[1];
	if (length < DNS_HEADER || length > QUERY_MAX) {
		client->closing = true;
		strbuf_clear(&client->in);
		return false;
	}
	if (client->in.length < STREAM_HEAD + length)
		return false;
	memcpy(query, client->in.data + STREAM_HEAD, length);
	strbuf_consume(&client->in, STREAM_HEAD + length);
	answered =
		resolver_answer(resolver, &asker, query, length, resolver->answer, DNS_MESSAGE_MAX);
	if (answered)
		answer_add(client, resolver->answer, answered);
	return client->fd >= 0;
}

static void client_read(struct client *client)
{
	char bytes[IN_MAX];
	ssize_t got = recv(client->fd, bytes, sizeof(bytes), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		client->closing = true;
	else
		strbuf_add(&client->in, bytes, (size_t)got);
}

static void questions_take(struct resolver *resolver, struct client *client)
{
	while (client->fd >= 0 && client->pending < CLIENT_PENDING_MAX &&
		client->out.length <= OUT_MAX && question_take(resolver, client))
		;
	if (client->fd >= 0)
		client_continue(resolver, client);
}

void resolver_stream_ready(struct resolver *resolver, size_t slot, uint32_t events)
{
	struct client *client = &resolver->clients[slot];

	if (client->fd < 0)
		return;
	if (events & EPOLLERR) {
		client_close(client);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP))
		client_read(client);
	questions_take(resolver, client);
}

void resolver_stream_send(
	struct resolver *resolver, const struct asker *asker, const uint8_t *answer, size_t length)
{
	struct client *client = &resolver->clients[asker->client];

	if (client->fd < 0 || client->serial != asker->client_serial)
		return;
	answer_add(client, answer, length);
	client_continue(resolver, client);
}

/* Questions that lay waiting while too many answers were owed. */
void resolver_stream_resume(struct resolver *resolver)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (resolver->clients[i].fd >= 0)
			questions_take(resolver, &resolver->clients[i]);
}

void resolver_stream_expire(struct resolver *resolver, int64_t now_ns)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (resolver->clients[i].fd >= 0 && resolver->clients[i].deadline_ns <= now_ns)
			client_close(&resolver->clients[i]);
}

void resolver_stream_drop(struct resolver *resolver, size_t service)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (resolver->clients[i].fd >= 0 && resolver->clients[i].service == service)
			client_close(&resolver->clients[i]);
}
