/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_test.c - which rules follow from which records, and what the kernel's tables hold after
 * a sync. */
#include "testhost.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <sys/file.h>

#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/net/firewall.h"
#include "engine/net/firewall_host.h"

#define V4(a, b, c, d, bits)                                               \
	{                                                                  \
		.family = AF_INET, .prefix = bits, .bytes = { a, b, c, d } \
	}
#define V6(last, bits)                                                             \
	{                                                                          \
		.family = AF_INET6, .prefix = bits, .bytes = { 0xfd, [15] = last } \
	}

static const struct firewall_port ports[] = {
	{ { 0 }, 8080, V4(172, 18, 0, 2, 32), 80, IPPROTO_TCP },
	{ V4(127, 0, 0, 1, 32), 5300, V4(172, 18, 0, 2, 32), 53, IPPROTO_UDP },
	{ V4(192, 0, 2, 1, 32), 7000, V4(172, 18, 0, 2, 32), 7, IPPROTO_SCTP },
};
static const struct firewall_network front = {
	.bridge = "mc-front",
	.subnets = { V4(172, 18, 0, 0, 16) },
	.gateways = { V4(172, 18, 0, 1, 32) },
	.ports = ports,
	.port_count = ARRAY_LEN(ports),
};
static const struct firewall_network vault = {
	.bridge = "mc-vault",
	.internal = true,
	.subnets = { V4(172, 19, 0, 0, 16) },
	.gateways = { V4(172, 19, 0, 1, 32) },
	.resolver_ports = { 40000 },
};
static const struct firewall_port ports6[] = {
	{ { 0 }, 8080, V6(2, 128), 80, IPPROTO_TCP },
	{ { AF_INET6, 128, { [15] = 1 } }, 8081, V6(2, 128), 81, IPPROTO_TCP },
};
static const struct firewall_network six = {
	.bridge = "mc-six",
	.subnets = { [FIREWALL_V6] = V6(0, 64) },
	.gateways = { [FIREWALL_V6] = V6(1, 128) },
	.resolver_ports = { [FIREWALL_V6] = 40000 },
	.ports = ports6,
	.port_count = ARRAY_LEN(ports6),
};

static char *rules_text(const struct firewall_network *networks, size_t count, const char *world)
{
	struct strbuf text = STRBUF_INIT;
	struct firewall firewall;

	firewall_build(networks, count, world, &firewall);
	for (size_t i = 0; i < FIREWALL_CHAINS; i++)
		for (size_t k = 0; k < firewall.chains[i].count; k++)
			rule_print(firewall.chains[i].name, &firewall.chains[i].rules[k], &text);
	firewall_release(&firewall);
	return strbuf_steal(&text);
}

