/* SPDX-License-Identifier: GPL-2.0-or-later
 * network6_test.c - networks with IPv6 and options, and endpoints in them, as records and links. */
#include "testhost.h"

#include "engine/base/strv.h"

static struct network *made(struct testhost *host, const struct network_request *request)
{
	struct network *network = NULL;

	succeeds(network_create(&host->engine, request, &network, err));
	return network;
}

static void requests_that_cannot_be_met_are_refused(void **state)
{
	static char *const mode[] = { (char *)"macvlan_mode=odd", (char *)"parent=out0", NULL };
	static char *const foreign[] = { (char *)"parent=out0", NULL };
	static char *const no_parent[] = { (char *)"parent=nowhere0", NULL };
	static char *const binding[] = { (char *)"com.docker.network.bridge.host_binding_ipv4=::1",
		NULL };
	static char *const reserved[] = { (char *)"fd00:2::5", NULL };
	static const struct row {
		struct network_request request;
		int code;
		const char *message;
	} rows[] = {
		{ { .name = "n", .no_ipv4 = true }, -EINVAL, "IPv4 or IPv6" },
		{ { .name = "n", .ipv6 = true, .subnet6 = "10.0.0.0/8" }, -EINVAL,
			"'10.0.0.0/8' is not an IPv6 subnet" },
		{ { .name = "n", .ipv6 = true, .subnet6 = "fd00:1::/80" }, -EINVAL,
			"overlaps network first (fd00:1::/64)" },
		{ { .name = "n", .ipv6 = true, .subnet6 = "fd00:2::/64", .gateway6 = "fd00:2::" },
			-EINVAL, "gateway fd00:2::" },
		{ { .name = "n",
			  .ipv6 = true,
			  .subnet6 = "fd00:2::/64",
			  .ip_range6 = "fd00:3::/120" },
			-EINVAL, "ip_range fd00:3::/120" },
		{ { .name = "n", .reserved = reserved }, -EINVAL, "fd00:2::5" },
		{ { .name = "n", .driver = "macvlan", .options = mode }, -EINVAL, "macvlan_mode" },
		{ { .name = "n", .driver = "macvlan", .options = no_parent }, -ENODEV,
			"parent interface 'nowhere0' does not exist" },
		{ { .name = "n", .options = foreign }, -EOPNOTSUPP, "'parent' is not supported" },
		{ { .name = "n", .options = binding }, -EINVAL, "host_binding_ipv4" },
	};
	struct network_request first = { .name = "first", .ipv6 = true, .subnet6 = "fd00:1::/64" };
	struct testhost *host = *state;
	struct network *network = NULL;

	SKIP_UNLESS_ROOT();
	network_free(made(host, &first));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fails(network_create(&host->engine, &rows[i].request, &network, err), rows[i].code,
			rows[i].message);
}

static void pools_go_where_their_family_belongs(void **state)
{
	struct network_request request = { .name = "n" };

	(void)state;
	succeeds(network_request_add_pool(&request, "10.0.0.0/24", "", NULL, err));
	succeeds(network_request_add_pool(&request, "fd00::/64", "fd00::9", "fd00::/120", err));
	assert_string_equal(request.subnet, "10.0.0.0/24");
	assert_null(request.gateway);
	assert_string_equal(request.subnet6, "fd00::/64");
	assert_string_equal(request.gateway6, "fd00::9");
	assert_string_equal(request.ip_range6, "fd00::/120");
	fails(network_request_add_pool(&request, "10.1.0.0/24", NULL, NULL, err), -EINVAL,
		"a second IPv4 subnet");
	fails(network_request_add_pool(&request, "fd01::/64", NULL, NULL, err), -EINVAL,
		"a second IPv6 subnet");
}

static struct endpoint allocated(struct testhost *host, const struct endpoint_request *request)
{
	struct endpoint endpoint = { 0 };

	succeeds(endpoint_allocate(&host->engine, request, &endpoint, err));
	return endpoint;
}

static void both_families_are_given_kept_and_released(void **state)
{
	static char *const reserved[] = { (char *)"fd00:1::2", NULL };
	struct network_request request = { .name = "n",
		.subnet = "10.1.0.0/24",
		.ipv6 = true,
		.subnet6 = "fd00:1::/64",
		.reserved = reserved };
	struct endpoint_request a = { .network = "n",
		.container_id = "a",
		.container_name = "a",
		.interface = "eth0" },
				b = a, taken = a;
	struct testhost *host = *state;
	struct endpoint first, second, again;

	SKIP_UNLESS_ROOT();
	network_free(made(host, &request));
	b.container_id = b.container_name = "b";
	first = allocated(host, &a);
	second = allocated(host, &b);
	again = allocated(host, &a);
	assert_string_equal(first.address, "10.1.0.2");
	assert_string_equal(first.address6, "fd00:1::3");
	assert_string_equal(first.gateway6, "fd00:1::1");
	assert_int_equal(first.prefix_length6, 64);
	assert_string_equal(second.address6, "fd00:1::4");
	assert_string_equal(again.address6, first.address6);
	taken.container_id = taken.container_name = "c";
	taken.address6 = "fd00:1::4";
	fails(endpoint_allocate(&host->engine, &taken, &again, err), -EADDRINUSE, "fd00:1::4");
	/* What failed has kept no address of the other family. */
	taken.container_id = taken.container_name = "e";
	taken.address6 = NULL;
	taken.address = "10.1.0.4";
	endpoint_release(&again);
	again = allocated(host, &taken);
	assert_string_equal(again.address6, "fd00:1::5");
	succeeds(endpoint_release_all(&host->engine, "b", err));
	taken.container_id = taken.container_name = "d";
	taken.address = NULL;
	taken.address6 = "FD00:1:0::4";
	endpoint_release(&again);
	again = allocated(host, &taken);
	assert_string_equal(again.address6, "fd00:1::4");
	endpoint_release(&first);
	endpoint_release(&second);
	endpoint_release(&again);
}

