/* SPDX-License-Identifier: GPL-2.0-or-later
 * traffic_test.c - real packets between containers, host and outside: what the firewall lets
 * through and what it does not. */
#include "testhost.h"

static void containers_of_one_network_reach_each_other(void **state)
{
	struct testhost *host = *state;
	struct endpoint a, b;
	int a_ns, b_ns, server;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "net", NULL, false));
	a_ns = container_made(host, "a", "net", NULL, 0, &a);
	b_ns = container_made(host, "b", "net", NULL, 0, &b);
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(b_ns, NULL, 80);
	assert_true(connects(a_ns, b.address, 80, server));
	assert_true(connects(host->host_netns, b.address, 80, server));
	enter(a_ns);
	run("busybox ping -c 1 -W 1 %s >/dev/null", b.address);
	enter(host->host_netns);
	close(server);
	endpoint_release(&a);
	endpoint_release(&b);
}

/* `web` in network "front" publishes tcp 8080 -> 80 and udp 5300 -> 53; `other` shares the network;
 * `far` is in a network of its own. */
struct stage {
	struct testhost *host;
	struct endpoint web, other, far;
	int web_ns, other_ns, far_ns;
	int server;	/* tcp 80 in web */
	int udp_server; /* udp 53 in web */
};

static struct stage stage_set(struct testhost *host, const char *host_ip)
{
	struct published_port ports[] = {
		{ .host_ip = (char *)host_ip,
			.host_port = 8080,
			.container_port = 80,
			.protocol = "tcp" },
		{ .host_ip = (char *)host_ip,
			.host_port = 5300,
			.container_port = 53,
			.protocol = "udp" },
	};
	struct stage stage = { .host = host };

	network_free(network_made(host, "front", NULL, false));
	network_free(network_made(host, "back", NULL, false));
	stage.web_ns = container_made(host, "web", "front", ports, ARRAY_LEN(ports), &stage.web);
	stage.other_ns = container_made(host, "other", "front", NULL, 0, &stage.other);
	stage.far_ns = container_made(host, "far", "back", NULL, 0, &stage.far);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	stage.server = listener_in(stage.web_ns, NULL, 80);
	stage.udp_server = socket_in(stage.web_ns, SOCK_DGRAM, NULL, 53);
	return stage;
}

static void stage_clear(struct stage *stage)
{
	close(stage->server);
	close(stage->udp_server);
	endpoint_release(&stage->web);
	endpoint_release(&stage->other);
	endpoint_release(&stage->far);
}

static void ports_are_reachable_from_everywhere(struct stage *stage)
{
	struct testhost *host = stage->host;
	char peer[INET_ADDRSTRLEN];
	int client;

	assert_true(connects_as(host->outside_netns, HOST_ADDRESS, 8080, stage->server, peer));
	assert_string_equal(peer, OUTSIDE_ADDRESS); /* clients keep their address */
	assert_true(connects(host->host_netns, HOST_ADDRESS, 8080, stage->server));
	assert_true(connects(host->host_netns, "127.0.0.1", 8080, stage->server));
	assert_true(connects(host->host_netns, stage->web.gateway, 8080, stage->server));
	/* hairpin: the same network, the container itself, another network */
	assert_true(connects(stage->other_ns, HOST_ADDRESS, 8080, stage->server));
	assert_true(connects(stage->other_ns, stage->other.gateway, 8080, stage->server));
	assert_true(connects(stage->web_ns, HOST_ADDRESS, 8080, stage->server));
	assert_true(connects(stage->far_ns, HOST_ADDRESS, 8080, stage->server));
	assert_true(connects(stage->far_ns, stage->far.gateway, 8080, stage->server));
	client = socket_in(host->outside_netns, SOCK_DGRAM, NULL, 0);
	assert_true(exchanges(client, HOST_ADDRESS, 5300, stage->udp_server));
	close(client);
	client = socket_in(host->host_netns, SOCK_DGRAM, NULL, 0);
	assert_true(exchanges(client, "127.0.0.1", 5300, stage->udp_server));
	close(client);
}

static void networks_are_isolated(struct stage *stage)
{
	assert_true(is_cut_off(stage->far_ns, stage->web.address, 80, stage->server));
	assert_true(is_cut_off(stage->host->outside_netns, stage->web.address, 80, stage->server));
	assert_true(connects(stage->other_ns, stage->web.address, 80, stage->server));
}

static void published_ports_are_reachable_from_everywhere(void **state)
{
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(*state, NULL);
	ports_are_reachable_from_everywhere(&stage);
	stage_clear(&stage);
}

