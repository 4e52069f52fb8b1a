/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_nft_test.c - what nftables holds after a sync, and what packets make of it. */
#include "testhost.h"

#include "engine/net/firewall_host.h"

static int nft_setup(void **state)
{
	setenv(FIREWALL_ENVIRONMENT, "nft", 1);
	return testhost_setup(state);
}

static int nft_teardown(void **state)
{
	unsetenv(FIREWALL_ENVIRONMENT);
	return testhost_teardown(state);
}

#define nft_test(function) cmocka_unit_test_setup_teardown(function, nft_setup, nft_teardown)

/* Two networks, one of them publishing. */
static int populate(struct testhost *host)
{
	struct published_port ports[] = {
		{ .host_port = 8080, .container_port = 80, .protocol = "tcp" },
		{ .host_port = 8081, .container_port = 81, .protocol = "udp" },
	};
	struct endpoint endpoint;
	int netns_fd;

	network_free(network_made(host, "front", "172.18.0.0/16", false));
	network_free(network_made(host, "vault", "172.19.0.0/16", true));
	netns_fd = container_made(host, "web", "front", ports, ARRAY_LEN(ports), &endpoint);
	endpoint_release(&endpoint);
	return netns_fd;
}

static void depopulate(struct testhost *host)
{
	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(network_remove(&host->engine, "front", err));
	succeeds(network_remove(&host->engine, "vault", err));
}

/* Without handles, counters and the letters that tell this run root from others. */
static char *kernel_rules(void)
{
	return output_of("nft -s list ruleset | sed -E 's/mycompose-[0-9a-f]{6}/mycompose/; "
			 "s/MYCOMPOSE-[0-9a-f]{6}-/MYCOMPOSE-/'");
}

static void ruleset_holds(const char *text, const char *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strstr(text, rows[i]))
			fail_msg("missing: %s in\n%s", rows[i], text);
}

static void kernel_holds_the_rules_with_their_hooks(void **state)
{
	static const char *const rows[] = {
		"table ip mycompose {",
		"type filter hook forward priority filter; policy accept;",
		"type filter hook input priority filter; policy accept;",
		"type nat hook prerouting priority dstnat; policy accept;",
		"type nat hook output priority -100; policy accept;",
		"type nat hook postrouting priority srcnat; policy accept;",
		"jump MYCOMPOSE-FORWARD comment \"mycompose ",
		"fib daddr type local counter jump MYCOMPOSE-PREROUTING",
		"fib daddr type local counter jump MYCOMPOSE-OUTPUT",
		"jump MYCOMPOSE-USER",
		"oifname \"mc-*\" ct state invalid,untracked counter drop",
		"tcp dport 8080 counter dnat to 172.18.0.2:80",
		"udp dport 8081 counter dnat to 172.18.0.2:81",
	};
	struct testhost *host = *state;
	char *text;

	SKIP_UNLESS_ROOT();
	populate(host);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	text = kernel_rules();
	ruleset_holds(text, rows, ARRAY_LEN(rows));
	assert_null(strstr(text, "table ip6"));
	free(text);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	depopulate(host);
	text = kernel_rules();
	assert_string_equal(text, "");
	free(text);
}

/* Chains are listed in the order of their making, which is no part of the rules. */
static char *sorted_rules(void)
{
	return output_of("nft -s list ruleset | sort");
}

static void row_12_12_rules_are_remade_whatever_was_lost(void **state)
{
	/* $T is our table. */
	static const char *const damages[] = {
		"nft flush ruleset",
		"nft flush chain ip $T forward",
		"nft flush table ip $T",
		"nft flush chain ip $T postrouting; nft delete chain ip $T postrouting",
		"nft insert rule ip $T forward accept",
		"nft add chain ip $T forward '{ policy drop ; }'",
		"nft delete rule ip $T $C handle $(nft -a list chain ip $T $C | "
		"sed -n 's/.* drop .*# handle //p' | head -1)",
		"nft replace rule ip $T $C handle $(nft -a list chain ip $T $C | "
		"sed -n 's/.* drop .*# handle //p' | head -1) accept",
	};
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	before = sorted_rules();
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		run("T=$(nft list tables | sed -n 's/table ip //p'); "
		    "C=$(nft list table ip $T | sed -n 's/.*chain \\(.*-FORWARD\\).*/\\1/p'); %s",
			damages[i]);
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
		after = sorted_rules();
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
}

static void counters_outlive_a_change_elsewhere(void **state)
{
	struct testhost *host = *state;
	struct endpoint other;
	int web, server;
	char *text;

	SKIP_UNLESS_ROOT();
	web = populate(host);
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(web, NULL, 80);
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, server));
	succeeds(firewall_sync(&host->engine, err));
	/* A further port changes PREROUTING and OUTPUT, not FORWARD. */
	container_made(host, "more", "front",
		&(struct published_port){ .host_port = 9, .container_port = 9, .protocol = "tcp" },
		1, &other);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	text = output_of(
		"nft list ruleset | grep 'ct status dnat counter packets [1-9]' | head -1");
	assert_non_null(strstr(text, "accept"));
	free(text);
	close(server);
	endpoint_release(&other);
}

