/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_scene.h - two networks with containers and a name service, and how to ask it: what the
 * tests of the name service share. */
#ifndef MYCOMPOSE_TEST_NET_RESOLVER_SCENE_H
#define MYCOMPOSE_TEST_NET_RESOLVER_SCENE_H

#include "testhost.h"

#include <poll.h>
#include <sys/mount.h>

#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/net/dns_message.h"
#include "engine/net/resolver.h"

#define DNS_PORT 53
#define SILENCE	 (-1)

struct answer {
	int rcode; /* SILENCE: none came */
	bool truncated;
	size_t count;
	char text[2048]; /* addresses or names, one a line in the order given */
	uint8_t bytes[DNS_MESSAGE_MAX];
	size_t length;
};

static inline size_t query_make(uint8_t *out, const char *name, uint16_t type, uint16_t id)
{
	size_t at = DNS_HEADER;

	memset(out, 0, DNS_HEADER);
	out[0] = (uint8_t)(id >> 8);
	out[1] = (uint8_t)id;
	out[2] = 1; /* recursion desired */
	out[5] = 1;
	while (*name) {
		size_t label = strcspn(name, ".");

		out[at++] = (uint8_t)label;
		memcpy(out + at, name, label);
		at += label;
		name += label + (name[label] == '.');
	}
	out[at++] = 0;
	out[at++] = (uint8_t)(type >> 8);
	out[at++] = (uint8_t)type;
	out[at++] = 0;
	out[at++] = DNS_CLASS_IN;
	return at;
}

static inline size_t name_print(const uint8_t *bytes, size_t at, char *out)
{
	size_t used = 0;

	while (bytes[at]) {
		if (used)
			out[used++] = '.';
		memcpy(out + used, bytes + at + 1, bytes[at]);
		used += bytes[at];
		at += (size_t)bytes[at] + 1;
	}
	out[used] = '\0';
	return at + 1;
}

static inline void answer_read(struct answer *answer)
{
	const uint8_t *b = answer->bytes;
	size_t at = DNS_HEADER, used = 0;

	answer->rcode = b[3] & 15;
	answer->truncated = b[2] & 2;
	answer->count = (size_t)(b[6] << 8 | b[7]);
	while (b[at])
		at += (size_t)b[at] + 1;
	at += 5;
	for (size_t i = 0; i < answer->count; i++) {
		uint16_t type = (uint16_t)(b[at + 2] << 8 | b[at + 3]);
		char text[256];

		assert_int_equal(b[at], 0xc0);
		if (type == DNS_TYPE_A)
			inet_ntop(AF_INET, b + at + 12, text, sizeof(text));
		else
			name_print(b, at + 12, text);
		used += (size_t)snprintf(
			answer->text + used, sizeof(answer->text) - used, "%s\n", text);
		at += 12 + (size_t)(b[at + 10] << 8 | b[at + 11]);
	}
}

/* Run the service until the socket has something, as the supervisor's loop would. */
static inline bool serve_until_ready(struct resolver *resolver, int fd, int timeout_ms)
{
	int64_t end = time_monotonic() + timeout_ms * NS_PER_MS;

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = resolver_fd(resolver), .events = POLLIN },
		};
		int wait = resolver_timeout_ms(resolver);
		int64_t left = (end - time_monotonic()) / NS_PER_MS;

		if (left <= 0)
			return false;
		if (wait < 0 || wait > left)
			wait = (int)left;
		poll(fds, 2, wait);
		if (fds[0].revents)
			return true;
		resolver_run(resolver);
	}
}

static inline struct answer ask_port(struct resolver *resolver, int netns_fd, const char *server,
	uint16_t port, const uint8_t *query, size_t length, int timeout_ms)
{
	struct sockaddr_in address = address_of(server, port);
	int fd = socket_in(netns_fd, SOCK_DGRAM, NULL, 0);
	struct answer answer = { .rcode = SILENCE };

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, query, length, 0), (ssize_t)length);
	if (serve_until_ready(resolver, fd, timeout_ms)) {
		ssize_t got = recv(fd, answer.bytes, sizeof(answer.bytes), 0);

		if (got > 0) {
			answer.length = (size_t)got;
			assert_memory_equal(answer.bytes, query, 2);
			answer_read(&answer);
		}
	}
	close(fd);
	return answer;
}