static void row_12_9_neither_forward_policy_nor_bridge_nf_matters(void **state)
{
	static const char *const policies[] = { "ACCEPT", "DROP" };
	struct testhost *host = *state;
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	enter(host->outside_netns);
	run("ip route add 172.16.0.0/12 via " HOST_ADDRESS);
	enter(host->host_netns);
	for (size_t i = 0; i < 4; i++) {
		run("iptables-legacy -P FORWARD %s", policies[i & 1]);
		if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) == 0)
			run("echo %zu > /proc/sys/net/bridge/bridge-nf-call-iptables", i >> 1);
		ports_are_reachable_from_everywhere(&stage);
		networks_are_isolated(&stage);
	}
	stage_clear(&stage);
}

static void bridge_deleted_and_made_again(struct testhost *host, const char *name)
{
	struct network *network = NULL;

	succeeds(network_find(&host->engine, name, &network, err));
	run("ip link del %s", network->bridge);
	succeeds(network_up(&host->engine, network, err));
	succeeds(firewall_sync(&host->engine, err)); /* the switches of the bridge */
	network_free(network);
}

static void row_12_12_containers_are_put_back_on_a_bridge_that_was_deleted(void **state)
{
	struct testhost *host = *state;
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	bridge_deleted_and_made_again(host, "front");
	bridge_deleted_and_made_again(host, "back");
	for (char nf = '0'; nf <= '1'; nf++) {
		if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) == 0)
			run("echo %c > /proc/sys/net/bridge/bridge-nf-call-iptables", nf);
		ports_are_reachable_from_everywhere(&stage);
		networks_are_isolated(&stage);
	}
	stage_clear(&stage);
}

static void row_12_1_user_chain_is_evaluated_first_and_kept(void **state)
{
	struct testhost *host = *state;
	struct stage stage;
	char *rules;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	run("iptables-legacy -P INPUT DROP");
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, stage.server));
	run("iptables-legacy -A MYCOMPOSE-USER -s " OUTSIDE_ADDRESS " -j DROP");
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, stage.server));
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	run("iptables-legacy -F FORWARD");
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, stage.server));

	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(endpoint_release_all(&host->engine, "other", err));
	succeeds(endpoint_release_all(&host->engine, "far", err));
	succeeds(network_remove(&host->engine, "front", err));
	succeeds(network_remove(&host->engine, "back", err));
	rules = output_of("iptables-legacy -S | grep -c MYCOMPOSE");
	assert_string_equal(rules, "2\n"); /* the chain with the user's rule, nothing else */
	free(rules);
	stage_clear(&stage);
}

static void row_12_2_loopback_binding_is_the_hosts_alone(void **state)
{
	struct testhost *host = *state;
	struct stage stage;
	int local, client;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, "127.0.0.1");
	assert_true(connects(host->host_netns, "127.0.0.1", 8080, stage.server));
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, stage.server));
	assert_true(is_cut_off(stage.far_ns, HOST_ADDRESS, 8080, stage.server));

	/* A neighbour, and a container, that send 127.0.0.1 by the wire. */
	local = listener_in(host->host_netns, "127.0.0.1", 9999);
	enter(host->outside_netns);
	run("ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via " HOST_ADDRESS
	    " src " OUTSIDE_ADDRESS "; echo 1 > /proc/sys/net/ipv4/conf/out0/route_localnet");
	enter(stage.far_ns);
	run("ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via %s src %s; "
	    "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
		stage.far.gateway, stage.far.address);
	enter(stage.other_ns);
	run("ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via %s src %s; "
	    "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
		stage.other.gateway, stage.other.address);
	enter(host->host_netns);
	assert_true(is_cut_off(host->outside_netns, "127.0.0.1", 8080, stage.server));
	assert_true(is_cut_off(host->outside_netns, "127.0.0.1", 9999, local));
	assert_true(is_cut_off(stage.far_ns, "127.0.0.1", 9999, local));
	assert_true(is_cut_off(stage.other_ns, "127.0.0.1", 9999, local));
	assert_true(connects(host->host_netns, "127.0.0.1", 9999, local));

	/* A container that claims to be 127.0.0.1. */
	close(local);
	local = socket_in(host->host_netns, SOCK_DGRAM, NULL, 9998);
	enter(stage.other_ns);
	run("ip addr add 127.0.0.5/32 dev eth0");
	enter(host->host_netns);
	client = socket_in(stage.other_ns, SOCK_DGRAM, "127.0.0.5", 0);
	assert_true(gets_no_answer(client, stage.other.gateway, 9998, local));
	close(client);
	client = socket_in(stage.other_ns, SOCK_DGRAM, stage.other.address, 0);
	assert_true(exchanges(client, stage.other.gateway, 9998, local));
	close(client);
	close(local);
	stage_clear(&stage);
}