static void row_12_1_user_chain_is_evaluated_first_and_kept(void **state)
{
	struct testhost *host = *state;
	int web, server;
	char *text;

	SKIP_UNLESS_ROOT();
	web = populate(host);
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(web, NULL, 80);
	run("nft add table ip h; nft add chain ip h input '{ type filter hook input priority 0; "
	    "policy drop; }'");
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, server));
	run("nft add rule ip $(nft list tables | sed -n 's/table ip \\(mycompose.*\\)/\\1/p') "
	    "MYCOMPOSE-USER ip saddr " OUTSIDE_ADDRESS " drop");
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, server));
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	close(server);
	depopulate(host);
	text = kernel_rules();
	assert_non_null(strstr(text, "ip saddr " OUTSIDE_ADDRESS " drop"));
	assert_null(strstr(text, "FORWARD"));
	assert_null(strstr(text, "jump"));
	free(text);
}

static void row_12_9_a_forward_policy_of_iptables_nft_does_not_matter(void **state)
{
	struct testhost *host = *state;
	struct endpoint far;
	int web, far_ns, server, outside;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	run("iptables-nft -P FORWARD DROP && iptables-nft -P INPUT DROP && "
	    "iptables-nft -A FORWARD -s 10.0.0.0/8 -j ACCEPT");
	before = output_of("iptables-nft -S");
	web = populate(host);
	network_free(network_made(host, "back", "172.20.0.0/16", false));
	far_ns = container_made(host, "far", "back", NULL, 0, &far);
	succeeds(firewall_sync(&host->engine, err));
	server = listener_in(web, NULL, 80);
	outside = listener_in(host->outside_netns, NULL, 443);
	for (int round = 0; round < 2; round++) {
		assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, server));
		assert_true(connects(web, OUTSIDE_ADDRESS, 443, outside));
		assert_true(connects(far_ns, HOST_ADDRESS, 8080, server));
		assert_true(is_cut_off(far_ns, "172.18.0.2", 80, server));
		/* Somebody puts a rule of his own first, or flushes. */
		run(round ? "iptables-nft -F FORWARD" : "iptables-nft -I FORWARD -j DROP");
		assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, server));
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	}
	close(server);
	close(outside);
	run("iptables-nft -A FORWARD -s 10.0.0.0/8 -j ACCEPT");
	succeeds(endpoint_release_all(&host->engine, "far", err));
	succeeds(network_remove(&host->engine, "back", err));
	depopulate(host);
	after = output_of("iptables-nft -S");
	assert_string_equal(after, before);
	free(before);
	free(after);
	endpoint_release(&far);
}

static void two_worlds_on_one_host_do_not_touch_each_other(void **state)
{
	struct testhost *host = *state;
	struct engine first, second;
	struct endpoint endpoint;
	int web, b, server;
	char *text;

	SKIP_UNLESS_ROOT();
	run("iptables-nft -P FORWARD DROP");
	web = populate(host);
	first = second = host->engine;
	succeeds(firewall_sync(&first, err));
	second.data_path = xasprintf("%s/data2", host->root);
	second.run_path = xasprintf("%s/run2", host->root);
	second.data_fd = dir_make_open(AT_FDCWD, second.data_path, 0700, NULL);
	second.run_fd = dir_make_open(AT_FDCWD, second.run_path, 0700, NULL);
	host->engine = second;
	network_free(network_made(host, "other", NULL, false));
	b = container_made(host, "b", "other", NULL, 0, &endpoint);
	assert_int_equal(succeeds(firewall_sync(&second, err)), 1);
	assert_int_equal(succeeds(firewall_sync(&first, err)), 0);
	assert_int_equal(succeeds(firewall_sync(&second, err)), 0);
	server = listener_in(web, NULL, 80);
	assert_true(is_cut_off(b, "172.18.0.2", 80, server));
	assert_true(connects(b, HOST_ADDRESS, 8080, server));
	close(server);
	succeeds(endpoint_release_all(&second, "b", err));
	succeeds(network_remove(&second, "other", err));
	assert_int_equal(succeeds(firewall_sync(&first, err)), 0);
	text = output_of("nft list tables | grep -c mycompose");
	assert_string_equal(text, "1\n");
	free(text);
	host->engine = first;
	engine_release(&second);
	endpoint_release(&endpoint);
}

static void the_tables_of_others_stay(void **state)
{
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	run("nft add table inet mine; nft add chain inet mine f '{ type filter hook forward "
	    "priority 5; policy accept; }'; nft add rule inet mine f ip saddr 10.0.0.0/8 drop");
	before = kernel_rules();
	populate(host);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	depopulate(host);
	after = kernel_rules();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		nft_test(kernel_holds_the_rules_with_their_hooks),
		nft_test(row_12_12_rules_are_remade_whatever_was_lost),
		nft_test(counters_outlive_a_change_elsewhere),
		nft_test(row_12_1_user_chain_is_evaluated_first_and_kept),
		nft_test(row_12_9_a_forward_policy_of_iptables_nft_does_not_matter),
		nft_test(two_worlds_on_one_host_do_not_touch_each_other),
		nft_test(the_tables_of_others_stay),
	};

	return cmocka_run_group_tests_name("firewall_nft", tests, NULL, NULL);
}
