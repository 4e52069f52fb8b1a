/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_stream_test.c - the name service asked by TCP, and answers too long for UDP. */
#include "resolver_scene.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(many_replicas_are_cut_by_udp_and_whole_by_tcp),
		host_test(tcp_nonsense_ends_the_connection),
		host_test(askers_by_tcp_are_forwarded_by_tcp),
		host_test(pipelined_questions_wait_their_turn),
		host_test(truncation_reaches_the_asker),
	};

	return cmocka_run_group_tests_name("resolver_stream", tests, mounts_private, NULL);
}
