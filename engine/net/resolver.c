/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver.c - the name service: its sockets, and what it answers by itself.
 *
 * The sockets are on the gateway address and a port the kernel chose; a rule of the firewall leads
 * port 53 of the gateway there. So neither a DNS server of the host nor a published port 53 stands
 * in the way, and a container may serve port 53 itself. */
#include "engine/net/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/net/resolver_claim.h"
#include "engine/net/resolver_internal.h"

#define TTL_SECONDS  5 /* replicas come and go */
#define RETRY_NS     NS_PER_SEC
#define PORT_TRIES   16
#define EVENTS_MAX   64
#define ROUNDS_MAX   8 /* of one run; the loop we are part of has other things to do */
#define SOCKET_QUEUE (1 << 20)

int resolver_watch(struct resolver *resolver, int fd, uint32_t events, enum event_kind kind,
	size_t slot, bool is_new)
{
	struct epoll_event event = { .events = events, .data.u64 = (uint64_t)kind << 32 | slot };

	return epoll_ctl(resolver->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0
		       ? -errno
		       : 0;
}

static void batch_prepare(struct batch *batch)
{
	for (size_t i = 0; i < BATCH; i++) {
		batch->vectors[i] = (struct iovec){ batch->in[i], sizeof(batch->in[i]) };
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->peers[i],
			.msg_namelen = sizeof(batch->peers[i]),
			.msg_iov = &batch->vectors[i],
			.msg_iovlen = 1,
		};
	}
}

int resolver_new(const struct engine *engine, struct resolver **ret, struct error *err)
{
	struct resolver *resolver = xcalloc(1, sizeof(*resolver));
	int r;

	resolver->engine = engine;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		resolver->clients[i].fd = -1;
	resolver->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = resolver->epoll_fd < 0 ? error_sys(err, -errno, "epoll") : 0;
	if (r == 0)
		r = resolver_table_new(engine, &resolver->table, err);
	if (r == 0) {
		r = resolver_watch(resolver, resolver_table_fd(resolver->table), EPOLLIN,
			EVENT_TABLE, 0, true);
		if (r < 0)
			error_sys(err, r, "epoll");
	}
	if (r < 0) {
		resolver_free(resolver);
		return error_wrap(err, "name service");
	}
	*ret = resolver;
	return 0;
}

/* The port number goes before the lock does, so that nobody is led to a socket that is closed. */
static void service_stop(struct resolver *resolver, size_t slot)
{
	struct service *service = resolver->services[slot];

	resolver_forward_drop(resolver, slot);
	resolver_stream_drop(resolver, slot);
	close_fd(&service->udp_fd);
	close_fd(&service->tcp_fd);
	if (service->claim_fd >= 0 && ftruncate(service->claim_fd, 0) < 0)
		log_debug("name service: forget the port of network '%s': %m", service->network);
	close_fd(&service->claim_fd);
}

void resolver_service_free(struct resolver *resolver, size_t slot)
{
	struct service *service = resolver->services[slot];

	service_stop(resolver, slot);
	close_fd(&service->dir_fd);
	free(service->network);
	free(service->container_id);
	free(service);
	resolver->services[slot] = NULL;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	for (size_t i = 0; i < resolver->service_count; i++)
		if (resolver->services[i])
			resolver_service_free(resolver, i);
	free(resolver->services);
	resolver_table_free(resolver->table);
	close_fd(&resolver->epoll_fd);
	free(resolver);
}

int resolver_fd(const struct resolver *resolver)
{
	return resolver->epoll_fd;
}

static int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

socklen_t peer_length(const union peer *peer)
{
	return peer->any.sa_family == AF_INET ? sizeof(peer->ipv4) : sizeof(peer->ipv6);
}

struct ip_range peer_address(const union peer *peer)
{
	struct ip_range address = { .family = (uint8_t)peer->any.sa_family };

	address.prefix = ip_bits(address.family);
	if (address.family == AF_INET)
		memcpy(address.bytes, &peer->ipv4.sin_addr, sizeof(peer->ipv4.sin_addr));
	else
		memcpy(address.bytes, &peer->ipv6.sin6_addr, sizeof(peer->ipv6.sin6_addr));
	return address;
}

