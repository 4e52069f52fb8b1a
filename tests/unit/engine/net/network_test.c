/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_test.c - networks, addresses and endpoints as records and links. */
#include "testhost.h"

#include <signal.h>

#include "engine/base/strv.h"

static int try_create(struct testhost *host, const struct network_request *request,
	struct network **ret, struct error *err)
{
	return network_create(&host->engine, request, ret, err);
}

static void requests_that_cannot_be_met_are_refused(void **state)
{
	static char *const bad_mtu[] = { (char *)"com.docker.network.driver.mtu=12", NULL };
	static char *const bad_name[] = { (char *)"com.docker.network.bridge.name=a/b", NULL };
	static char *const wild_name[] = { (char *)"com.docker.network.bridge.name=br+", NULL };
	static char *const unknown[] = { (char *)"com.example.thing=1", NULL };
	static char *const taken_link[] = { (char *)"com.docker.network.bridge.name=out0", NULL };
	static char *const outside[] = { (char *)"10.9.0.1", NULL };
	static const struct row {
		struct network_request request;
		int code;
		const char *message;
	} rows[] = {
		{ { .name = "bad name" }, -EINVAL, "invalid" },
		{ { .name = "../x" }, -EINVAL, "invalid" },
		{ { .name = "host" }, -EEXIST, "already exists" },
		{ { .name = "first" }, -EEXIST, "network with name first already exists" },
		{ { .name = "n", .driver = "overlay" }, -EOPNOTSUPP, "'overlay' is not supported" },
		{ { .name = "n", .driver = "host" }, -EPERM, "only one instance" },
		{ { .name = "n", .subnet = "10.0.0.0" }, -EINVAL, "subnet '10.0.0.0'" },
		{ { .name = "n", .subnet = "172.18.4.0/24" }, -EINVAL, "overlaps network first" },
		{ { .name = "n", .subnet = "10.1.0.0/24", .gateway = "10.2.0.1" }, -EINVAL,
			"gateway 10.2.0.1" },
		{ { .name = "n", .subnet = "10.1.0.0/24", .gateway = "10.1.0.255" }, -EINVAL,
			"gateway 10.1.0.255" },
		{ { .name = "n", .subnet = "10.1.0.0/24", .ip_range = "10.2.0.0/28" }, -EINVAL,
			"ip_range 10.2.0.0/28" },
		{ { .name = "n", .subnet = "10.1.0.0/24", .reserved = outside }, -EINVAL,
			"reserved address 10.9.0.1" },
		{ { .name = "n", .options = bad_mtu }, -EINVAL, "driver.mtu" },
		{ { .name = "n", .options = bad_name }, -EINVAL, "bridge.name" },
		{ { .name = "n", .options = wild_name }, -EINVAL, "bridge.name" },
		{ { .name = "n", .options = unknown }, -EOPNOTSUPP, "com.example.thing" },
		{ { .name = "n", .options = taken_link }, -EEXIST, "out0" },
	};
	struct testhost *host = *state;
	struct network *network = NULL;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "first", NULL, false));
	before = host_snapshot();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fails(try_create(host, &rows[i].request, &network, err), rows[i].code,
			rows[i].message);
	after = host_snapshot();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void what_was_asked_is_what_is_made(void **state)
{
	char *options[] = { (char *)"com.docker.network.bridge.name=br-test",
		(char *)"com.docker.network.driver.mtu=1400", NULL };
	struct network_request request = {
		.name = "n",
		.subnet = "10.1.0.0/24",
		.gateway = "10.1.0.254",
		.ip_range = "10.1.0.64/28",
		.options = options,
	};
	struct testhost *host = *state;
	struct network *made = NULL, *found = NULL;
	struct endpoint endpoint;
	char *text;
	int netns;

	SKIP_UNLESS_ROOT();
	succeeds(try_create(host, &request, &made, err));
	succeeds(network_find(&host->engine, "n", &found, err));
	assert_string_equal(found->id, made->id);
	network_cleanup(&found);
	made->id[12] = '\0';
	succeeds(network_find(&host->engine, made->id, &found, err));
	assert_string_equal(found->name, "n");
	assert_string_equal(found->gateway, "10.1.0.254");
	assert_string_equal(found->bridge, "br-test");
	text = output_of("ip -o addr show dev br-test | grep -o 'inet [0-9./]*'; "
			 "ip -o link show dev br-test | grep -o 'mtu [0-9]*'; cat "
			 "/proc/sys/net/ipv4/ip_forward");
	assert_string_equal(text, "inet 10.1.0.254/24\nmtu 1400\n1\n");
	free(text);
	netns = container_made(host, "c", "n", NULL, 0, &endpoint);
	assert_string_equal(endpoint.address, "10.1.0.64");
	enter(netns);
	text = output_of("ip -o addr show dev eth0 | grep -o 'inet [0-9./]*'; "
			 "ip route show default; ip -o link show dev eth0 | grep -o 'mtu [0-9]*'; "
			 "ip -o link show dev eth0 | grep -o 'ether [0-9a-f:]*'");
	assert_string_equal(text, "inet 10.1.0.64/24\ndefault via 10.1.0.254 dev eth0 \n"
				  "mtu 1400\nether 02:42:0a:01:00:40\n");
	free(text);
	enter(host->host_netns);
	network_free(made);
	network_free(found);
	endpoint_release(&endpoint);
}