static inline struct answer ask_bytes(struct resolver *resolver, int netns_fd, const char *server,
	const uint8_t *query, size_t length, int timeout_ms)
{
	return ask_port(resolver, netns_fd, server, DNS_PORT, query, length, timeout_ms);
}

static inline struct answer ask(struct resolver *resolver, int netns_fd, const char *server,
	const char *name, uint16_t type)
{
	uint8_t query[DNS_UDP_PLAIN];

	return ask_bytes(
		resolver, netns_fd, server, query, query_make(query, name, type, 0x1234), 5000);
}

#define assert_answer(call, expected_rcode, expected_text)        \
	do {                                                      \
		struct answer answer_ = (call);                   \
		assert_int_equal(answer_.rcode, expected_rcode);  \
		assert_string_equal(answer_.text, expected_text); \
	} while (0)

/* `web` and `db` in "front"; `db` is in "back" too; `far` only in "back"; `sealed` in the internal
 * "vault". Only web's aliases are set by hand. */
struct scene {
	struct testhost *host;
	struct resolver *resolver;
	struct endpoint web, db, far, sealed;
	int web_ns, db_ns, far_ns, sealed_ns;
};

static inline void endpoint_allocated(struct testhost *host, const char *id, const char *network,
	const char *alias, const char *interface, struct endpoint *ret)
{
	char *aliases[] = { (char *)alias, NULL };
	struct endpoint_request request = {
		.network = network,
		.container_id = id,
		.container_name = id,
		.aliases = aliases,
		.interface = interface,
	};

	succeeds(endpoint_allocate(&host->engine, &request, ret, err));
}

static inline struct scene scene_set(struct testhost *host)
{
	struct scene scene = { .host = host };
	struct endpoint second;

	network_free(network_made(host, "front", "172.30.0.0/16", false));
	network_free(network_made(host, "back", "172.31.0.0/16", false));
	network_free(network_made(host, "vault", "172.29.0.0/16", true));
	scene.web_ns = container_made(host, "web-1", "front", NULL, 0, &scene.web);
	endpoint_release(&scene.web);
	endpoint_allocated(host, "web-1", "front", "Web", "eth0", &scene.web);
	scene.db_ns = container_made(host, "db", "front", NULL, 0, &scene.db);
	endpoint_allocated(host, "db", "back", "database", "eth1", &second);
	succeeds(endpoint_attach(&host->engine, &second, 1, scene.db_ns, err));
	enter(scene.db_ns);
	succeeds(endpoint_configure(&second, 1, err));
	enter(host->host_netns);
	endpoint_release(&second);
	scene.far_ns = container_made(host, "far", "back", NULL, 0, &scene.far);
	scene.sealed_ns = container_made(host, "sealed", "vault", NULL, 0, &scene.sealed);
	succeeds(resolver_new(&host->engine, &scene.resolver, err));
	succeeds(resolver_add(scene.resolver, "front", err));
	succeeds(resolver_add(scene.resolver, "vault", err));
	succeeds(firewall_sync(&host->engine, err));
	return scene;
}

static inline void scene_clear(struct scene *scene)
{
	resolver_free(scene->resolver);
	endpoint_release(&scene->web);
	endpoint_release(&scene->db);
	endpoint_release(&scene->far);
	endpoint_release(&scene->sealed);
}

static inline int tcp_to_resolver(int netns_fd, const char *server)
{
	struct sockaddr_in address = address_of(server, DNS_PORT);
	int fd = socket_in(netns_fd, SOCK_STREAM, NULL, 0);

	assert_true(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		    errno == EINPROGRESS);
	assert_true(ready(fd, POLLOUT, 1000));
	return fd;
}

static inline void tcp_send(int fd, const uint8_t *query, size_t length)
{
	uint8_t framed[1024] = { (uint8_t)(length >> 8), (uint8_t)length };

	memcpy(framed + 2, query, length);
	assert_int_equal(send(fd, framed, length + 2, 0), (ssize_t)length + 2);
}

