/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_forward.c - questions put to other resolvers.
 *
 * Each has a socket of its own, connected to the one server asked, so that the kernel draws a port
 * and drops what others send; with the random id that is all that keeps a forged answer out
 * (RFC 5452). A server is asked the way we were asked, UDP or TCP, so an answer that did not fit
 * comes again whole when the asker repeats its question by TCP. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/net/resolver_internal.h"

#define ATTEMPT_NS  (2 * NS_PER_SEC)
#define ROUNDS	    2
#define STREAM_HEAD 2 /* RFC 1035 4.2.2: length before each message */

static uint16_t random16(struct resolver *resolver)
{
	if (!resolver->random_left) {
		if (getrandom(resolver->random, sizeof(resolver->random), 0) !=
			sizeof(resolver->random))
			abort(); /* cannot be: up to 256 bytes come whole */
		resolver->random_left = RANDOM_WORDS;
	}
	return resolver->random[--resolver->random_left];
}

static void pending_close(struct pending *pending)
{
	close_fd(&pending->fd);
	strbuf_clear(&pending->in);
	strbuf_clear(&pending->out);
}

static void pending_free(struct resolver *resolver, struct pending *pending)
{
	struct client *client =
		pending->asker.client >= 0 ? &resolver->clients[pending->asker.client] : NULL;

	if (client && client->fd >= 0 && client->serial == pending->asker.client_serial)
		client->pending--;
	pending_close(pending);
	strbuf_release(&pending->in);
	strbuf_release(&pending->out);
	free(steal_ptr(pending->query));
	resolver->pending_count--;
}

/* The slot is free before the answer goes out: a connection that waited for room goes on then.
 * `answer` lies outside the slot. */
static void finish(
	struct resolver *resolver, struct pending *pending, const uint8_t *answer, size_t length)
{
	struct asker asker = pending->asker;

	pending_free(resolver, pending);
	if (asker.client >= 0)
		resolver_stream_send(resolver, &asker, answer, length);
	else
		resolver_send_udp(resolver, &asker, answer, length);
}

static void give_up(struct resolver *resolver, struct pending *pending)
{
	uint8_t bytes[DNS_UDP_PLAIN];
	struct dns_reply reply;

	dns_reply_begin(
		&reply, bytes, sizeof(bytes), pending->query, &pending->parsed, DNS_SERVFAIL);
	finish(resolver, pending, bytes, dns_reply_end(&reply));
}

static bool by_stream(const struct pending *pending)
{
	return pending->asker.client >= 0;
}

static size_t slot_of(const struct resolver *resolver, const struct pending *pending)
{
	return (size_t)(pending - resolver->pending);
}