static void builtin_networks_are_always_found(void **state)
{
	struct testhost *host = *state;
	struct network *network = NULL, *again = NULL, **networks;
	struct endpoint endpoint;
	char *text;
	size_t count;

	SKIP_UNLESS_ROOT();
	succeeds(network_list(&host->engine, &networks, &count, err));
	assert_int_equal(count, 3);
	network_list_free(networks, count);
	succeeds(network_find(&host->engine, "none", &network, err));
	assert_string_equal(network->driver, "null");
	network_cleanup(&network);
	succeeds(network_find(&host->engine, "bridge", &network, err));
	assert_string_equal(network->subnet, "172.17.0.0/16");
	succeeds(network_find(&host->engine, "bridge", &again, err));
	assert_string_equal(again->bridge, network->bridge);
	network_cleanup(&again);
	fails(network_remove(&host->engine, "bridge", err), -EPERM, "pre-defined");
	/* its bridge is there while somebody is on it */
	container_made(host, "c", "bridge", NULL, 0, &endpoint);
	run("ip link show dev %s >/dev/null", network->bridge);
	succeeds(endpoint_release_all(&host->engine, "c", err));
	text = output_of("ip -o link | grep -c 'mc-\\|mv' || true");
	assert_string_equal(text, "0\n");
	free(text);
	endpoint_release(&endpoint);
	network_free(network);
}

static void removal_is_refused_while_in_use_and_complete_after(void **state)
{
	struct testhost *host = *state;
	struct endpoint endpoint;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	before = host_snapshot();
	network_free(network_made(host, "n", NULL, false));
	container_made(host, "web", "n", NULL, 0, &endpoint);
	succeeds(firewall_sync(&host->engine, err));
	fails(network_remove(&host->engine, "n", err), -EBUSY,
		"network n has active endpoints (web)");
	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(network_remove(&host->engine, "n", err));
	fails(network_remove(&host->engine, "n", err), -ENOENT, "network n not found");
	after = host_snapshot();
	assert_string_equal(after, before);
	free(before);
	free(after);
	endpoint_release(&endpoint);
}

static void network_up_repairs_and_repeats(void **state)
{
	struct testhost *host = *state;
	struct network *network;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	network = network_made(host, "n", NULL, false);
	before = host_snapshot();
	succeeds(network_up(&host->engine, network, err));
	run("ip addr flush dev %s; ip link set %s down", network->bridge, network->bridge);
	succeeds(network_up(&host->engine, network, err));
	run("ip link del %s", network->bridge);
	succeeds(network_up(&host->engine, network, err));
	after = host_snapshot();
	assert_string_equal(after, before);
	run("ip link del %s; ip link add %s type veth", network->bridge, network->bridge);
	fails(network_up(&host->engine, network, err), -EEXIST, "is not a bridge");
	free(before);
	free(after);
	network_free(network);
}

static void row_12_13_ip_forward_is_set_once_and_left(void **state)
{
	struct testhost *host = *state;
	char *text;

	SKIP_UNLESS_ROOT();
	run("echo 0 > /proc/sys/net/ipv4/ip_forward");
	network_free(network_made(host, "closed", NULL, true));
	text = output_of("cat /proc/sys/net/ipv4/ip_forward");
	assert_string_equal(text, "0\n");
	free(text);
	network_free(network_made(host, "n", NULL, false));
	succeeds(network_remove(&host->engine, "n", err));
	text = output_of("cat /proc/sys/net/ipv4/ip_forward");
	assert_string_equal(text, "1\n");
	free(text);
}

static void row_12_14_subnets_avoid_routes_and_run_out_clearly(void **state)
{
	struct testhost *host = *state;
	struct network *network = NULL;
	char name[16];
	int made = 0;

	SKIP_UNLESS_ROOT();
	run("ip route add 172.16.0.0/12 via " OUTSIDE_ADDRESS);
	network = network_made(host, "moved", NULL, false);
	assert_string_equal(network->subnet, "192.168.0.0/20");
	network_cleanup(&network);
	run("ip route del 172.16.0.0/12 && ip addr add 172.18.3.4/32 dev lo");
	network = network_made(host, "beside", NULL, false);
	assert_string_equal(network->subnet, "172.19.0.0/16");
	network_cleanup(&network);
	for (; made < 40; made++) {
		struct network_request request = { .name = name };

		snprintf(name, sizeof(name), "n%d", made);
		if (try_create(host, &request, &network, NULL) < 0)
			break;
		network_cleanup(&network);
	}
	assert_int_equal(made, 31 - 1 - 1 - 2); /* the built-in's, lo's, and the two made first */
	fails(try_create(host, &(struct network_request){ .name = "x" }, &network, err), -ENOSPC,
		"give a subnet");
	succeeds(try_create(host, &(struct network_request){ .name = "x", .subnet = "10.5.0.0/24" },
		&network, err));
	network_cleanup(&network);
}

