/* SPDX-License-Identifier: GPL-2.0-or-later
 * consistency_test.c - what does not fit together is told before anything is touched, all of it in
 * one run, each with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compose/ip_text.h"
#include "helper.h"

static void what_does_not_fit_is_told(void **state)
{
	static const char *const rows[][2] = {
		/* ports */
		{ "services: {a: {image: i, ports: ['80:80', '80:81']}}\n",
			"<stdin>:1:43: services.a.ports[1]: port 80/tcp is published already by "
			"service \"a\" at <stdin>:1:34" },
		{ "services: {a: {image: i, ports: ['80:80/udp', '127.0.0.1:80:80/udp']}}\n",
			"port 80/udp is published already" },
		{ "services: {a: {image: i, ports: ['90-92:90-92', {target: 1, published: 91}]}}\n",
			"port 91/tcp is published already" },
		/* names */
		{ "services: {a: {image: i, container_name: c, scale: 2}}\n",
			"can't set container_name and scale as container name must be unique" },
		{ "services: {a: {image: i, container_name: c, deploy: {replicas: 2}}}\n",
			"can't set container_name and deploy.replicas" },
		/* addresses */
		{ "services: {a: {image: i, networks: {n: {ipv4_address: 10.2.0.1}}}}\n"
		  "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}]}}}\n",
			"<stdin>:1:55: services.a.networks.n.ipv4_address: 10.2.0.1 is in no "
			"subnet "
			"of the network" },
		{ "services: {a: {image: i, networks: {n: {ipv4_address: x}}}}\nnetworks: {n: }\n",
			"services.a.networks.n.ipv4_address: x is no IPv4 address" },
		{ "services: {a: {image: i, networks: {n: {ipv6_address: 10.1.0.1}}}}\n"
		  "networks: {n: }\n",
			"ipv6_address: 10.1.0.1 is no IPv6 address" },
		{ "services: {a: {image: i, networks: [n]}}\n"
		  "networks: {n: {ipam: {config: [{subnet: 10.1.0.0}]}}}\n",
			"networks.n.ipam.config[0].subnet: 10.1.0.0 is no subnet" },
		{ "services: {a: {image: i, networks: [n]}}\n"
		  "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.2.0.1}]}}}\n",
			"networks.n.ipam.config[0].gateway: 10.2.0.1 is not inside the subnet" },
		{ "services: {a: {image: i, networks: [n]}}\n"
		  "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16, ip_range: "
		  "10.0.0.0/8}]}}}\n",
			"ip_range: 10.0.0.0/8 is not inside the subnet" },
		{ "services: {a: {image: i, networks: [n]}}\n"
		  "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16, aux_addresses: {h: "
		  "10.2.0.1}}]}}}\n",
			"aux_addresses.h: 10.2.0.1 is not inside the subnet" },
		/* health */
		{ "services: {a: {image: i, depends_on: {b: {condition: service_healthy}}}, "
		  "b: {image: i, healthcheck: {disable: true}}}\n",
			"services.a.depends_on.b.condition: service \"a\" waits for \"b\" to be "
			"healthy, which has its healthcheck disabled" },
		{ "services: {a: {image: i, depends_on: {b: {condition: service_healthy}}}, "
		  "b: {image: i, healthcheck: {test: [NONE]}}}\n",
			"which has the healthcheck NONE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *message = must_fail(rows[i][0]);

		assert_has(message, rows[i][1]);
	}
}

