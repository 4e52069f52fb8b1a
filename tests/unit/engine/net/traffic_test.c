/* SPDX-License-Identifier: GPL-2.0-or-later
 * traffic_test.c - real packets between containers, host and outside. */
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
	(void)b_ns;
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(b_ns, NULL, 80);
	assert_true(connects(a_ns, b.address, 80, server));
	assert_true(connects(host->host_netns, b.address, 80, server));
	close(server);
	endpoint_release(&a);
	endpoint_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(containers_of_one_network_reach_each_other),
	};

	return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