static void allocate(
	struct testhost *host, const char *id, const char *address, const char *expected)
{
	struct endpoint_request request = {
		.network = "n",
		.container_id = id,
		.container_name = id,
		.interface = "eth0",
		.address = address,
	};
	struct endpoint endpoint;

	succeeds(endpoint_allocate(&host->engine, &request, &endpoint, err));
	assert_string_equal(endpoint.address, expected);
	endpoint_release(&endpoint);
}

static int try_allocate(
	struct testhost *host, const char *id, const char *address, struct error *err)
{
	struct endpoint_request request = {
		.network = "n",
		.container_id = id,
		.container_name = id,
		.interface = "eth0",
		.address = address,
	};
	struct endpoint endpoint;

	return endpoint_allocate(&host->engine, &request, &endpoint, err);
}

static void addresses_are_kept_skipped_and_reused_last(void **state)
{
	char *reserved[] = { (char *)"10.1.0.3", NULL };
	struct network_request request = {
		.name = "n",
		.subnet = "10.1.0.0/29",
		.reserved = reserved,
	};
	struct testhost *host = *state;
	struct network *network = NULL;
	struct endpoint *endpoints;
	size_t count;

	SKIP_UNLESS_ROOT();
	succeeds(try_create(host, &request, &network, err));
	network_free(network);
	allocate(host, "a", NULL, "10.1.0.2");
	allocate(host, "b", NULL, "10.1.0.4");
	allocate(host, "a", NULL, "10.1.0.2"); /* again: the same */
	fails(try_allocate(host, "c", "10.1.0.4", err), -EADDRINUSE,
		"network 'n': address 10.1.0.4 is in use");
	fails(try_allocate(host, "c", "10.1.0.1", err), -EADDRINUSE, "gateway");
	fails(try_allocate(host, "c", "10.1.0.7", err), -EINVAL, "10.1.0.7");
	fails(try_allocate(host, "../c", NULL, err), -EINVAL, "container ID");
	allocate(
		host, "c", "10.1.0.3", "10.1.0.3"); /* reserved from the pool, not from its owner */
	succeeds(endpoint_release_all(&host->engine, "a", err));
	allocate(host, "d", NULL, "10.1.0.5"); /* not the one just freed */
	allocate(host, "e", NULL, "10.1.0.6");
	allocate(host, "f", NULL, "10.1.0.2");
	fails(try_allocate(host, "g", NULL, err), -ENOSPC, "network 'n': no free address");
	allocate(host, "f", "10.1.0.2", "10.1.0.2");
	succeeds(endpoint_release_all(&host->engine, "d", err));
	allocate(host, "f", "10.1.0.5", "10.1.0.5"); /* moves, and lets go of the old one */
	allocate(host, "g", NULL, "10.1.0.2");
	succeeds(endpoint_list(&host->engine, "n", &endpoints, &count, err));
	assert_int_equal(count, 5);
	endpoint_list_free(endpoints, count);
}

static void a_kill_between_claim_and_record_costs_no_address(void **state)
{
	struct testhost *host = *state;
	struct network *network;

	SKIP_UNLESS_ROOT();
	network = network_made(host, "n", "10.1.0.0/30", false);
	network_free(network);
	allocate(host, "a", NULL, "10.1.0.2");
	assert_int_equal(unlinkat(host->engine.run_fd, "networks/n/a.json", 0), 0);
	allocate(host, "b", NULL, "10.1.0.2");
	/* the dead claimant's index entry is no endpoint */
	struct endpoint *endpoints;
	size_t count;
	succeeds(endpoint_of_container(&host->engine, "a", &endpoints, &count, err));
	assert_int_equal(count, 0);
	succeeds(endpoint_of_container(&host->engine, "b", &endpoints, &count, err));
	assert_int_equal(count, 1);
	endpoint_list_free(endpoints, count);
}