static void rules_follow_from_records(void **state)
{
	static const char expected[] =
		"-A MYCOMPOSE-FORWARD -j MYCOMPOSE-USER\n"
		"-A MYCOMPOSE-FORWARD -i mc-vault ! -o mc-vault -j DROP\n"
		"-A MYCOMPOSE-FORWARD ! -i mc-vault -o mc-vault -j DROP\n"
		"-A MYCOMPOSE-FORWARD -o mc-front -m conntrack --ctstate "
		"RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -i mc-front -o mc-front -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -o mc-front -j DROP\n"
		"-A MYCOMPOSE-FORWARD -o mc-vault -m conntrack --ctstate "
		"RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -i mc-vault -o mc-vault -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -o mc-vault -j DROP\n"
		"-A MYCOMPOSE-FORWARD -i mc-front -o mc-+ -m conntrack ! --ctstate "
		"RELATED,ESTABLISHED,DNAT -j DROP\n"
		"-A MYCOMPOSE-FORWARD -i mc-front -j ACCEPT\n"
		"-A MYCOMPOSE-INPUT -s 127.0.0.0/8 -i mc-front -j DROP\n"
		"-A MYCOMPOSE-INPUT -d 127.0.0.0/8 -i mc-front -m conntrack ! --ctstate "
		"RELATED,ESTABLISHED -j DROP\n"
		"-A MYCOMPOSE-INPUT -d 172.19.0.1/32 -i mc-vault -p udp -m udp --dport 40000 -j "
		"ACCEPT\n"
		"-A MYCOMPOSE-INPUT -d 172.19.0.1/32 ! -i mc-vault -p udp -m udp --dport 40000 -j "
		"DROP\n"
		"-A MYCOMPOSE-INPUT -d 172.19.0.1/32 -i mc-vault -p tcp -m tcp --dport 40000 -j "
		"ACCEPT\n"
		"-A MYCOMPOSE-INPUT -d 172.19.0.1/32 ! -i mc-vault -p tcp -m tcp --dport 40000 -j "
		"DROP\n"
		"-A MYCOMPOSE-PREROUTING -d 172.19.0.1/32 -i mc-vault -p udp -m udp --dport 53 -j "
		"DNAT --to-destination 172.19.0.1:40000\n"
		"-A MYCOMPOSE-PREROUTING -d 172.19.0.1/32 -i mc-vault -p tcp -m tcp --dport 53 -j "
		"DNAT --to-destination 172.19.0.1:40000\n"
		"-A MYCOMPOSE-PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
		"172.18.0.2:80\n"
		"-A MYCOMPOSE-PREROUTING -d 192.0.2.1/32 -p sctp -m sctp --dport 7000 -j DNAT "
		"--to-destination 172.18.0.2:7\n"
		"-A MYCOMPOSE-OUTPUT -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
		"172.18.0.2:80\n"
		"-A MYCOMPOSE-OUTPUT -d 127.0.0.1/32 -p udp -m udp --dport 5300 -j DNAT "
		"--to-destination 172.18.0.2:53\n"
		"-A MYCOMPOSE-OUTPUT -d 192.0.2.1/32 -p sctp -m sctp --dport 7000 -j DNAT "
		"--to-destination 172.18.0.2:7\n"
		"-A MYCOMPOSE-POSTROUTING -s 172.18.0.0/16 ! -o mc-front -j MASQUERADE\n"
		"-A MYCOMPOSE-POSTROUTING -s 172.18.0.0/16 -o mc-front -m conntrack --ctstate "
		"DNAT -j MASQUERADE\n"
		"-A MYCOMPOSE-POSTROUTING -o mc-front -m addrtype --src-type LOCAL -m conntrack "
		"--ctstate DNAT -j MASQUERADE\n";
	const struct firewall_network networks[] = { front, vault };
	char *text = rules_text(networks, 2, "");

	(void)state;
	assert_string_equal(text, expected);
	free(text);
}