static void port_on_one_address_is_not_on_the_others(void **state)
{
	struct testhost *host = *state;
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, HOST_ADDRESS);
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, stage.server));
	assert_true(connects(host->host_netns, HOST_ADDRESS, 8080, stage.server));
	assert_true(is_cut_off(host->host_netns, "127.0.0.1", 8080, stage.server));
	assert_true(is_cut_off(stage.other_ns, stage.other.gateway, 8080, stage.server));
	stage_clear(&stage);
}

static void row_12_3_direct_routing_to_containers_is_dropped(void **state)
{
	struct testhost *host = *state;
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	enter(host->outside_netns);
	run("ip route add 172.16.0.0/12 via " HOST_ADDRESS);
	enter(host->host_netns);
	assert_true(is_cut_off(host->outside_netns, stage.web.address, 80, stage.server));
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, stage.server));
	stage_clear(&stage);
}

static void row_12_4_networks_are_isolated_from_each_other(void **state)
{
	struct stage stage;

	SKIP_UNLESS_ROOT();
	stage = stage_set(*state, NULL);
	assert_true(is_cut_off(stage.far_ns, stage.web.address, 80, stage.server));
	enter(stage.far_ns);
	run("! busybox ping -c 1 -W 1 %s >/dev/null", stage.web.address);
	enter(stage.host->host_netns);
	/* by DNAT only */
	assert_true(connects(stage.far_ns, HOST_ADDRESS, 8080, stage.server));
	stage_clear(&stage);
}

static void containers_reach_the_outside_masqueraded(void **state)
{
	struct testhost *host = *state;
	char peer[INET_ADDRSTRLEN];
	struct stage stage;
	int server;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	server = listener_in(host->outside_netns, NULL, 443);
	assert_true(connects_as(stage.far_ns, OUTSIDE_ADDRESS, 443, server, peer));
	assert_string_equal(peer, HOST_ADDRESS);
	close(server);
	stage_clear(&stage);
}

static void row_12_5_internal_network_is_closed_both_ways(void **state)
{
	struct published_port port = { .host_port = 8081, .container_port = 80, .protocol = "tcp" };
	struct testhost *host = *state;
	struct endpoint closed, mate;
	struct stage stage;
	int closed_ns, mate_ns, outside, server;
	char *routes;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	network_free(network_made(host, "vault", NULL, true));
	closed_ns = container_made(host, "closed", "vault", &port, 1, &closed);
	mate_ns = container_made(host, "mate", "vault", NULL, 0, &mate);
	assert_null(closed.gateway);
	succeeds(firewall_sync(&host->engine, err));
	enter(closed_ns);
	routes = output_of("ip route show default");
	assert_string_equal(routes, "");
	free(routes);
	/* Even with a route of its own making. */
	run("ip route add default via %s", "172.20.0.1");
	enter(host->outside_netns);
	run("ip route add 172.16.0.0/12 via " HOST_ADDRESS);
	enter(host->host_netns);
	outside = listener_in(host->outside_netns, NULL, 443);
	server = listener_in(closed_ns, NULL, 80);
	assert_true(is_cut_off(closed_ns, OUTSIDE_ADDRESS, 443, outside));
	assert_true(is_cut_off(closed_ns, HOST_ADDRESS, 8080, stage.server));
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8081, server));
	assert_true(is_cut_off(host->outside_netns, closed.address, 80, server));
	assert_true(is_cut_off(stage.far_ns, closed.address, 80, server));
	assert_true(connects(mate_ns, closed.address, 80, server));
	close(outside);
	close(server);
	endpoint_release(&closed);
	endpoint_release(&mate);
	stage_clear(&stage);
}

static void row_12_6_router_advertisements_do_not_change_the_host(void **state)
{
	struct testhost *host = *state;
	struct network *network;
	struct endpoint a;
	char *text;
	int a_ns;

	SKIP_UNLESS_ROOT();
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		skip();
	network = network_made(host, "net", NULL, false);
	a_ns = container_made(host, "a", "net", NULL, 0, &a);
	text = output_of("cat /proc/sys/net/ipv6/conf/%s/disable_ipv6 "
			 "/proc/sys/net/ipv6/conf/%s/accept_ra; ip -6 addr show dev %s; "
			 "ip -6 -o addr show scope link | grep mv || true",
		network->bridge, network->bridge, network->bridge);
	assert_string_equal(text, "1\n0\n");
	free(text);
	enter(a_ns);
	text = output_of("cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6 "
			 "/proc/sys/net/ipv6/conf/eth0/accept_ra; ip -6 addr show dev eth0");
	assert_string_equal(text, "1\n0\n");
	free(text);
	enter(host->host_netns);
	endpoint_release(&a);
	network_free(network);
}