/* Row 10.4: each way to depend, in circles of one, two and three. */
static void row_10_4_cycles_are_named(void **state)
{
	static const char *const rows[][2] = {
		{ "services: {a: {image: i, depends_on: [a]}}\n", "detected: a -> a" },
		{ "services: {a: {image: i, links: [b]}, b: {image: i, links: [a]}}\n",
			"detected: a -> b -> a" },
		{ "services: {a: {image: i, network_mode: 'service:b'}, b: {image: i, ipc: "
		  "'service:c'}, c: {image: i, volumes_from: [a]}}\n",
			"detected: a -> b -> c -> a" },
		{ "services: {a: {image: i, pid: 'service:a'}}\n", "detected: a -> a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *message = must_fail(rows[i][0]);

		assert_has(message, rows[i][1]);
	}
}

/* Two services of one file need not run at the same time: told, not refused. */
static void two_services_with_one_port_are_warned_about(void **state)
{
	static const char text[] =
		"services:\n"
		"  dev: {image: i, ports: ['80:80', '127.0.0.1:90:1']}\n"
		"  prod: {image: i, ports: ['127.0.0.1:80:80', '127.0.0.2:90:1']}\n";
	cleanup_project struct project *project = must_load(text), *one = NULL;
	char *services[] = { (char *)"dev", NULL };
	struct compose_options options = { .services = services };

	(void)state;
	assert_int_equal(strv_length(project->warnings), 1);
	assert_has(project->warnings[0],
		"<stdin>:3:28: services.prod.ports[0]: port 80/tcp is published already by service "
		"\"dev\" at <stdin>:2:27");
	assert_int_equal(load_text(text, strlen(text), &options, &one, NULL), 0);
	assert_int_equal(strv_length(one->warnings), 0);
}

static void ports_of_the_hosts_network_are_not_published(void **state)
{
	cleanup_project struct project *project = must_load(
		"services: {a: {image: i, network_mode: host, ports: ['80:80', '80:81']}, "
		"b: {image: i, ports: ['80:80']}}\n");

	(void)state;
	assert_int_equal(strv_length(project->warnings), 0);
}

static void two_services_with_one_address_are_warned_about(void **state)
{
	cleanup_project struct project *project = must_load(
		"services:\n"
		"  a: {image: i, networks: {n: {ipv4_address: 10.1.0.5}}}\n"
		"  b: {image: i, networks: {n: {ipv4_address: 10.1.0.5}, m: {ipv4_address: "
		"10.1.0.5}}}\n"
		"networks: {n: {ipam: {config: [{subnet: 10.1.0.0/16}]}}, m: }\n");

	(void)state;
	assert_int_equal(strv_length(project->warnings), 1);
	assert_has(project->warnings[0], "services.b.networks.n.ipv4_address: address 10.1.0.5 is "
					 "taken already by service \"a\"");
}

static void wrong_values_do_not_hide_wrong_references(void **state)
{
	cleanup_free char *message = must_fail("services:\n"
					       "  a: {image: 5, networks: [zz], secrets: [s]}\n"
					       "  b: {imag: x}\n"
					       "  c: 7\n"
					       "secrets: {s: {file: 6}}\n");

	(void)state;
	assert_has(message, "services.a.image: must be a string: write 5 in quotes");
	assert_has(message, "services.b: Additional property imag is not allowed");
	assert_has(message, "services.c: must be a mapping, not an integer");
	assert_has(message, "secrets.s.file: must be a string");
	assert_has(message, "service \"a\" refers to undefined network zz");
	/* What is only missing because it was wrong is not told again. */
	assert_null(strstr(message, "neither an image"));
	assert_null(strstr(message, "undefined secret"));
	assert_null(strstr(message, "must be set"));
}

static void an_item_that_comes_again_counts_once(void **state)
{
	cleanup_project struct project *project =
		must_load("services: {a: {image: i, ports: ['80:80', '80:80'], environment: [A=1, "
			  "A=1], expose: [80, 80], volumes: ['/a:/b', '/c:/b']}}\n");
	const struct service *a = &project->services[0];

	(void)state;
	assert_int_equal(a->port_count, 1);
	assert_int_equal(strv_length(a->environment), 1);
	assert_int_equal(strv_length(a->expose), 1);
	assert_int_equal(a->mount_count, 1);
	assert_string_equal(a->mounts[0].source, "/c");
}

static void subnets_and_addresses(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool inside;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.255.255", true },
		{ "10.1.0.0/16", "10.2.0.0", false },
		{ "10.1.2.128/25", "10.1.2.127", false },
		{ "10.1.2.128/25", "10.1.2.128", true },
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "10.0.0.1/32", "10.0.0.1", true },
		{ "10.0.0.1/32", "10.0.0.0", false },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe80::1", false },
		{ "::/0", "10.0.0.1", false },
	};
	static const char *const bad[] = { "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8",
		"/8", "fd00::/129", "10.0.0.0/", "" };
	struct ip_text outer, inner;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(ip_text_parse_subnet(rows[i].outer, &outer));
		assert_true(ip_text_parse(rows[i].inner, &inner));
		if (ip_text_contains(&outer, &inner) != rows[i].inside)
			fail_msg("%s in %s", rows[i].inner, rows[i].outer);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ip_text_parse_subnet(bad[i], &outer))
			fail_msg("%s is no subnet", bad[i]);
}

static void addresses_that_are_in_each_others_way(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "", "127.0.0.1", true },
		{ "127.0.0.1", "", true },
		{ "", "", true },
		{ "127.0.0.1", "127.0.0.1", true },
		{ "127.0.0.1", "127.0.0.2", false },
		{ "0.0.0.0", "127.0.0.2", true },
		{ "127.0.0.2", "0.0.0.0", true },
		{ "0.0.0.0", "::", false },
		{ "0.0.0.0", "::1", false },
		{ "::", "::1", true },
		{ "::1", "0:0:0:0:0:0:0:1", true },
		{ "", "::1", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *text = xasprintf(
			"services:\n"
			"  a: {image: i, ports: [{target: 1, published: '80', host_ip: '%s'}]}\n"
			"  b: {image: i, ports: [{target: 1, published: '80', host_ip: '%s'}]}\n",
			rows[i].a, rows[i].b);
		cleanup_project struct project *project = must_load(text);

		if (strv_length(project->warnings) != (size_t)rows[i].overlap)
			fail_msg("'%s' and '%s'", rows[i].a, rows[i].b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(row_10_4_cycles_are_named),
		cmocka_unit_test(two_services_with_one_port_are_warned_about),
		cmocka_unit_test(ports_of_the_hosts_network_are_not_published),
		cmocka_unit_test(two_services_with_one_address_are_warned_about),
		cmocka_unit_test(wrong_values_do_not_hide_wrong_references),
		cmocka_unit_test(an_item_that_comes_again_counts_once),
		cmocka_unit_test(subnets_and_addresses),
		cmocka_unit_test(addresses_that_are_in_each_others_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
