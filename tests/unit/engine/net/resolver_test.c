/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_test.c - the name service asked by real datagrams from netns that play containers:
 * names, and who is answered. */
#include "resolver_scene.h"

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

static void published_port_53_and_a_host_server_do_not_take_the_names(void **state)
{
	struct published_port ports[] = {
		{ .host_port = 53, .container_port = 53, .protocol = "udp" },
		{ .host_port = 53, .container_port = 53, .protocol = "tcp" }
	};
	struct testhost *host = *state;
	struct endpoint server;
	struct port_socket *sockets = NULL;
	int server_ns, in_container, client;
	size_t socket_count;
	struct scene s;

	SKIP_UNLESS_ROOT();
	s = scene_set(host);
	succeeds(port_reserve(&host->engine, ports, 2, &sockets, &socket_count, err));
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
	port_sockets_free(sockets, socket_count);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(names_of_own_networks_are_answered),
		host_test(row_12_8_names_of_other_networks_are_unknown),
		host_test(row_12_8_only_the_networks_own_containers_are_answered),
		host_test(replicas_are_answered_in_rotation),
		host_test(published_port_53_and_a_host_server_do_not_take_the_names),
		host_test(input_policy_drop_of_the_host_leaves_names_working),
		host_test(second_server_takes_over_when_the_first_ends),
		host_test(a_deleted_bridge_comes_back_with_its_names),
	};

	return cmocka_run_group_tests_name("resolver", tests, mounts_private, NULL);
}