static void disabled_icc_keeps_containers_of_one_network_apart(void **state)
{
	char *options[] = { (char *)"com.docker.network.bridge.enable_icc=false", NULL };
	struct network_request request = { .name = "net", .options = options };
	struct published_port port = { .host_port = 8080, .container_port = 80, .protocol = "tcp" };
	struct testhost *host = *state;
	struct network *network = NULL;
	struct endpoint a, b;
	int a_ns, b_ns, server;

	SKIP_UNLESS_ROOT();
	succeeds(network_create(&host->engine, &request, &network, err));
	a_ns = container_made(host, "a", "net", NULL, 0, &a);
	b_ns = container_made(host, "b", "net", &port, 1, &b);
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(b_ns, NULL, 80);
	if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) == 0)
		run("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables");
	for (int round = 0; round < 2; round++) {
		assert_true(is_cut_off(a_ns, b.address, 80, server));
		assert_true(connects(host->host_netns, b.address, 80, server));
		assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, server));
		bridge_deleted_and_made_again(host, "net");
	}
	close(server);
	endpoint_release(&a);
	endpoint_release(&b);
	network_free(network);
}

static void row_12_16_udp_client_keeps_working_over_recreate(void **state)
{
	struct published_port port = { .host_port = 5300, .container_port = 53, .protocol = "udp" };
	struct testhost *host = *state;
	struct endpoint again;
	struct stage stage;
	int again_ns, client, server;

	SKIP_UNLESS_ROOT();
	stage = stage_set(host, NULL);
	client = socket_in(host->outside_netns, SOCK_DGRAM, NULL, 0);
	assert_true(exchanges(client, HOST_ADDRESS, 5300, stage.udp_server));
	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(firewall_sync(&host->engine, err));
	/* The client goes on while nobody is there: its flow is now known without translation. */
	assert_true(gets_no_answer(client, HOST_ADDRESS, 5300, stage.udp_server));
	again_ns = container_made(host, "again", "front", &port, 1, &again);
	assert_string_not_equal(again.address, stage.web.address);
	succeeds(firewall_sync(&host->engine, err));
	server = socket_in(again_ns, SOCK_DGRAM, NULL, 53);
	while (recv(client, &(char){ 0 }, 1, 0) >= 0 || errno == ECONNREFUSED)
		;
	assert_true(exchanges(client, HOST_ADDRESS, 5300, server));
	close(server);
	close(client);
	endpoint_release(&again);
	stage_clear(&stage);
}

static void row_13_8_nothing_is_left_after_removal(void **state)
{
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	before = host_snapshot();
	for (int cycle = 0; cycle < 5; cycle++) {
		struct stage stage = stage_set(host, NULL);

		succeeds(endpoint_release_all(&host->engine, "web", err));
		succeeds(endpoint_release_all(&host->engine, "other", err));
		succeeds(endpoint_release_all(&host->engine, "far", err));
		succeeds(network_remove(&host->engine, "front", err));
		succeeds(network_remove(&host->engine, "back", err));
		stage_clear(&stage);
	}
	after = host_snapshot();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(containers_of_one_network_reach_each_other),
		host_test(published_ports_are_reachable_from_everywhere),
		host_test(row_12_9_neither_forward_policy_nor_bridge_nf_matters),
		host_test(row_12_12_containers_are_put_back_on_a_bridge_that_was_deleted),
		host_test(row_12_1_user_chain_is_evaluated_first_and_kept),
		host_test(row_12_2_loopback_binding_is_the_hosts_alone),
		host_test(port_on_one_address_is_not_on_the_others),
		host_test(row_12_3_direct_routing_to_containers_is_dropped),
		host_test(row_12_4_networks_are_isolated_from_each_other),
		host_test(containers_reach_the_outside_masqueraded),
		host_test(row_12_5_internal_network_is_closed_both_ways),
		host_test(row_12_6_router_advertisements_do_not_change_the_host),
		host_test(disabled_icc_keeps_containers_of_one_network_apart),
		host_test(row_12_16_udp_client_keeps_working_over_recreate),
		host_test(row_13_8_nothing_is_left_after_removal),
	};

	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