static void ipv6_rules_are_for_networks_that_have_it(void **state)
{
	static const char expected[] =
		"-A MYCOMPOSE-FORWARD -j MYCOMPOSE-USER\n"
		"-A MYCOMPOSE-FORWARD -i mc-front ! -o mc-front -j DROP\n"
		"-A MYCOMPOSE-FORWARD ! -i mc-front -o mc-front -j DROP\n"
		"-A MYCOMPOSE-FORWARD -o mc-front -m conntrack --ctstate "
		"RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -i mc-front -o mc-front -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -o mc-front -j DROP\n"
		"-A MYCOMPOSE-FORWARD -o mc-six -m conntrack --ctstate "
		"RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -i mc-six -o mc-six -j ACCEPT\n"
		"-A MYCOMPOSE-FORWARD -o mc-six -j DROP\n"
		"-A MYCOMPOSE-FORWARD -i mc-six -o mc-+ -m conntrack ! --ctstate "
		"RELATED,ESTABLISHED,DNAT -j DROP\n"
		"-A MYCOMPOSE-FORWARD -i mc-six -j ACCEPT\n"
		"-A MYCOMPOSE-INPUT -i mc-six -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT\n"
		"-A MYCOMPOSE-INPUT -i mc-six -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT\n"
		"-A MYCOMPOSE-INPUT -d fd00::1/128 -i mc-six -p udp -m udp --dport 40000 -j "
		"ACCEPT\n"
		"-A MYCOMPOSE-INPUT -d fd00::1/128 ! -i mc-six -p udp -m udp --dport 40000 -j "
		"DROP\n"
		"-A MYCOMPOSE-INPUT -d fd00::1/128 -i mc-six -p tcp -m tcp --dport 40000 -j "
		"ACCEPT\n"
		"-A MYCOMPOSE-INPUT -d fd00::1/128 ! -i mc-six -p tcp -m tcp --dport 40000 -j "
		"DROP\n"
		"-A MYCOMPOSE-PREROUTING -d fd00::1/128 -i mc-six -p udp -m udp --dport 53 -j "
		"DNAT --to-destination [fd00::1]:40000\n"
		"-A MYCOMPOSE-PREROUTING -d fd00::1/128 -i mc-six -p tcp -m tcp --dport 53 -j "
		"DNAT --to-destination [fd00::1]:40000\n"
		"-A MYCOMPOSE-PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
		"[fd00::2]:80\n"
		"-A MYCOMPOSE-OUTPUT ! -d ::1/128 -p tcp -m tcp --dport 8080 -j DNAT "
		"--to-destination [fd00::2]:80\n"
		"-A MYCOMPOSE-POSTROUTING -s fd00::/64 ! -o mc-six -j MASQUERADE\n"
		"-A MYCOMPOSE-POSTROUTING -s fd00::/64 -o mc-six -m conntrack --ctstate DNAT -j "
		"MASQUERADE\n"
		"-A MYCOMPOSE-POSTROUTING -o mc-six -m addrtype --src-type LOCAL -m conntrack "
		"--ctstate DNAT -j MASQUERADE\n";
	const struct firewall_network networks[] = { front, six };
	char *text = rules_text(networks, 2, ""), *both;

	(void)state;
	/* IPv4 comes first, and closes what has no address of it. */
	both = strstr(text, "-A MYCOMPOSE-FORWARD -j MYCOMPOSE-USER\n");
	assert_ptr_equal(both, text);
	assert_non_null(strstr(text, "-A MYCOMPOSE-FORWARD -i mc-six ! -o mc-six -j DROP\n"));
	assert_string_equal(strstr(text + 1, "-A MYCOMPOSE-FORWARD -j MYCOMPOSE-USER\n"), expected);
	free(text);
}

static void no_network_needs_no_chain(void **state)
{
	char *text = rules_text(NULL, 0, "");

	(void)state;
	assert_string_equal(text, "");
	free(text);
}

static void options_and_worlds_change_the_rules(void **state)
{
	struct firewall_network entry = front;
	char *text;

	entry.port_count = 0;
	entry.no_masquerade = true;
	entry.no_icc = true;
	text = rules_text(&entry, 1, "abc123");

	(void)state;
	assert_null(strstr(text, "MASQUERADE"));
	assert_null(strstr(text, "-i mc-front -o mc-front -j ACCEPT"));
	assert_non_null(strstr(text, "-A MYCOMPOSE-abc123-FORWARD -i mc-front -j ACCEPT\n"));
	free(text);
}

/* Two networks, one publishing; names of chains in this host's world are cut out of the answer. */
static void populate(struct testhost *host)
{
	struct published_port port[] = {
		{ .host_port = 8080, .container_port = 80, .protocol = "tcp" },
		{ .host_port = 8081, .container_port = 81, .protocol = "udp" },
		{ (char *)"192.0.2.1", .host_port = 8082, .container_port = 82,
			.protocol = "sctp" },
	};
	struct endpoint endpoint;

	network_free(network_made(host, "front", "172.18.0.0/16", false));
	network_free(network_made(host, "vault", "172.19.0.0/16", true));
	container_made(host, "web", "front", port, 3, &endpoint);
	endpoint_release(&endpoint);
}

static void depopulate(struct testhost *host)
{
	succeeds(endpoint_release_all(&host->engine, "web", err));
	succeeds(network_remove(&host->engine, "front", err));
	succeeds(network_remove(&host->engine, "vault", err));
}

static char *kernel_rules(void)
{
	return output_of("iptables-legacy-save | grep -v '^#\\|^:' | "
			 "sed 's/MYCOMPOSE-[0-9a-f]*-/MYCOMPOSE-/'");
}