/* Write what is left of a TCP question; then only the answer is of interest. */
static int stream_push(struct resolver *resolver, struct pending *pending)
{
	ssize_t sent = send(pending->fd, pending->out.data, pending->out.length, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN ? 0 : -errno;
	strbuf_consume(&pending->out, (size_t)sent);
	return resolver_watch(resolver, pending->fd,
		pending->out.length ? EPOLLIN | EPOLLOUT : EPOLLIN, EVENT_PENDING,
		slot_of(resolver, pending), false);
}

static int question_send(struct resolver *resolver, struct pending *pending)
{
	const uint8_t head[STREAM_HEAD] = { (uint8_t)(pending->query_length >> 8),
		(uint8_t)pending->query_length };
	ssize_t sent;

	pending->id = random16(resolver);
	dns_set_id(pending->query, pending->id);
	if (by_stream(pending)) {
		strbuf_add(&pending->out, head, sizeof(head));
		strbuf_add(&pending->out, pending->query, pending->query_length);
		return 0; /* goes out when the connection stands */
	}
	sent = send(pending->fd, pending->query, pending->query_length, MSG_NOSIGNAL);
	return sent < 0 && errno != EAGAIN ? -errno : 0;
}

static int attempt(struct resolver *resolver, struct pending *pending)
{
	const struct sockaddr_storage *server =
		&pending->upstreams.servers[pending->attempt % pending->upstreams.count];
	socklen_t length = server->ss_family == AF_INET ? sizeof(struct sockaddr_in)
							: sizeof(struct sockaddr_in6);
	int type = by_stream(pending) ? SOCK_STREAM : SOCK_DGRAM, r;

	pending->fd = socket(server->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (pending->fd < 0)
		return -errno;
	if (connect(pending->fd, (const struct sockaddr *)server, length) < 0 &&
		errno != EINPROGRESS)
		return -errno;
	r = question_send(resolver, pending);
	if (r < 0)
		return r;
	pending->deadline_ns = time_monotonic() + ATTEMPT_NS;
	return resolver_watch(resolver, pending->fd,
		by_stream(pending) ? EPOLLIN | EPOLLOUT : EPOLLIN, EVENT_PENDING,
		slot_of(resolver, pending), true);
}

/* Go on to the next server until each had its rounds. */
static void attempts_continue(struct resolver *resolver, struct pending *pending)
{
	while (pending->attempt < ROUNDS * pending->upstreams.count) {
		pending_close(pending);
		if (attempt(resolver, pending) == 0)
			return;
		pending->attempt++;
	}
	give_up(resolver, pending);
}

static void attempt_failed(struct resolver *resolver, struct pending *pending)
{
	pending->attempt++;
	attempts_continue(resolver, pending);
}

static struct pending *slot_take(struct resolver *resolver, const struct asker *asker)
{
	struct pending *free_slot = NULL;
	size_t of_asker = 0;

	if (resolver->pending_count == PENDING_MAX)
		return NULL;
	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *pending = &resolver->pending[i];

		if (!pending->query)
			free_slot = free_slot ? free_slot : pending;
		else if (pending->asker.service == asker->service &&
			 same_address(&pending->asker.address, &asker->address))
			of_asker++;
	}
	return of_asker < PENDING_PER_ASKER ? free_slot : NULL;
}

bool resolver_forward_start(struct resolver *resolver, const struct asker *asker,
	const struct upstreams *upstreams, const uint8_t *query, size_t length,
	const struct dns_query *parsed)
{
	struct pending *pending;

	if (!upstreams->count)
		return false;
	pending = slot_take(resolver, asker);
	if (!pending)
		return false;
	*pending = (struct pending){
		.fd = -1,
		.asker = *asker,
		.upstreams = *upstreams,
		.query = xmalloc(length),
		.query_length = length,
		.parsed = *parsed,
	};
	memcpy(pending->query, query, length);
	resolver->pending_count++;
	if (asker->client >= 0)
		resolver->clients[asker->client].pending++;
	attempts_continue(resolver, pending);
	return true;
}

/* A server that cannot help (lame, overloaded) is passed over while there is another to ask. */
static bool is_final(const struct pending *pending, const uint8_t *answer)
{
	uint8_t rcode = dns_rcode_of(answer);

	return (rcode != DNS_SERVFAIL && rcode != DNS_REFUSED && rcode != DNS_NOTIMP) ||
	       pending->attempt + 1 >= pending->upstreams.count;
}

static void answer_take(
	struct resolver *resolver, struct pending *pending, uint8_t *answer, size_t length)
{
	size_t limit = by_stream(pending) ? DNS_MESSAGE_MAX : pending->parsed.udp_size;

	if (!dns_answers(answer, length, pending->query, pending->query_length, pending->id))
		return; /* not the answer to this question: wait on */
	if (!is_final(pending, answer)) {
		attempt_failed(resolver, pending);
		return;
	}
	length = dns_answer_adapt(answer, length, pending->query, &pending->parsed, limit);
	finish(resolver, pending, answer, length);
}

static void udp_read(struct resolver *resolver, struct pending *pending)
{
	ssize_t length = recv(pending->fd, resolver->answer, DNS_MESSAGE_MAX, 0);

	if (length >= DNS_HEADER)
		answer_take(resolver, pending, resolver->answer, (size_t)length);
	else if (length < 0 && errno != EAGAIN)
		attempt_failed(resolver, pending); /* ICMP: nobody there */
}

static void tcp_read(struct resolver *resolver, struct pending *pending)
{
	ssize_t got = recv(pending->fd, resolver->answer, sizeof(resolver->answer), 0);
	size_t length;

	if (got < 0 && (errno == EAGAIN || errno == ENOTCONN))
		return;
	if (got <= 0) {
		attempt_failed(resolver, pending);
		return;
	}
	strbuf_add(&pending->in, resolver->answer, (size_t)got);
	if (pending->in.length < STREAM_HEAD)
		return;
	length = (size_t)(uint8_t)pending->in.data[0] << 8 | (uint8_t)pending->in.data[1];
	if (pending->in.length < STREAM_HEAD + length)
		return;
	if (length < DNS_HEADER) {
		attempt_failed(resolver, pending);
		return;
	}
	memcpy(resolver->answer, pending->in.data + STREAM_HEAD, length);
	strbuf_consume(&pending->in, STREAM_HEAD + length);
	answer_take(resolver, pending, resolver->answer, length);
}

void resolver_forward_ready(struct resolver *resolver, size_t slot, uint32_t events)
{
	struct pending *pending = &resolver->pending[slot];

	if (!pending->query)
		return;
	if (!by_stream(pending)) {
		udp_read(resolver, pending);
		return;
	}
	if (pending->out.length && (events & EPOLLOUT) && stream_push(resolver, pending) < 0) {
		attempt_failed(resolver, pending);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		tcp_read(resolver, pending);
}

void resolver_forward_expire(struct resolver *resolver, int64_t now_ns)
{
	for (size_t i = 0; resolver->pending_count && i < PENDING_MAX; i++) {
		struct pending *pending = &resolver->pending[i];

		if (pending->query && pending->deadline_ns <= now_ns)
			attempt_failed(resolver, pending);
	}
}

void resolver_forward_drop(struct resolver *resolver, size_t service)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (resolver->pending[i].query && resolver->pending[i].asker.service == service)
			pending_free(resolver, &resolver->pending[i]);
}