static inline struct answer tcp_receive(struct resolver *resolver, int fd)
{
	struct answer answer = { .rcode = SILENCE };
	uint8_t bytes[DNS_MESSAGE_MAX + 2];
	size_t got = 0, wanted = 2;

	while (got < wanted) {
		ssize_t r;

		if (!serve_until_ready(resolver, fd, 5000))
			return answer;
		r = recv(fd, bytes + got, wanted - got, 0);
		if (r <= 0)
			return answer;
		got += (size_t)r;
		if (got == 2)
			wanted = 2 + (size_t)(bytes[0] << 8 | bytes[1]);
	}
	answer.length = got - 2;
	memcpy(answer.bytes, bytes + 2, answer.length);
	answer_read(&answer);
	return answer;
}

/* /etc/resolv.conf is the test's own, in a mount namespace of its own. */
static inline void resolv_conf_write(const char *text)
{
	int fd = open("/etc/resolv.conf", O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Answer one question at the upstream socket with one A record 198.51.100.7, after `forgeries`
 * wrong answers. */
static inline void upstream_answer(int fd, bool forge)
{
	uint8_t message[DNS_UDP_PLAIN];
	struct dns_query parsed;
	struct dns_reply reply;
	struct sockaddr_in peer;
	socklen_t length = sizeof(peer);
	uint8_t out[DNS_UDP_PLAIN];
	ssize_t got = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&peer, &length);
	size_t size;

	assert_true(got > 0);
	assert_int_equal(dns_query_parse(message, (size_t)got, &parsed), DNS_NOERROR);
	dns_reply_begin(&reply, out, sizeof(out), message, &parsed, DNS_NOERROR);
	dns_reply_add_a(&reply, 60, 0xc6336407);
	size = dns_reply_end(&reply);
	if (forge) {
		out[size - 1] ^= 0xff; /* another address, to be told from the true one */
		out[0] ^= 0xff;	       /* another id */
		sendto(fd, out, size, 0, (struct sockaddr *)&peer, length);
		out[0] ^= 0xff;
		out[DNS_HEADER + 1] ^= 1; /* another name */
		sendto(fd, out, size, 0, (struct sockaddr *)&peer, length);
		out[DNS_HEADER + 1] ^= 1;
		out[size - 1] ^= 0xff;
	}
	sendto(fd, out, size, 0, (struct sockaddr *)&peer, length);
}

static inline struct answer ask_foreign(
	struct scene *s, int netns_fd, const char *server, int upstream, bool forge)
{
	struct sockaddr_in address = address_of(server, DNS_PORT);
	int fd = socket_in(netns_fd, SOCK_DGRAM, NULL, 0);
	struct answer answer = { .rcode = SILENCE };
	uint8_t query[DNS_UDP_PLAIN];
	size_t length = query_make(query, "WwW.Example.Org", DNS_TYPE_A, 0x4321);
	ssize_t got;

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, query, length, 0), (ssize_t)length);
	assert_true(serve_until_ready(s->resolver, upstream, 5000));
	upstream_answer(upstream, forge);
	assert_true(serve_until_ready(s->resolver, fd, 5000));
	got = recv(fd, answer.bytes, sizeof(answer.bytes), 0);
	assert_true(got > 0);
	answer.length = (size_t)got;
	/* id and letters are the asker's */
	assert_memory_equal(answer.bytes, query, 2);
	assert_memory_equal(answer.bytes + DNS_HEADER, query + DNS_HEADER, length - DNS_HEADER);
	answer_read(&answer);
	close(fd);
	return answer;
}

static inline void read_all(struct resolver *resolver, int fd, uint8_t *bytes, size_t length)
{
	for (size_t got = 0; got < length;) {
		assert_true(serve_until_ready(resolver, fd, PATIENCE_MS));
		ssize_t r = recv(fd, bytes + got, length - got, 0);

		assert_true(r > 0);
		got += (size_t)r;
	}
}

static inline int mounts_private(void **state)
{
	char path[] = "/tmp/mycompose-resolv-XXXXXX";
	int fd;

	(void)state;
	if (geteuid() != 0)
		return 0;
	fd = mkstemp(path);
	if (fd < 0 || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		return -1;
	close(fd);
	return unlink(path);
}

#endif