/* IP_FREEBIND: the address may go with a deleted bridge and come back with it. *port 0: any. */
int resolver_socket_bind(const struct ip_range *gateway, int type, uint16_t *port)
{
	union peer address = { .any.sa_family = gateway->family };
	socklen_t length = peer_length(&address);
	cleanup_fd int fd = -1;
	int r;

	if (gateway->family == AF_INET)
		memcpy(&address.ipv4.sin_addr, gateway->bytes, sizeof(address.ipv4.sin_addr));
	else
		memcpy(&address.ipv6.sin6_addr, gateway->bytes, sizeof(address.ipv6.sin6_addr));
	address.ipv4.sin_port = htons(*port); /* at the same place in both */
	fd = socket(gateway->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = gateway->family == AF_INET ? option_set(fd, IPPROTO_IP, IP_FREEBIND, 1)
				       : option_set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	if (r == 0 && type == SOCK_DGRAM)
		option_set(
			fd, SOL_SOCKET, SO_RCVBUF, SOCKET_QUEUE); /* as far as the host lets us */
	if (r == 0 && bind(fd, &address.any, length) < 0)
		r = -errno;
	if (r == 0 && type == SOCK_STREAM && listen(fd, CLIENTS_MAX) < 0)
		r = -errno;
	if (r == 0 && getsockname(fd, &address.any, &length) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*port = ntohs(address.ipv4.sin_port);
	return steal_fd(&fd);
}

/* One number for both protocols: the kernel draws it for UDP, and TCP has to be free there. */
static int sockets_open(struct service *service, uint16_t *ret_port)
{
	int r = -EADDRINUSE;

	for (int try = 0; try < PORT_TRIES && r == -EADDRINUSE; try++) {
		close_fd(&service->udp_fd);
		*ret_port = 0;
		service->udp_fd = resolver_socket_bind(&service->gateway, SOCK_DGRAM, ret_port);
		if (service->udp_fd < 0)
			return service->udp_fd;
		service->tcp_fd = resolver_socket_bind(&service->gateway, SOCK_STREAM, ret_port);
		r = service->tcp_fd < 0 ? service->tcp_fd : 0;
	}
	return r;
}

static int service_listen(struct resolver *resolver, size_t slot, struct error *err)
{
	struct service *service = resolver->services[slot];
	uint16_t port = 0;
	int r = sockets_open(service, &port);

	if (r == 0)
		r = resolver_watch(resolver, service->udp_fd, EPOLLIN, EVENT_UDP, slot, true);
	if (r == 0)
		r = resolver_watch(resolver, service->tcp_fd, EPOLLIN, EVENT_LISTENER, slot, true);
	if (r < 0)
		return error_sys(err, r, "listen on the gateway address");
	return resolver_claim_publish(service->claim_fd, port, err);
}

/* Become the network's server. -EWOULDBLOCK: another process is. The room's lock must be held. */
static int service_start(struct resolver *resolver, size_t slot, struct error *err)
{
	struct service *service = resolver->services[slot];
	int r;

	service->claim_fd = resolver_claim_take(service->dir_fd, err);
	if (service->claim_fd < 0)
		return service->claim_fd;
	r = service_listen(resolver, slot, err);
	if (r == 0)
		r = firewall_sync_locked(resolver->engine, err);
	if (r < 0)
		service_stop(resolver, slot);
	return r < 0 ? r : 0;
}

/* The server may have been another project's; when that ends, take over. Nothing of it is worth a
 * message: the names are served or will be. */
static void services_retry(struct resolver *resolver, int64_t now_ns)
{
	for (size_t i = 0; i < resolver->service_count; i++) {
		struct service *service = resolver->services[i];
		cleanup_fd int lock_fd = -1;

		if (!service || service->container_id || service->claim_fd >= 0 ||
			service->retry_ns > now_ns)
			continue;
		service->retry_ns = now_ns + RETRY_NS;
		lock_fd = lock_take(resolver->engine->run_fd, ROOM_LOCK, 0, NULL, NULL);
		if (lock_fd >= 0)
			service_start(resolver, i, NULL);
	}
}

static size_t slot_find(const struct resolver *resolver, const char *network)
{
	size_t slot = 0;

	while (slot < resolver->service_count &&
		!(resolver->services[slot] && !resolver->services[slot]->container_id &&
			strcmp(resolver->services[slot]->network, network) == 0))
		slot++;
	return slot;
}

size_t resolver_slot_new(struct resolver *resolver)
{
	for (size_t i = 0; i < resolver->service_count; i++)
		if (!resolver->services[i])
			return i;
	array_add(resolver->services, resolver->service_count);
	return resolver->service_count - 1;
}

static int service_add(struct resolver *resolver, const struct network *network, struct error *err)
{
	struct service *service = xcalloc(1, sizeof(*service));
	size_t slot = resolver_slot_new(resolver);
	cleanup_fd int lock_fd = -1;
	int r;

	resolver->services[slot] = service;
	*service = (struct service){
		.network = xstrdup(network->name),
		.dir_fd = endpoints_open(resolver->engine, network->name, err),
		.claim_fd = -1,
		.udp_fd = -1,
		.tcp_fd = -1,
		.retry_ns = time_monotonic() + RETRY_NS,
	};
	r = service->dir_fd < 0 ? service->dir_fd : 0;
	if (r == 0 && ip_parse(network_resolver_address(network), &service->gateway) < 0)
		r = error_set(err, -EBADMSG, "gateway: malformed");
	if (r == 0) {
		lock_fd = room_lock(resolver->engine, err);
		r = lock_fd < 0 ? lock_fd : service_start(resolver, slot, err);
	}
	if (r == -EWOULDBLOCK && lock_fd >= 0) {
		error_release(err);
		r = 0;
	}
	if (r < 0)
		resolver_service_free(resolver, slot);
	return r;
}

int resolver_add(struct resolver *resolver, const char *network_name, struct error *err)
{
	cleanup_network struct network *network = NULL;
	int r;

	if (slot_find(resolver, network_name) < resolver->service_count)
		return 0;
	r = network_find(resolver->engine, network_name, &network, err);
	if (r == 0 && !network_resolver_address(network)) /* the host is not its neighbour */
		return 0;
	if (r == 0)
		r = resolver_table_add(resolver->table, network->name, err);
	if (r == 0) {
		r = service_add(resolver, network, err);
		if (r < 0)
			resolver_table_remove(resolver->table, network->name);
	}
	return r < 0 ? error_wrap(err, "name service of network '%s'", network_name) : 0;
}

void resolver_remove(struct resolver *resolver, const char *network)
{
	size_t slot = slot_find(resolver, network);

	if (slot == resolver->service_count)
		return;
	resolver_service_free(resolver, slot);
	resolver_table_remove(resolver->table, network);
}

static size_t reply_code(const uint8_t *query, const struct dns_query *parsed, enum dns_rcode rcode,
	uint8_t *out, size_t limit)
{
	struct dns_reply reply;

	dns_reply_begin(&reply, out, limit, query, parsed, rcode);
	return dns_reply_end(&reply);
}

static bool add_addresses(
	struct dns_reply *reply, const struct table_host *host, const struct dns_query *parsed)
{
	bool any = parsed->type == DNS_TYPE_ANY;
	uint32_t address;

	if (host->address.family && (any || parsed->type == DNS_TYPE_A)) {
		memcpy(&address, host->address.bytes, sizeof(address));
		if (!dns_reply_add_a(reply, TTL_SECONDS, ntohl(address)))
			return false;
	}
	return !host->address6.family || !(any || parsed->type == DNS_TYPE_AAAA) ||
	       dns_reply_add_aaaa(reply, TTL_SECONDS, host->address6.bytes);
}

/* Every asker gets the replicas from another one on, so that they share the load. */
static size_t reply_name(const uint8_t *query, const struct dns_query *parsed,
	struct table_name *name, uint8_t *out, size_t limit)
{
	size_t first = name->turn++ % name->count;
	struct dns_reply reply;

	dns_reply_begin(&reply, out, limit, query, parsed, DNS_NOERROR);
	for (size_t i = 0; i < name->count; i++)
		if (!add_addresses(&reply, name->hosts[(first + i) % name->count], parsed))
			break;
	return dns_reply_end(&reply);
}

static size_t reply_pointer(const uint8_t *query, const struct dns_query *parsed,
	const struct table_host *host, uint8_t *out, size_t limit)
{
	char name[2 * DNS_NAME_TEXT];
	struct dns_reply reply;

	snprintf(name, sizeof(name), "%s.%s", host->container_name, host->network);
	dns_reply_begin(&reply, out, limit, query, parsed, DNS_NOERROR);
	dns_reply_add_ptr(&reply, TTL_SECONDS, name);
	return dns_reply_end(&reply);
}

/* The address a PTR question asks about. */
static bool reverse_parse(const struct dns_query *parsed, struct ip_range *ret)
{
	uint32_t ipv4;

	if (parsed->type != DNS_TYPE_PTR)
		return false;
	if (dns_reverse_parse(parsed->name, &ipv4) == 0) {
		*ret = ip_from_v4(ipv4, 32);
		return true;
	}
	*ret = (struct ip_range){ .family = AF_INET6, .prefix = 128 };
	return dns_reverse6_parse(parsed->name, ret->bytes) == 0;
}

/* A question nobody here can answer: other resolvers are asked, unless all the asker's networks
 * are internal (CVE-2024-29018). */
static size_t reply_foreign(struct resolver *resolver, const struct asker *asker,
	const struct table_host *host, const uint8_t *query, size_t length,
	const struct dns_query *parsed, uint8_t *out, size_t limit)
{
	const struct upstreams *upstreams = &resolver->host_upstreams.list;
	struct upstreams own = { .count = 0 };

	if (resolver_table_is_confined(resolver->table, host))
		return reply_code(query, parsed, DNS_NXDOMAIN, out, limit);
	if (host->dns) {
		for (size_t i = 0; host->dns[i]; i++)
			upstreams_add(&own, host->dns[i]);
		upstreams = &own;
	} else {
		host_upstreams_update(&resolver->host_upstreams, time_monotonic());
	}
	if (resolver_forward_start(resolver, asker, upstreams, query, length, parsed))
		return 0;
	return reply_code(query, parsed, DNS_SERVFAIL, out, limit);
}

/* A container may ask before the event of its own record has been read. */
static const struct table_host *asker_look_up(
	const struct resolver *resolver, const struct asker *asker)
{
	const struct service *service = resolver->services[asker->service];

	return service->container_id ? resolver_table_find_container(resolver->table,
					       service->network, service->container_id)
				     : resolver_table_find_asker(
					       resolver->table, service->network, &asker->address);
}

static const struct table_host *asker_find(struct resolver *resolver, const struct asker *asker)
{
	const struct table_host *host = asker_look_up(resolver, asker);

	if (host)
		return host;
	resolver_table_update(resolver->table);
	return asker_look_up(resolver, asker);
}

size_t resolver_answer(struct resolver *resolver, const struct asker *asker, const uint8_t *query,
	size_t length, uint8_t *out, size_t limit)
{
	const struct table_host *host, *named;
	struct dns_query parsed;
	struct table_name *name;
	struct ip_range address;
	bool own = false;
	int r = dns_query_parse(query, length, &parsed);

	if (r < 0)
		return 0;
	if (asker->client < 0)
		limit = parsed.udp_size;
	if (r != DNS_NOERROR)
		return reply_code(query, &parsed, (enum dns_rcode)r, out, limit);
	host = asker_find(resolver, asker);
	if (!host || (parsed.class != DNS_CLASS_IN && parsed.class != DNS_CLASS_ANY))
		return reply_code(query, &parsed, DNS_REFUSED, out, limit);
	name = resolver_table_find_name(
		resolver->table, resolver->services[asker->service]->network, host, parsed.name);
	if (name)
		return reply_name(query, &parsed, name, out, limit);
	if (reverse_parse(&parsed, &address)) {
		named = resolver_table_find_address(resolver->table, host, &address, &own);
		if (named)
			return reply_pointer(query, &parsed, named, out, limit);
		if (own)
			return reply_code(query, &parsed, DNS_NXDOMAIN, out, limit);
	}
	return reply_foreign(resolver, asker, host, query, length, &parsed, out, limit);
}

/* A full queue drops the answer, as UDP may. */
void resolver_send_udp(
	struct resolver *resolver, const struct asker *asker, const uint8_t *answer, size_t length)
{
	const struct service *service = resolver->services[asker->service];

	if (sendto(service->udp_fd, answer, length, 0, &asker->udp_peer.any,
		    peer_length(&asker->udp_peer)) < 0)
		log_debug("name service: answer to an asker of network '%s': %m", service->network);
}

/* Turn the received messages into their answers, close together at the front. */
static unsigned int batch_answer(struct resolver *resolver, size_t slot, unsigned int received)
{
	struct batch *batch = &resolver->batch;
	unsigned int answers = 0;

	for (unsigned int i = 0; i < received; i++) {
		const struct asker asker = {
			.service = slot,
			.address = peer_address(&batch->peers[i]),
			.udp_peer = batch->peers[i],
			.client = -1,
		};
		size_t length =
			resolver_answer(resolver, &asker, batch->in[i], batch->messages[i].msg_len,
				batch->out[answers], sizeof(batch->out[answers]));

		if (!length)
			continue;
		batch->vectors[answers] = (struct iovec){ batch->out[answers], length };
		batch->peers[answers] = asker.udp_peer;
		batch->messages[answers].msg_hdr.msg_namelen = peer_length(&asker.udp_peer);
		answers++;
	}
	return answers;
}

static void udp_ready(struct resolver *resolver, size_t slot)
{
	const struct service *service = resolver->services[slot];
	struct batch *batch = &resolver->batch;
	unsigned int answers;
	int received;

	if (!service || service->udp_fd < 0)
		return;
	batch_prepare(batch);
	received = recvmmsg(service->udp_fd, batch->messages, BATCH, MSG_DONTWAIT, NULL);
	if (received <= 0)
		return;
	answers = batch_answer(resolver, slot, (unsigned int)received);
	for (unsigned int sent = 0; sent < answers;) {
		int r = sendmmsg(
			service->udp_fd, batch->messages + sent, answers - sent, MSG_DONTWAIT);

		sent += r > 0 ? (unsigned int)r : 1; /* one that cannot be sent is passed over */
	}
}

static void resolver_table_ready(struct resolver *resolver)
{
	if (!resolver_table_update(resolver->table))
		return;
	for (size_t i = 0; i < resolver->service_count; i++)
		if (resolver->services[i])
			resolver->services[i]->retry_ns = 0;
}

static void event_handle(struct resolver *resolver, const struct epoll_event *event)
{
	size_t slot = (uint32_t)event->data.u64;

	switch ((enum event_kind)(event->data.u64 >> 32)) {
	case EVENT_TABLE:
		resolver_table_ready(resolver);
		return;
	case EVENT_UDP:
		udp_ready(resolver, slot);
		return;
	case EVENT_LISTENER:
		if (resolver->services[slot] && resolver->services[slot]->tcp_fd >= 0)
			resolver_stream_accept(resolver, slot);
		return;
	case EVENT_CLIENT:
		resolver_stream_ready(resolver, slot, event->events);
		return;
	case EVENT_PENDING:
		resolver_forward_ready(resolver, slot, event->events);
		return;
	}
}

void resolver_run(struct resolver *resolver)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t now_ns;
	int count = 1;

	for (int round = 0; round < ROUNDS_MAX && count > 0; round++) {
		count = epoll_wait(resolver->epoll_fd, events, EVENTS_MAX, 0);
		for (int i = 0; i < count; i++)
			event_handle(resolver, &events[i]);
		resolver_stream_resume(resolver);
	}
	now_ns = time_monotonic();
	resolver_forward_expire(resolver, now_ns);
	resolver_stream_expire(resolver, now_ns);
	resolver_stream_accept_again(resolver, now_ns);
	services_retry(resolver, now_ns);
}

static void earlier(int64_t *next_ns, int64_t ns)
{
	if (*next_ns < 0 || ns < *next_ns)
		*next_ns = ns;
}

int resolver_timeout_ms(const struct resolver *resolver)
{
	int64_t next_ns = -1, left_ns;

	for (size_t i = 0; resolver->pending_count && i < PENDING_MAX; i++)
		if (resolver->pending[i].query)
			earlier(&next_ns, resolver->pending[i].deadline_ns);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (resolver->clients[i].fd >= 0)
			earlier(&next_ns, resolver->clients[i].deadline_ns);
	for (size_t i = 0; i < resolver->service_count; i++)
		if (resolver->services[i] && !resolver->services[i]->container_id &&
			resolver->services[i]->claim_fd < 0)
			earlier(&next_ns, resolver->services[i]->retry_ns);
	for (size_t i = 0; i < resolver->service_count; i++)
		if (resolver->services[i] && resolver->services[i]->accept_ns)
			earlier(&next_ns, resolver->services[i]->accept_ns);
	if (next_ns < 0)
		return -1;
	left_ns = next_ns - time_monotonic();
	return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}
