/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_internal.h - what the parts of the name service share: resolver.c (sockets, answers),
 * resolver_forward.c (questions put to other resolvers), resolver_stream.c (askers by TCP),
 * resolver_inside.c (sockets in a container's netns).
 *
 * All tables are of fixed size: what a container asks can fill its share of one and no more. Events
 * name a slot; a slot may have been filled anew since, so every handler tolerates having nothing
 * to do. */
#ifndef MYCOMPOSE_NET_RESOLVER_INTERNAL_H
#define MYCOMPOSE_NET_RESOLVER_INTERNAL_H

#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "engine/base/strbuf.h"
#include "engine/net/dns_message.h"
#include "engine/net/resolver.h"
#include "engine/net/resolver_table.h"
#include "engine/net/resolver_upstream.h"

#define PENDING_MAX	   256 /* questions on their way to other resolvers */
#define PENDING_PER_ASKER  64
#define CLIENTS_MAX	   64 /* TCP connections of askers */
#define CLIENTS_PER_ASKER  8
#define CLIENT_PENDING_MAX 16 /* unanswered questions of one connection */
#define QUERY_MAX	   DNS_UDP_MAX
#define BATCH		   16
#define RANDOM_WORDS	   64

enum event_kind { EVENT_TABLE, EVENT_UDP, EVENT_LISTENER, EVENT_CLIENT, EVENT_PENDING };

struct service {
	char *network;
	char *container_id; /* whom alone it serves, inside its netns; NULL = on a gateway address
			     */
	int dir_fd;
	int claim_fd; /* -1: another process serves */
	int udp_fd;
	int tcp_fd;
	struct ip_range gateway;
	int64_t retry_ns;  /* monotonic; when to try for the claim again */
	int64_t accept_ns; /* when to look at tcp_fd again; 0 = it is looked at */
};

union peer {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

/* Whom an answer goes to. */
struct asker {
	size_t service; /* slot */
	struct ip_range address;
	union peer udp_peer;
	int client;		/* slot of the TCP connection, -1 = UDP */
	uint32_t client_serial; /* the connection that was in it then */
};

struct client {
	int fd; /* -1 = free */
	uint32_t serial;
	size_t service;
	struct ip_range address;
	struct strbuf in;
	struct strbuf out;
	unsigned int pending;
	uint32_t events; /* what epoll waits for */
	bool closing;	 /* the asker has sent its last; answers are still owed */
	int64_t deadline_ns;
};

struct pending {
	uint8_t *query; /* NULL = free, and then all else is unset */
	size_t query_length;
	int fd;
	struct asker asker;
	struct upstreams upstreams;
	unsigned int attempt;
	uint16_t id; /* ours, random */
	struct dns_query parsed;
	struct strbuf out; /* TCP: not yet sent */
	struct strbuf in;  /* TCP: not yet whole */
	int64_t deadline_ns;
};

struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	union peer peers[BATCH];
	uint8_t in[BATCH][QUERY_MAX];
	uint8_t out[BATCH][DNS_UDP_MAX];
};

struct resolver {
	const struct engine *engine;
	int epoll_fd;
	struct resolver_table *table;
	struct service **services; /* slots, NULL = free */
	size_t service_count;
	struct host_upstreams host_upstreams;
	struct client clients[CLIENTS_MAX];
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	uint32_t client_serial;
	uint16_t random[RANDOM_WORDS];
	size_t random_left;
	struct batch batch;
	uint8_t answer[DNS_MESSAGE_MAX + 2];
};

struct ip_range peer_address(const union peer *peer);
socklen_t peer_length(const union peer *peer);
static inline bool same_address(const struct ip_range *a, const struct ip_range *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* A slot for a service; its pointer is the caller's to set. */
size_t resolver_slot_new(struct resolver *resolver);
void resolver_service_free(struct resolver *resolver, size_t slot);
/* *port 0: any; it is filled in. */
int resolver_socket_bind(const struct ip_range *address, int type, uint16_t *port);
int resolver_watch(struct resolver *resolver, int fd, uint32_t events, enum event_kind kind,
	size_t slot, bool is_new);
/* Answer one query into `out` (at most `limit` bytes). Returns the answer's length, 0 when it comes
 * later or never. */
size_t resolver_answer(struct resolver *resolver, const struct asker *asker, const uint8_t *query,
	size_t length, uint8_t *out, size_t limit);
void resolver_send_udp(
	struct resolver *resolver, const struct asker *asker, const uint8_t *answer, size_t length);

/* Put the query to other resolvers on the asker's behalf. False when the table is full. */
bool resolver_forward_start(struct resolver *resolver, const struct asker *asker,
	const struct upstreams *upstreams, const uint8_t *query, size_t length,
	const struct dns_query *parsed);
void resolver_forward_ready(struct resolver *resolver, size_t slot, uint32_t events);
void resolver_forward_expire(struct resolver *resolver, int64_t now_ns);
/* Drop what was asked through a service that stops. */
void resolver_forward_drop(struct resolver *resolver, size_t service);

void resolver_stream_accept(struct resolver *resolver, size_t service);
/* Where that could not be, and the time has come. */
void resolver_stream_accept_again(struct resolver *resolver, int64_t now_ns);
void resolver_stream_ready(struct resolver *resolver, size_t slot, uint32_t events);
void resolver_stream_resume(struct resolver *resolver);
void resolver_stream_expire(struct resolver *resolver, int64_t now_ns);
void resolver_stream_drop(struct resolver *resolver, size_t service);
/* An answer that was awaited. */
void resolver_stream_send(
	struct resolver *resolver, const struct asker *asker, const uint8_t *answer, size_t length);

#endif