static void kernel_holds_what_iptables_would_have_written(void **state)
{
	struct testhost *host = *state;
	struct network *record = NULL;
	char *text, *rule;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	succeeds(network_find(&host->engine, "front", &record, err));
	text = kernel_rules();
	rule = xasprintf("-A MYCOMPOSE-FORWARD -o %s -m conntrack --ctstate "
			 "RELATED,ESTABLISHED,DNAT -j ACCEPT\n",
		record->bridge);
	static const char *const rows[] = {
		"-A FORWARD -j MYCOMPOSE-FORWARD\n",
		"-A INPUT -j MYCOMPOSE-INPUT\n",
		"-A PREROUTING -m addrtype --dst-type LOCAL -j MYCOMPOSE-PREROUTING\n",
		"-A OUTPUT -m addrtype --dst-type LOCAL -j MYCOMPOSE-OUTPUT\n",
		"-A POSTROUTING -j MYCOMPOSE-POSTROUTING\n",
		"-A MYCOMPOSE-FORWARD -j MYCOMPOSE-USER\n",
		"-A MYCOMPOSE-PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination "
		"172.18.0.2:80\n",
		"-A MYCOMPOSE-PREROUTING -p udp -m udp --dport 8081 -j DNAT --to-destination "
		"172.18.0.2:81\n",
		"-A MYCOMPOSE-PREROUTING -d 192.0.2.1/32 -p sctp -m sctp --dport 8082 -j DNAT "
		"--to-destination 172.18.0.2:82\n",
	};
	assert_non_null(strstr(text, rule));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!strstr(text, rows[i]))
			fail_msg("missing: %s in\n%s", rows[i], text);
	free(rule);
	free(text);
	network_free(record);
}

static void second_sync_commits_nothing(void **state)
{
	struct testhost *host = *state;

	SKIP_UNLESS_ROOT();
	/* nothing to protect: not even the tables are opened */
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	char *tables = output_of("cat /proc/net/ip_tables_names");
	assert_string_equal(tables, "");
	free(tables);
	populate(host);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
}

static void row_12_12_rules_are_remade_whatever_was_lost(void **state)
{
	static const char *const damages[] = {
		"iptables-legacy -F; iptables-legacy -t nat -F",
		"iptables-legacy -F FORWARD",
		"iptables-legacy -t nat -F; iptables-legacy -t nat -X",
		"iptables-legacy -F; iptables-legacy -X",
		"iptables-legacy -I FORWARD -j ACCEPT",
		"iptables-legacy -A FORWARD -j $(iptables-legacy -S | "
		"sed -n 's/^-N \\(MYCOMPOSE.*-FORWARD\\)/\\1/p')",
		"iptables-legacy -I $(iptables-legacy -S | "
		"sed -n 's/^-N \\(MYCOMPOSE.*-FORWARD\\)/\\1/p') -j ACCEPT",
		"iptables-legacy -D $(iptables-legacy -S | "
		"sed -n 's/^-N \\(MYCOMPOSE.*-FORWARD\\)/\\1/p') 3",
		"iptables-legacy -t nat -R $(iptables-legacy -t nat -S | "
		"sed -n 's/^-N \\(MYCOMPOSE.*-PREROUTING\\)/\\1/p') 1 -p tcp --dport 8080 -j DNAT "
		"--to-destination 172.18.0.3:80",
	};
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	before = kernel_rules();
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		run("%s", damages[i]);
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
		run("iptables-legacy -D FORWARD -j ACCEPT 2>/dev/null || true");
		after = kernel_rules();
		assert_string_equal(after, before);
		free(after);
		assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	}
	free(before);
}

