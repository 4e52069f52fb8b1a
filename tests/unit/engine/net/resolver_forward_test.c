/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_forward_test.c - the name service and the resolvers it asks for others. */
#include "resolver_scene.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(other_names_go_to_the_hosts_resolvers),
		host_test(silent_and_absent_resolvers_are_passed_over),
		host_test(container_may_have_resolvers_of_its_own),
		host_test(row_12_5_internal_network_resolves_no_outside_name),
		host_test(one_asker_cannot_fill_the_table),
	};

	return cmocka_run_group_tests_name("resolver_forward", tests, mounts_private, NULL);
}