static void row_12_17_a_thousand_endpoints_do_not_clash(void **state)
{
	struct testhost *host = *state;
	struct endpoint *endpoints = xcalloc(1000, sizeof(*endpoints));
	struct network *network;
	int netns;
	char *text;

	SKIP_UNLESS_ROOT();
	network = network_made(host, "n", NULL, false);
	netns = netns_new();
	for (int i = 0; i < 1000; i++) {
		struct endpoint_request request = { .network = "n" };
		char id[16], interface[16];

		snprintf(id, sizeof(id), "c%d", i);
		snprintf(interface, sizeof(interface), "eth%d", i);
		request.container_id = request.container_name = id;
		request.interface = interface;
		succeeds(endpoint_allocate(&host->engine, &request, &endpoints[i], err));
	}
	/* links of a few; the kernel's own cost is the larger part */
	succeeds(endpoint_attach(&host->engine, endpoints, 50, netns, err));
	text = output_of("ip -o link show master %s | wc -l", network->bridge);
	assert_string_equal(text, "50\n");
	free(text);
	assert_string_equal(endpoints[999].address, "172.18.3.233");
	endpoint_list_free(endpoints, 1000);
	network_free(network);
	close(netns);
}

static void endpoints_of_a_container_come_in_interface_order(void **state)
{
	static const char *const networks[] = { "zeta", "alpha", "mid" };
	struct testhost *host = *state;
	struct endpoint *endpoints;
	size_t count;

	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
		struct endpoint_request request = {
			.network = networks[i], .container_id = "c", .container_name = "c"
		};
		struct endpoint endpoint;
		char interface[16];

		network_free(network_made(host, networks[i], NULL, i == 0));
		snprintf(interface, sizeof(interface), "eth%zu", i);
		request.interface = interface;
		succeeds(endpoint_allocate(&host->engine, &request, &endpoint, err));
		endpoint_release(&endpoint);
	}
	succeeds(endpoint_of_container(&host->engine, "c", &endpoints, &count, err));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(endpoints[i].network, networks[i]);
	/* the default route goes by the first that has a gateway */
	int netns = netns_new();
	succeeds(endpoint_attach(&host->engine, endpoints, count, netns, err));
	enter(netns);
	succeeds(endpoint_configure(endpoints, count, err));
	char *text = output_of("ip route show default; "
			       "ip -o link show lo | grep -c LOWER_UP");
	char *expected = xasprintf("default via %s dev eth1 \n1\n", endpoints[1].gateway);
	assert_string_equal(text, expected);
	enter(host->host_netns);
	free(text);
	free(expected);
	close(netns);
	endpoint_list_free(endpoints, count);
}

/* What a command does to the network, over and over, until it is killed. */
static void work_until_killed(struct testhost *host)
{
	struct published_port port = { .host_port = 8080, .container_port = 80, .protocol = "udp" };
	struct endpoint_request request = {
		.network = "n",
		.container_id = "c",
		.container_name = "c",
		.interface = "eth0",
		.ports = &port,
		.port_count = 1,
	};
	struct network_request wanted = { .name = "n" };

	for (;;) {
		struct network *network = NULL;
		struct endpoint endpoint;
		int netns = netns_new();

		if (network_create(&host->engine, &wanted, &network, NULL) < 0 ||
			endpoint_allocate(&host->engine, &request, &endpoint, NULL) < 0 ||
			endpoint_attach(&host->engine, &endpoint, 1, netns, NULL) < 0 ||
			firewall_sync(&host->engine, NULL) < 0 ||
			endpoint_release_all(&host->engine, "c", NULL) < 0 ||
			network_remove(&host->engine, "n", NULL) < 0)
			_exit(1);
		endpoint_release(&endpoint);
		network_free(network);
		close(netns);
	}
}

static void a_kill_at_any_instant_leaves_what_removal_finds(void **state)
{
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "stays", NULL, false));
	succeeds(firewall_sync(&host->engine, err));
	before = host_snapshot();
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();
		int status, r;

		if (pid == 0)
			work_until_killed(host);
		usleep((useconds_t)(1000 + 1499 * i));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		succeeds(endpoint_release_all(&host->engine, "c", err));
		r = network_remove(&host->engine, "n", NULL);
		assert_true(r == 0 || r == -ENOENT);
		succeeds(firewall_sync(&host->engine, err));
		after = host_snapshot();
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(requests_that_cannot_be_met_are_refused),
		host_test(what_was_asked_is_what_is_made),
		host_test(builtin_networks_are_always_found),
		host_test(removal_is_refused_while_in_use_and_complete_after),
		host_test(network_up_repairs_and_repeats),
		host_test(row_12_13_ip_forward_is_set_once_and_left),
		host_test(row_12_14_subnets_avoid_routes_and_run_out_clearly),
		host_test(addresses_are_kept_skipped_and_reused_last),
		host_test(a_kill_between_claim_and_record_costs_no_address),
		host_test(row_12_17_a_thousand_endpoints_do_not_clash),
		host_test(endpoints_of_a_container_come_in_interface_order),
		host_test(a_kill_at_any_instant_leaves_what_removal_finds),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