static void a_network_without_ipv4_has_no_ipv4(void **state)
{
	struct network_request request = {
		.name = "n", .no_ipv4 = true, .ipv6 = true, .subnet6 = "fd00:1::/64"
	};
	struct endpoint_request a = {
		.network = "n", .container_id = "a", .container_name = "a", .interface = "eth0"
	};
	struct testhost *host = *state;
	struct endpoint endpoint;
	struct network *network;

	SKIP_UNLESS_ROOT();
	network = made(host, &request);
	assert_null(network->subnet);
	assert_string_equal(network_resolver_address(network), "fd00:1::1");
	network_free(network);
	endpoint = allocated(host, &a);
	assert_null(endpoint.address);
	assert_null(endpoint.gateway);
	assert_string_equal(endpoint.mac, "02:42:00:00:00:02");
	endpoint_release(&endpoint);
	a.address = "10.0.0.5";
	a.container_id = a.container_name = "b";
	fails(endpoint_allocate(&host->engine, &a, &endpoint, err), -EINVAL, "no IPv4 subnet");
}

static void options_of_endpoints_are_checked(void **state)
{
	static const struct {
		const char *sysctl;
		bool valid;
	} rows[] = {
		{ "net.ipv4.conf.IFNAME.log_martians=1", true },
		{ "net.ipv6.conf.IFNAME.accept_ra=2", true },
		{ "net.ipv4.neigh.IFNAME.gc_stale_time=5", true },
		{ "net.ipv4.conf.eth0.log_martians=1", false },
		{ "net.ipv4.ip_forward=1", false },
		{ "kernel.conf.IFNAME.x=1", false },
		{ "net.ipv4.conf.IFNAME.a/../../../x=1", false },
		{ "net.ipv4./../conf.IFNAME.x=1", false },
		{ "net.ipv4..conf.IFNAME.x=1", false },
		{ "net.ipv4.conf.IFNAME.x", false },
		{ "net.ipv4.conf.IFNAME.=1", false },
		{ "net.ipv4.conf.IFNAME.x=1\n2", false },
	};
	static char *const bad_local[] = { (char *)"169.254.1", NULL };
	struct endpoint_request request = {
		.network = "n", .container_id = "a", .container_name = "a", .interface = "eth0"
	};
	struct testhost *host = *state;
	struct endpoint endpoint;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "n", "10.1.0.0/24", false));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *const sysctls[] = { (char *)rows[i].sysctl, NULL };

		request.sysctls = sysctls;
		if (!rows[i].valid) {
			fails(endpoint_allocate(&host->engine, &request, &endpoint, err), -EINVAL,
				"is not one of the interface");
			continue;
		}
		endpoint = allocated(host, &request);
		endpoint_release(&endpoint);
	}
	request.sysctls = NULL;
	request.link_local = bad_local;
	fails(endpoint_allocate(&host->engine, &request, &endpoint, err), -EINVAL, "'169.254.1'");
}

/* The highest gateway priority has the default route, of equals the first. */
static void the_default_route_follows_the_priority(void **state)
{
	static const struct {
		int64_t priorities[3];
		const char *gateway;
	} rows[] = {
		{ { 0, 0, 0 }, "10.1.0.1" },
		{ { 0, 1, 0 }, "10.2.0.1" },
		{ { -1, 0, 0 }, "10.2.0.1" },
		{ { 0, 5, 5 }, "10.2.0.1" },
	};
	struct testhost *host = *state;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "n1", "10.1.0.0/24", false));
	network_free(network_made(host, "n2", "10.2.0.0/24", false));
	network_free(network_made(host, "n3", "10.3.0.0/24", false));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		static const char *const names[] = { "n1", "n2", "n3" };
		static const char *const interfaces[] = { "eth0", "eth1", "eth2" };
		int netns_fd = netns_new();
		struct endpoint *endpoints;
		size_t count;
		char *route;

		for (size_t k = 0; k < 3; k++) {
			struct endpoint_request request = { .network = names[k],
				.container_id = "a",
				.container_name = "a",
				.interface = interfaces[k],
				.order = (uint16_t)k,
				.gateway_priority = rows[i].priorities[k] };
			struct endpoint endpoint = allocated(host, &request);

			endpoint_release(&endpoint);
		}
		succeeds(endpoint_of_container(&host->engine, "a", &endpoints, &count, err));
		succeeds(endpoint_attach(&host->engine, endpoints, count, netns_fd, err));
		enter(netns_fd);
		succeeds(endpoint_configure(endpoints, count, err));
		route = output_of("ip route show default");
		assert_non_null(strstr(route, rows[i].gateway));
		free(route);
		enter(host->host_netns);
		endpoint_list_free(endpoints, count);
		close(netns_fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(requests_that_cannot_be_met_are_refused),
		cmocka_unit_test(pools_go_where_their_family_belongs),
		host_test(both_families_are_given_kept_and_released),
		host_test(a_network_without_ipv4_has_no_ipv4),
		host_test(options_of_endpoints_are_checked),
		host_test(the_default_route_follows_the_priority),
	};

	return cmocka_run_group_tests_name("network6", tests, NULL, NULL);
}