static void rules_of_others_stay(void **state)
{
	struct testhost *host = *state;
	char *before, *after;

	SKIP_UNLESS_ROOT();
	run("iptables-legacy -N OTHER && iptables-legacy -A OTHER -s 10.0.0.0/8 -m comment "
	    "--comment 'by hand' -j ACCEPT && iptables-legacy -A FORWARD -j OTHER && "
	    "iptables-legacy -P FORWARD DROP && "
	    "iptables-legacy -t nat -A POSTROUTING -o out0 -j MASQUERADE");
	before = kernel_rules();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	depopulate(host);
	after = kernel_rules();
	assert_string_equal(after, before);
	free(before);
	free(after);
	after = output_of("iptables-legacy -S FORWARD | head -1");
	assert_string_equal(after, "-P FORWARD DROP\n");
	free(after);
}

/* One of many commands that each bring up a container with a port of its own. */
static int publish_one(struct testhost *host, int number)
{
	struct published_port port = {
		.host_port = (uint16_t)(20000 + number), .container_port = 80, .protocol = "tcp"
	};
	char id[16];
	struct endpoint_request request = {
		.network = "front",
		.container_id = id,
		.container_name = id,
		.interface = "eth0",
		.ports = &port,
		.port_count = 1,
	};
	struct endpoint endpoint;

	snprintf(id, sizeof(id), "c%d", number % 1000);
	return endpoint_allocate(&host->engine, &request, &endpoint, NULL) < 0 ||
	       firewall_sync(&host->engine, NULL) < 0;
}

