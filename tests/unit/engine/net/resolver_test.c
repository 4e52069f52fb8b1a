/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_test.c - the name service asked by real datagrams from netns that play containers. */
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

static size_t query_make(uint8_t *out, const char *name, uint16_t type, uint16_t id)
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

static size_t name_print(const uint8_t *bytes, size_t at, char *out)
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

static void answer_read(struct answer *answer)
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
static bool serve_until_ready(struct resolver *resolver, int fd, int timeout_ms)
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

static struct answer ask_port(struct resolver *resolver, int netns_fd, const char *server,
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

static struct answer ask_bytes(struct resolver *resolver, int netns_fd, const char *server,
	const uint8_t *query, size_t length, int timeout_ms)
{
	return ask_port(resolver, netns_fd, server, DNS_PORT, query, length, timeout_ms);
}

static struct answer ask(struct resolver *resolver, int netns_fd, const char *server,
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

static void endpoint_allocated(struct testhost *host, const char *id, const char *network,
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

static struct scene scene_set(struct testhost *host)
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

static void scene_clear(struct scene *scene)
{
	resolver_free(scene->resolver);
	endpoint_release(&scene->web);
	endpoint_release(&scene->db);
	endpoint_release(&scene->far);
	endpoint_release(&scene->sealed);
}

static void names_of_own_networks_are_answered(void **state)
{
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	static const struct row {
		const char *name;
		uint16_t type;
		const char *text;
	} rows[] = {
		{ "web-1", DNS_TYPE_A, "172.30.0.2\n" },
		{ "web", DNS_TYPE_A, "172.30.0.2\n" },
		{ "WeB.FroNT", DNS_TYPE_A, "172.30.0.2\n" },
		{ "web", DNS_TYPE_AAAA, "" },
		{ "db", DNS_TYPE_A, "172.30.0.3\n" },
		{ "database", DNS_TYPE_A, "172.31.0.2\n" }, /* in a network nobody serves */
		{ "far.back", DNS_TYPE_A, "172.31.0.3\n" },
		{ "2.0.30.172.in-addr.arpa", DNS_TYPE_PTR, "web-1.front\n" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_answer(ask(s.resolver, s.db_ns, "172.30.0.1", rows[i].name, rows[i].type),
			DNS_NOERROR, rows[i].text);
	scene_clear(&s);
}

static void row_12_8_names_of_other_networks_are_unknown(void **state)
{
	struct answer answer;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	succeeds(resolver_add(s.resolver, "back", err));
	/* no resolvers to go to: SERVFAIL; what matters is that no address comes */
	answer = ask(s.resolver, s.web_ns, "172.30.0.1", "far", DNS_TYPE_A);
	assert_int_not_equal(answer.rcode, DNS_NOERROR);
	answer = ask(s.resolver, s.far_ns, "172.31.0.1", "web-1", DNS_TYPE_A);
	assert_int_not_equal(answer.rcode, DNS_NOERROR);
	assert_answer(ask(s.resolver, s.far_ns, "172.31.0.1", "db", DNS_TYPE_A), DNS_NOERROR,
		"172.31.0.2\n");
	scene_clear(&s);
}

static void row_12_8_only_the_networks_own_containers_are_answered(void **state)
{
	uint8_t query[DNS_UDP_PLAIN];
	size_t length = query_make(query, "web", DNS_TYPE_A, 7);
	struct answer answer;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	enter(s.host->outside_netns);
	run("ip route add 172.16.0.0/12 via " HOST_ADDRESS);
	enter(s.host->host_netns);
	answer = ask_bytes(s.resolver, s.host->outside_netns, "172.30.0.1", query, length, WAIT_MS);
	assert_int_equal(answer.rcode, SILENCE);
	answer = ask_bytes(s.resolver, s.far_ns, "172.30.0.1", query, length, WAIT_MS);
	assert_int_equal(answer.rcode, SILENCE);
	/* Not by the port it really listens on either. */
	char *text = output_of("cat %s/networks/front/resolver", s.host->engine.run_path);
	uint16_t port = (uint16_t)strtoul(text, NULL, 10);
	free(text);
	assert_true(port > 0);
	answer = ask_port(
		s.resolver, s.host->outside_netns, "172.30.0.1", port, query, length, WAIT_MS);
	assert_int_equal(answer.rcode, SILENCE);
	answer = ask_port(s.resolver, s.far_ns, "172.30.0.1", port, query, length, WAIT_MS);
	assert_int_equal(answer.rcode, SILENCE);
	/* An address of the network that is nobody's. */
	enter(s.web_ns);
	run("ip addr del %s/16 dev eth0 && ip addr add 172.30.9.9/16 dev eth0", s.web.address);
	enter(s.host->host_netns);
	answer = ask_bytes(s.resolver, s.web_ns, "172.30.0.1", query, length, WAIT_MS);
	assert_int_equal(answer.rcode, DNS_REFUSED);
	scene_clear(&s);
}

static void replicas_are_answered_in_rotation(void **state)
{
	struct endpoint replica;
	struct answer first, second;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	endpoint_allocated(s.host, "web-2", "front", "web", "eth0", &replica);
	first = ask(s.resolver, s.db_ns, "172.30.0.1", "web", DNS_TYPE_A);
	second = ask(s.resolver, s.db_ns, "172.30.0.1", "web", DNS_TYPE_A);
	assert_int_equal(first.count, 2);
	assert_int_equal(second.count, 2);
	assert_string_not_equal(first.text, second.text);
	assert_memory_not_equal(first.text, second.text, 10);
	/* and gone with the container */
	succeeds(endpoint_release_all(&s.host->engine, "web-2", err));
	resolver_run(s.resolver);
	assert_answer(ask(s.resolver, s.db_ns, "172.30.0.1", "web", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.2\n");
	assert_answer(ask(s.resolver, s.db_ns, "172.30.0.1", "web", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.2\n");
	endpoint_release(&replica);
	scene_clear(&s);
}

static int tcp_to_resolver(int netns_fd, const char *server)
{
	struct sockaddr_in address = address_of(server, DNS_PORT);
	int fd = socket_in(netns_fd, SOCK_STREAM, NULL, 0);

	assert_true(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		    errno == EINPROGRESS);
	assert_true(ready(fd, POLLOUT, 1000));
	return fd;
}

static void tcp_send(int fd, const uint8_t *query, size_t length)
{
	uint8_t framed[1024] = { (uint8_t)(length >> 8), (uint8_t)length };

	memcpy(framed + 2, query, length);
	assert_int_equal(send(fd, framed, length + 2, 0), (ssize_t)length + 2);
}

static struct answer tcp_receive(struct resolver *resolver, int fd)
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

static void many_replicas_are_cut_by_udp_and_whole_by_tcp(void **state)
{
	uint8_t query[DNS_UDP_PLAIN];
	size_t length = query_make(query, "many", DNS_TYPE_A, 99);
	struct answer answer;
	struct scene s;
	int fd;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	for (int i = 0; i < 100; i++) {
		struct endpoint replica;
		char id[24];

		snprintf(id, sizeof(id), "many-%d", i);
		endpoint_allocated(s.host, id, "front", "many", "eth0", &replica);
		endpoint_release(&replica);
	}
	answer = ask(s.resolver, s.db_ns, "172.30.0.1", "many", DNS_TYPE_A);
	assert_true(answer.truncated && answer.length <= DNS_UDP_PLAIN && answer.count > 20);
	/* with EDNS more fits */
	memcpy(query + length, "\0\0\x29\x10\0\0\0\0\0\0\0", 11);
	query[11] = 1;
	answer = ask_bytes(s.resolver, s.db_ns, "172.30.0.1", query, length + 11, 5000);
	assert_true(answer.truncated && answer.length <= DNS_UDP_MAX && answer.count > 60);
	query[11] = 0;
	fd = tcp_to_resolver(s.db_ns, "172.30.0.1");
	tcp_send(fd, query, length);
	tcp_send(fd, query, length); /* two on one connection */
	for (int i = 0; i < 2; i++) {
		answer = tcp_receive(s.resolver, fd);
		assert_false(answer.truncated);
		assert_int_equal(answer.count, 100);
	}
	close(fd);
	scene_clear(&s);
}

static void tcp_nonsense_ends_the_connection(void **state)
{
	static const uint8_t nonsense[] = "\xff\xffGET / HTTP/1.1\r\n";
	struct scene s;
	uint8_t byte;
	int fd;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	fd = tcp_to_resolver(s.db_ns, "172.30.0.1");
	assert_true(send(fd, nonsense, sizeof(nonsense), 0) > 0);
	assert_true(serve_until_ready(s.resolver, fd, 1000));
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	scene_clear(&s);
}

/* /etc/resolv.conf is the test's own, in a mount namespace of its own. */
static void resolv_conf_write(const char *text)
{
	int fd = open("/etc/resolv.conf", O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Answer one question at the upstream socket with one A record 198.51.100.7, after `forgeries`
 * wrong answers. */
static void upstream_answer(int fd, bool forge)
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

static struct answer ask_foreign(
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

static void other_names_go_to_the_hosts_resolvers(void **state)
{
	struct testhost *host = *state;
	struct scene s;
	int upstream, loopback;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("# a comment\nsearch example\nnameserver 192.0.2.2\n");
	s = scene_set(host);
	upstream = socket_in(host->outside_netns, SOCK_DGRAM, NULL, DNS_PORT);
	assert_answer(ask_foreign(&s, s.web_ns, "172.30.0.1", upstream, true), DNS_NOERROR,
		"198.51.100.7\n");
	/* one on the host's loopback, after the file has changed */
	loopback = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.53", DNS_PORT);
	resolv_conf_write("nameserver 127.0.0.53\n");
	usleep(1100000);
	assert_answer(ask_foreign(&s, s.web_ns, "172.30.0.1", loopback, false), DNS_NOERROR,
		"198.51.100.7\n");
	close(upstream);
	close(loopback);
	resolv_conf_write("");
	scene_clear(&s);
}

static void read_all(struct resolver *resolver, int fd, uint8_t *bytes, size_t length)
{
	for (size_t got = 0; got < length;) {
		assert_true(serve_until_ready(resolver, fd, PATIENCE_MS));
		ssize_t r = recv(fd, bytes + got, length - got, 0);

		assert_true(r > 0);
		got += (size_t)r;
	}
}

/* Who asks by TCP is answered from TCP, in pieces as they may come. */
static void askers_by_tcp_are_forwarded_by_tcp(void **state)
{
	uint8_t query[DNS_UDP_PLAIN], framed[DNS_UDP_PLAIN + 2], out[4000];
	size_t length = query_make(query, "Big.Example", DNS_TYPE_A, 0x77), size;
	struct testhost *host = *state;
	struct dns_query parsed;
	struct dns_reply reply;
	struct answer answer;
	int listener, upstream, fd;
	struct scene s;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("nameserver 127.0.0.53\n");
	s = scene_set(host);
	listener = listener_in(host->host_netns, "127.0.0.53", DNS_PORT);
	fd = tcp_to_resolver(s.web_ns, "172.30.0.1");
	tcp_send(fd, query, length);
	assert_true(serve_until_ready(s.resolver, listener, PATIENCE_MS));
	upstream = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_true(upstream >= 0);
	read_all(s.resolver, upstream, framed, length + 2);
	assert_int_equal(framed[0] << 8 | framed[1], length);
	assert_memory_equal(framed + 4, query + 2, length - 2);
	assert_int_equal(dns_query_parse(framed + 2, length, &parsed), DNS_NOERROR);
	dns_reply_begin(&reply, out + 2, sizeof(out) - 2, framed + 2, &parsed, DNS_NOERROR);
	for (uint32_t i = 0; i < 100; i++)
		dns_reply_add_a(&reply, 60, 0x0a000000 + i);
	size = dns_reply_end(&reply);
	out[0] = (uint8_t)(size >> 8);
	out[1] = (uint8_t)size;
	for (size_t at = 0; at < size + 2; at += 700) {
		size_t piece = size + 2 - at < 700 ? size + 2 - at : 700;

		assert_int_equal(send(upstream, out + at, piece, 0), (ssize_t)piece);
		usleep(1000);
		resolver_run(s.resolver);
	}
	answer = tcp_receive(s.resolver, fd);
	assert_int_equal(answer.rcode, DNS_NOERROR);
	assert_int_equal(answer.count, 100);
	assert_memory_equal(answer.bytes, query, 2);
	close(fd);
	close(upstream);
	close(listener);
	resolv_conf_write("");
	scene_clear(&s);
}

/* More questions on one connection than may be awaited at once: all are answered in the end. */
static void pipelined_questions_wait_their_turn(void **state)
{
	uint8_t query[DNS_UDP_PLAIN];
	struct testhost *host = *state;
	bool seen[40] = { false };
	struct scene s;
	int fd;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("nameserver 127.0.0.53\n"); /* nobody there */
	s = scene_set(host);
	fd = tcp_to_resolver(s.web_ns, "172.30.0.1");
	for (uint16_t i = 0; i < ARRAY_LEN(seen); i++)
		tcp_send(fd, query, query_make(query, "example.org", DNS_TYPE_A, i));
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		struct answer answer = tcp_receive(s.resolver, fd);

		assert_int_equal(answer.rcode, DNS_SERVFAIL);
		assert_int_equal(answer.bytes[0], 0);
		assert_true(answer.bytes[1] < ARRAY_LEN(seen));
		assert_false(seen[answer.bytes[1]]);
		seen[answer.bytes[1]] = true;
	}
	close(fd);
	resolv_conf_write("");
	scene_clear(&s);
}

/* An answer longer than the asker takes is cut; an upstream that says "truncated" is passed on. */
static void truncation_reaches_the_asker(void **state)
{
	uint8_t query[DNS_UDP_PLAIN], message[DNS_UDP_PLAIN], out[2000];
	size_t length = query_make(query, "big.example", DNS_TYPE_A, 0x78), size;
	struct sockaddr_in address = address_of("172.30.0.1", DNS_PORT), peer;
	struct testhost *host = *state;
	socklen_t peer_length = sizeof(peer);
	struct dns_query parsed;
	struct dns_reply reply;
	int upstream, fd;
	struct scene s;
	ssize_t got;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("nameserver 127.0.0.53\n");
	s = scene_set(host);
	upstream = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.53", DNS_PORT);
	fd = socket_in(s.web_ns, SOCK_DGRAM, NULL, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, query, length, 0), (ssize_t)length);
	assert_true(serve_until_ready(s.resolver, upstream, PATIENCE_MS));
	got = recvfrom(
		upstream, message, sizeof(message), 0, (struct sockaddr *)&peer, &peer_length);
	assert_int_equal(dns_query_parse(message, (size_t)got, &parsed), DNS_NOERROR);
	dns_reply_begin(&reply, out, sizeof(out), message, &parsed, DNS_NOERROR);
	for (uint32_t i = 0; i < 60; i++)
		dns_reply_add_a(&reply, 60, 0x0a000000 + i);
	size = dns_reply_end(&reply);
	assert_true(size > DNS_UDP_PLAIN);
	sendto(upstream, out, size, 0, (struct sockaddr *)&peer, peer_length);
	assert_true(serve_until_ready(s.resolver, fd, PATIENCE_MS));
	got = recv(fd, out, sizeof(out), 0);
	assert_int_equal(got, length);
	assert_true(out[2] & 2);
	close(fd);
	close(upstream);
	resolv_conf_write("");
	scene_clear(&s);
}

static void silent_and_absent_resolvers_are_passed_over(void **state)
{
	struct testhost *host = *state;
	struct scene s;
	int upstream;

	SKIP_UNLESS_ROOT();
	/* nobody listens on .53 (refused at once); .54 never answers; .55 does */
	resolv_conf_write("nameserver 127.0.0.53\nnameserver 127.0.0.54\nnameserver 127.0.0.55\n");
	s = scene_set(host);
	int silent = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.54", DNS_PORT);
	upstream = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.55", DNS_PORT);
	assert_answer(ask_foreign(&s, s.web_ns, "172.30.0.1", upstream, false), DNS_NOERROR,
		"198.51.100.7\n");
	resolv_conf_write("nameserver 127.0.0.53\n");
	usleep(1100000);
	assert_answer(ask(s.resolver, s.web_ns, "172.30.0.1", "example.org", DNS_TYPE_A),
		DNS_SERVFAIL, "");
	close(silent);
	close(upstream);
	resolv_conf_write("");
	scene_clear(&s);
}

static void container_may_have_resolvers_of_its_own(void **state)
{
	char *dns[] = { (char *)"127.0.0.77", NULL };
	struct testhost *host = *state;
	struct endpoint_request request = {
		.network = "front",
		.container_id = "web-1",
		.container_name = "web-1",
		.interface = "eth0",
		.dns = dns,
	};
	struct endpoint endpoint;
	struct scene s;
	int upstream;

	SKIP_UNLESS_ROOT();
	s = scene_set(host);
	succeeds(endpoint_allocate(&host->engine, &request, &endpoint, err));
	resolver_run(s.resolver);
	upstream = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.77", DNS_PORT);
	assert_answer(ask_foreign(&s, s.web_ns, "172.30.0.1", upstream, false), DNS_NOERROR,
		"198.51.100.7\n");
	close(upstream);
	endpoint_release(&endpoint);
	scene_clear(&s);
}

static void row_12_5_internal_network_resolves_no_outside_name(void **state)
{
	struct testhost *host = *state;
	struct scene s;
	int upstream;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("nameserver 127.0.0.53\n");
	s = scene_set(host);
	upstream = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.53", DNS_PORT);
	assert_answer(ask(s.resolver, s.sealed_ns, "172.29.0.1", "example.org", DNS_TYPE_A),
		DNS_NXDOMAIN, "");
	assert_false(ready(upstream, POLLIN, 50));
	assert_answer(ask(s.resolver, s.sealed_ns, "172.29.0.1", "sealed", DNS_TYPE_A), DNS_NOERROR,
		"172.29.0.2\n");
	close(upstream);
	resolv_conf_write("");
	scene_clear(&s);
}

static void one_asker_cannot_fill_the_table(void **state)
{
	struct testhost *host = *state;
	struct sockaddr_in address = address_of("172.30.0.1", DNS_PORT);
	uint8_t query[DNS_UDP_PLAIN], answer[DNS_UDP_PLAIN];
	int silent, fd, refused = 0;
	struct scene s;

	SKIP_UNLESS_ROOT();
	resolv_conf_write("nameserver 127.0.0.54\n");
	s = scene_set(host);
	silent = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.54", DNS_PORT);
	fd = socket_in(s.web_ns, SOCK_DGRAM, NULL, 0);
	for (uint16_t i = 0; i < 300; i++) {
		size_t length = query_make(query, "example.org", DNS_TYPE_A, i);

		sendto(fd, query, length, 0, (struct sockaddr *)&address, sizeof(address));
		resolver_run(s.resolver);
	}
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		refused += (answer[3] & 15) == DNS_SERVFAIL;
	assert_int_equal(refused, 300 - 64);
	/* another one is served */
	while (recv(silent, answer, sizeof(answer), 0) > 0)
		;
	assert_answer(ask_foreign(&s, s.db_ns, "172.30.0.1", silent, false), DNS_NOERROR,
		"198.51.100.7\n");
	close(fd);
	close(silent);
	resolv_conf_write("");
	scene_clear(&s);
}

static void published_port_53_and_a_host_server_do_not_take_the_names(void **state)
{
	struct published_port ports[] = {
		{ .host_port = 53, .container_port = 53, .protocol = "udp" },
		{ .host_port = 53, .container_port = 53, .protocol = "tcp" }
	};
	struct testhost *host = *state;
	struct endpoint server;
	int server_ns, in_container, client, *fds = NULL;
	size_t fd_count;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(host);
	succeeds(port_reserve(&host->engine, ports, 2, &fds, &fd_count, err));
	server_ns = container_made(host, "dns", "front", ports, 2, &server);
	succeeds(firewall_sync(&host->engine, err));
	in_container = socket_in(server_ns, SOCK_DGRAM, NULL, DNS_PORT);
	client = socket_in(host->outside_netns, SOCK_DGRAM, NULL, 0);
	assert_true(exchanges(client, HOST_ADDRESS, DNS_PORT, in_container));
	close(client);
	client = socket_in(s.web_ns, SOCK_DGRAM, NULL, 0);
	assert_true(exchanges(client, server.address, DNS_PORT, in_container));
	assert_answer(ask(s.resolver, s.web_ns, "172.30.0.1", "dns", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.4\n");
	assert_answer(ask(s.resolver, server_ns, "172.30.0.1", "web", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.2\n");
	close(client);
	close(in_container);
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
	free(fds);
	endpoint_release(&server);
	scene_clear(&s);
}

static void input_policy_drop_of_the_host_leaves_names_working(void **state)
{
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	run("iptables-legacy -P INPUT DROP");
	assert_answer(ask(s.resolver, s.web_ns, "172.30.0.1", "db", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.3\n");
	scene_clear(&s);
}

static void second_server_takes_over_when_the_first_ends(void **state)
{
	struct resolver *second = NULL;
	struct answer answer;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	succeeds(resolver_new(&s.host->engine, &second, err));
	succeeds(resolver_add(second, "front", err));
	assert_true(resolver_timeout_ms(second) >= 0);
	/* The first serves, the second's running changes nothing. */
	resolver_run(second);
	assert_answer(ask(s.resolver, s.web_ns, "172.30.0.1", "db", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.3\n");
	resolver_remove(s.resolver, "front");
	usleep(20000);
	resolver_run(second);
	resolver_run(second);
	assert_int_equal(resolver_timeout_ms(second), -1);
	answer = ask(second, s.web_ns, "172.30.0.1", "db", DNS_TYPE_A);
	assert_int_equal(answer.rcode, DNS_NOERROR);
	assert_string_equal(answer.text, "172.30.0.3\n");
	resolver_free(second);
	scene_clear(&s);
}

static void a_deleted_bridge_comes_back_with_its_names(void **state)
{
	struct network *network = NULL;
	struct endpoint again;
	struct scene s;
	int again_ns;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	succeeds(network_find(&s.host->engine, "front", &network, err));
	run("ip link del %s", network->bridge);
	succeeds(network_up(&s.host->engine, network, err));
	again_ns = container_made(s.host, "again", "front", NULL, 0, &again);
	assert_answer(ask(s.resolver, again_ns, "172.30.0.1", "db", DNS_TYPE_A), DNS_NOERROR,
		"172.30.0.3\n");
	endpoint_release(&again);
	network_free(network);
	scene_clear(&s);
}

static void answers_come_fast_enough(void **state)
{
	enum { BURST = 64, ROUNDS = 200 };
	struct sockaddr_in address = address_of("172.30.0.1", DNS_PORT);
	uint8_t query[DNS_UDP_PLAIN], answer[DNS_UDP_PLAIN];
	size_t length = query_make(query, "db", DNS_TYPE_A, 1), answered = 0;
	int64_t began;
	struct scene s;
	int fd;

	SKIP_UNLESS_ROOT();
	s = scene_set(*state);
	fd = socket_in(s.web_ns, SOCK_DGRAM, NULL, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	began = time_monotonic();
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < BURST; i++)
			assert_int_equal(send(fd, query, length, 0), (ssize_t)length);
		resolver_run(s.resolver);
		while (recv(fd, answer, sizeof(answer), 0) > 0)
			answered++;
	}
	print_message("%.0f queries/s, asker and server on one core\n",
		(double)answered * 1e9 / (double)(time_monotonic() - began));
	assert_int_equal(answered, BURST * ROUNDS);
	close(fd);
	scene_clear(&s);
}

static int mounts_private(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(names_of_own_networks_are_answered),
		host_test(row_12_8_names_of_other_networks_are_unknown),
		host_test(row_12_8_only_the_networks_own_containers_are_answered),
		host_test(replicas_are_answered_in_rotation),
		host_test(many_replicas_are_cut_by_udp_and_whole_by_tcp),
		host_test(tcp_nonsense_ends_the_connection),
		host_test(other_names_go_to_the_hosts_resolvers),
		host_test(askers_by_tcp_are_forwarded_by_tcp),
		host_test(pipelined_questions_wait_their_turn),
		host_test(truncation_reaches_the_asker),
		host_test(silent_and_absent_resolvers_are_passed_over),
		host_test(container_may_have_resolvers_of_its_own),
		host_test(row_12_5_internal_network_resolves_no_outside_name),
		host_test(one_asker_cannot_fill_the_table),
		host_test(published_port_53_and_a_host_server_do_not_take_the_names),
		host_test(input_policy_drop_of_the_host_leaves_names_working),
		host_test(second_server_takes_over_when_the_first_ends),
		host_test(a_deleted_bridge_comes_back_with_its_names),
		host_test(answers_come_fast_enough),
	};

	return cmocka_run_group_tests_name("resolver", tests, mounts_private, NULL);
}