static void row_12_10_parallel_ups_and_iptables_lose_no_rule(void **state)
{
	enum { UPS = 50, RULES = 40 };
	struct testhost *host = *state;
	pid_t pids[UPS], looper;
	char *count;
	int status;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	run("iptables-legacy -t nat -N OTHER");
	looper = fork();
	if (looper == 0) {
		for (int i = 0; i < RULES; i++)
			if (system("iptables-legacy -w -t nat -A OTHER -j RETURN") != 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < UPS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(publish_one(host, i));
	}
	for (int i = 0; i < UPS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(waitpid(looper, &status, 0), looper);
	assert_int_equal(status, 0);
	count = output_of("iptables-legacy -t nat -S OTHER | grep -c RETURN; "
			  "iptables-legacy -t nat -S | grep -c 'PREROUTING.*--dport 20.*DNAT'; "
			  "iptables-legacy -t nat -S | grep -c 'OUTPUT.*--dport 20.*DNAT'");
	assert_string_equal(count, "40\n50\n50\n");
	free(count);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
}

static void row_12_10_the_xtables_lock_is_waited_for(void **state)
{
	struct testhost *host = *state;
	int held[2], status;
	int64_t began;
	pid_t pid;
	char byte;

	SKIP_UNLESS_ROOT();
	populate(host);
	assert_int_equal(pipe2(held, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(getenv("XTABLES_LOCKFILE"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(held[1], "x", 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(0);
	}
	assert_int_equal(read(held[0], &byte, 1), 1);
	began = time_monotonic();
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_true(time_monotonic() - began > 200 * NS_PER_MS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(held[0]);
	close(held[1]);
}

/* Somebody writes the table without the lock, again and again: each commit answers EAGAIN. */
static int sync_always_overtaken(struct testhost *host)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct error err = ERROR_INIT;
	int64_t began = time_monotonic();

	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EAGAIN), SCMP_SYS(setsockopt), 2,
		    SCMP_A1(SCMP_CMP_EQ, IPPROTO_IP),
		    SCMP_A2(SCMP_CMP_EQ, IPT_SO_SET_REPLACE)) < 0 ||
		seccomp_load(filter) < 0)
		return 1;
	if (firewall_sync(&host->engine, &err) != -EAGAIN)
		return 2;
	if (!strstr(error_text(&err), "iptables table 'filter'"))
		return 3;
	return time_monotonic() - began > 100 * NS_PER_MS ? 0 : 4;
}

static void row_12_10_an_overtaken_commit_is_tried_again(void **state)
{
	struct testhost *host = *state;
	int status;
	pid_t pid;

	SKIP_UNLESS_ROOT();
	populate(host);
	pid = fork();
	if (pid == 0)
		_exit(sync_always_overtaken(host));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void user_chain_goes_when_it_is_empty(void **state)
{
	struct testhost *host = *state;
	char *text;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	depopulate(host);
	text = output_of("iptables-legacy-save | grep -c MYCOMPOSE || true");
	assert_string_equal(text, "0\n");
	free(text);
}

static void two_worlds_on_one_host_do_not_touch_each_other(void **state)
{
	struct testhost *host = *state;
	struct engine first, second;
	struct endpoint endpoint;
	int a, b, server;
	char *text;

	SKIP_UNLESS_ROOT();
	first = host->engine;
	populate(host);
	succeeds(firewall_sync(&first, err));
	second = first;
	second.data_path = xasprintf("%s/data2", host->root);
	second.run_path = xasprintf("%s/run2", host->root);
	second.data_fd = dir_make_open(AT_FDCWD, second.data_path, 0700, NULL);
	second.run_fd = dir_make_open(AT_FDCWD, second.run_path, 0700, NULL);
	host->engine = second;
	struct network *network = network_made(host, "other", NULL, false);
	b = container_made(host, "b", "other", NULL, 0, &endpoint);
	assert_int_equal(succeeds(firewall_sync(&second, err)), 1);
	assert_int_equal(succeeds(firewall_sync(&first, err)), 0);
	assert_int_equal(succeeds(firewall_sync(&second, err)), 0);
	a = host->containers[0];
	server = listener_in(b, NULL, 80);
	assert_true(is_cut_off(a, endpoint.address, 80, server));
	close(server);
	server = listener_in(a, NULL, 80);
	assert_true(is_cut_off(b, "172.18.0.2", 80, server));
	assert_true(connects(b, HOST_ADDRESS, 8080, server));
	close(server);
	succeeds(endpoint_release_all(&second, "b", err));
	succeeds(network_remove(&second, "other", err));
	assert_int_equal(succeeds(firewall_sync(&first, err)), 0);
	text = output_of("iptables-legacy-save | grep -c '^:MYCOMPOSE'");
	assert_string_equal(text, "6\n");
	free(text);
	host->engine = first;
	engine_release(&second);
	endpoint_release(&endpoint);
	network_free(network);
}

static void unpublished_bridges_do_not_carry_loopback(void **state)
{
	struct testhost *host = *state;
	struct network *record = NULL, *closed = NULL;
	char *text;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(network_find(&host->engine, "front", &record, err));
	succeeds(network_find(&host->engine, "vault", &closed, err));
	text = output_of("cat /proc/sys/net/ipv4/conf/%s/route_localnet", record->bridge);
	assert_string_equal(text, "0\n"); /* not before the rules */
	free(text);
	succeeds(firewall_sync(&host->engine, err));
	text = output_of("cat /proc/sys/net/ipv4/conf/%s/route_localnet "
			 "/proc/sys/net/ipv4/conf/%s/route_localnet",
		record->bridge, closed->bridge);
	assert_string_equal(text, "1\n0\n");
	free(text);
	network_free(record);
	network_free(closed);
}

/* A kernel without the tables, played by a filter: asking for them answers as it would. */
static bool tables_taken_away(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOPROTOOPT), SCMP_SYS(getsockopt), 1,
			    SCMP_A1(SCMP_CMP_EQ, IPPROTO_IP)) == 0 &&
		    seccomp_load(filter) == 0;

	seccomp_release(filter);
	return done;
}

/* And one without nftables. */
static bool nftables_taken_away(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool done = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2,
			    SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
			    SCMP_A2(SCMP_CMP_EQ, NETLINK_NETFILTER)) == 0 &&
		    seccomp_load(filter) == 0;

	seccomp_release(filter);
	return done;
}

static int sync_with_nothing(struct testhost *host)
{
	struct error err = ERROR_INIT;

	if (!tables_taken_away() || !nftables_taken_away())
		return 1;
	if (firewall_sync(&host->engine, &err) != -EOPNOTSUPP)
		return 2;
	return strstr(error_text(&err),
		       "this kernel offers no iptables filter table; this kernel has no nftables")
		       ? 0
		       : 3;
}

/* Rules are where they were put, and go from there, whatever a later command would choose. */
static int sync_into_nftables(struct testhost *host)
{
	cleanup_strbuf struct strbuf why = STRBUF_INIT;

	if (!tables_taken_away())
		return 1;
	if (firewall_sync(&host->engine, NULL) != 1 || firewall_sync(&host->engine, NULL) != 0)
		return 2;
	if (system("nft list ruleset | grep -q 'tcp dport 8080 .*dnat to 172.18.0.2:80'") != 0)
		return 3;
	if (strcmp(firewall_backend_name(&host->engine, &why), "nft") != 0 ||
		strcmp(strbuf_text(&why), "the rules in place are there") != 0)
		return 4;
	return 0;
}

static int exit_of_child(int (*function)(struct testhost *host), struct testhost *host)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(function(host));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_kernel_without_any_tables_is_named(void **state)
{
	struct testhost *host = *state;

	SKIP_UNLESS_ROOT();
	populate(host);
	assert_int_equal(exit_of_child(sync_with_nothing, host), 0);
}

static void a_kernel_without_legacy_tables_gets_nftables(void **state)
{
	struct testhost *host = *state;
	char *text;

	SKIP_UNLESS_ROOT();
	assert_string_equal(firewall_backend_name(&host->engine, NULL), "legacy");
	populate(host);
	assert_int_equal(exit_of_child(sync_into_nftables, host), 0);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	assert_string_equal(firewall_backend_name(&host->engine, NULL), "nft");
	depopulate(host);
	text = output_of("nft list ruleset; cat /proc/net/ip_tables_names");
	assert_string_equal(text, "");
	free(text);
	assert_string_equal(firewall_backend_name(&host->engine, NULL), "legacy");
}

static void the_environment_moves_the_rules(void **state)
{
	struct testhost *host = *state;
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	char *text;

	SKIP_UNLESS_ROOT();
	populate(host);
	succeeds(firewall_sync(&host->engine, err));
	setenv(FIREWALL_ENVIRONMENT, "nft", 1);
	assert_string_equal(firewall_backend_name(&host->engine, &why), "nft");
	assert_string_equal(strbuf_text(&why), "MYCOMPOSE_FIREWALL asks for it");
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	text = output_of("iptables-legacy-save | grep -c MYCOMPOSE; "
			 "nft list ruleset | grep -c 'chain MYCOMPOSE.*-FORWARD'");
	assert_string_equal(text, "0\n1\n");
	free(text);
	setenv(FIREWALL_ENVIRONMENT, "legacy", 1);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	text = output_of(
		"iptables-legacy-save | grep -c '^:MYCOMPOSE.*-FORWARD'; nft list ruleset | "
		"grep -c MYCOMPOSE || true");
	assert_string_equal(text, "1\n0\n");
	free(text);
	setenv(FIREWALL_ENVIRONMENT, "ipfw", 1);
	assert_null(firewall_backend_name(&host->engine, NULL));
	fails(firewall_sync(&host->engine, err), -EINVAL,
		"MYCOMPOSE_FIREWALL=ipfw is not known: it may be legacy or nft");
	unsetenv(FIREWALL_ENVIRONMENT);
}

static void row_12_11_rules_go_where_iptables_drops(void **state)
{
	struct testhost *host = *state;
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	int server;

	SKIP_UNLESS_ROOT();
	populate(host);
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_string_equal(firewall_backend_name(&host->engine, NULL), "legacy");
	/* As the start of a daemon would. */
	run("iptables-nft -P FORWARD DROP");
	assert_string_equal(firewall_backend_name(&host->engine, &why), "nft");
	assert_non_null(strstr(strbuf_text(&why), "iptables on nftables drops"));
	server = listener_in(host->containers[0], NULL, 80);
	assert_true(is_cut_off(host->outside_netns, HOST_ADDRESS, 8080, server));
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 1);
	assert_true(connects(host->outside_netns, HOST_ADDRESS, 8080, server));
	/* They stay there, whatever becomes of it. */
	run("iptables-nft -P FORWARD ACCEPT");
	assert_int_equal(succeeds(firewall_sync(&host->engine, err)), 0);
	close(server);
}

static char *obstacles(struct testhost *host)
{
	cleanup_strv char **list = NULL;

	succeeds(firewall_obstacles(&host->engine, &list, err));
	return list ? strv_join(list, "\n") : xstrdup("");
}

static void row_12_11_chains_of_others_that_drop_are_named(void **state)
{
	static const char iptables_nft[] =
		"nftables chain ip filter FORWARD drops what it does not know "
		"(MYCOMPOSE_FIREWALL=nft makes it accept what ours accept)";
	static const struct {
		const char *backend;
		const char *commands;
		const char *expected;
	} rows[] = {
		{ "legacy", "true", "" },
		{ "legacy", "iptables-legacy -P FORWARD DROP", "" },
		{ "legacy", "iptables-nft -P FORWARD DROP", iptables_nft },
		{ "legacy", "iptables-nft -P FORWARD ACCEPT; iptables-nft -A FORWARD -j REJECT",
			iptables_nft },
		{ "legacy",
			"nft add table inet fw && nft add chain inet fw passing '{ type filter "
			"hook "
			"forward priority 10; policy accept; }' && "
			"nft add rule inet fw passing ct state invalid drop && "
			"nft add rule inet fw passing limit rate 1/second drop && "
			"nft add chain inet fw in '{ type filter hook input priority 0; "
			"policy drop; }' && nft add chain inet fw nat '{ type nat hook prerouting "
			"priority 0; policy accept; }'",
			"" },
		{ "legacy",
			"nft add table inet fw && nft add chain inet fw passing '{ type filter "
			"hook "
			"forward priority 10; policy accept; }' && "
			"nft add rule inet fw passing ct status dnat accept && "
			"nft add rule inet fw passing counter log reject with icmpx "
			"admin-prohibited",
			"nftables chain inet fw passing drops what it does not know (it must "
			"accept "
			"the bridges of mycompose's networks)" },
		{ "nft", "iptables-nft -P FORWARD DROP", "" },
		{ "nft", "iptables-legacy -P FORWARD DROP",
			"chain FORWARD of iptables' legacy tables drops what it does not know "
			"(MYCOMPOSE_FIREWALL=legacy puts the rules there, before it drops)" },
		{ "nft", "iptables-legacy -A FORWARD -j DROP",
			"chain FORWARD of iptables' legacy tables drops what it does not know "
			"(MYCOMPOSE_FIREWALL=legacy puts the rules there, before it drops)" },
		{ "nft", "iptables-legacy -A FORWARD -s 10.0.0.0/8 -j DROP", "" },
	};
	struct testhost *host = *state;

	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text;
		int fresh = netns_new();

		enter(fresh);
		setenv(FIREWALL_ENVIRONMENT, rows[i].backend, 1);
		run("%s", rows[i].commands);
		text = obstacles(host);
		assert_string_equal(text, rows[i].expected);
		free(text);
		unsetenv(FIREWALL_ENVIRONMENT);
		enter(host->host_netns);
		close(fresh);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_follow_from_records),
		cmocka_unit_test(ipv6_rules_are_for_networks_that_have_it),
		cmocka_unit_test(no_network_needs_no_chain),
		cmocka_unit_test(options_and_worlds_change_the_rules),
		host_test(kernel_holds_what_iptables_would_have_written),
		host_test(second_sync_commits_nothing),
		host_test(row_12_12_rules_are_remade_whatever_was_lost),
		host_test(rules_of_others_stay),
		host_test(row_12_10_parallel_ups_and_iptables_lose_no_rule),
		host_test(row_12_10_the_xtables_lock_is_waited_for),
		host_test(row_12_10_an_overtaken_commit_is_tried_again),
		host_test(user_chain_goes_when_it_is_empty),
		host_test(two_worlds_on_one_host_do_not_touch_each_other),
		host_test(unpublished_bridges_do_not_carry_loopback),
		host_test(a_kernel_without_any_tables_is_named),
		host_test(a_kernel_without_legacy_tables_gets_nftables),
		host_test(the_environment_moves_the_rules),
		host_test(row_12_11_rules_go_where_iptables_drops),
		host_test(row_12_11_chains_of_others_that_drop_are_named),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
