/* SPDX-License-Identifier: GPL-2.0-or-later
 * record_test.c - records survive the way to JSON and back, and bad ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/net/record.h"

static void networks_make_the_round_trip(void **state)
{
	static const char text[] =
		"{\"version\":1,\"name\":\"app_default\",\"id\":\"0123456789abcdef\","
		"\"driver\":\"bridge\",\"subnet\":\"172.18.0.0/16\",\"gateway\":\"172.18.0.1\","
		"\"ip_range\":\"172.18.5.0/24\",\"internal\":true,\"bridge\":\"mc-0123456789ab\","
		"\"mtu\":1400,\"labels\":[\"a=b\"],\"options\":[\"c=d\"],"
		"\"reserved\":[\"172.18.0.9\"],\"created_ns\":1700000000123456789}";
	struct network *network = NULL;
	struct json *json = NULL, *again;
	char *printed;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(network_from_json(json, &network, NULL), 0);
	assert_true(network->internal);
	assert_int_equal(network->mtu, 1400);
	assert_true(network->created_ns == 1700000000123456789LL);
	again = network_to_json(network);
	printed = json_print(again);
	/* numbers above 2^53 are kept as text */
	assert_non_null(strstr(printed, "\"created_ns\":\"1700000000123456789\""));
	json_free(json);
	assert_int_equal(json_parse(printed, strlen(printed), &json, NULL), 0);
	network_cleanup(&network);
	assert_int_equal(network_from_json(json, &network, NULL), 0);
	assert_string_equal(network->ip_range, "172.18.5.0/24");
	assert_string_equal(network->reserved[0], "172.18.0.9");
	assert_true(network->created_ns == 1700000000123456789LL);
	network_free(network);
	json_free(json);
	json_free(again);
	free(printed);
}

static void endpoints_make_the_round_trip(void **state)
{
	static const char text[] =
		"{\"version\":1,\"network\":\"n\",\"container_id\":\"c\",\"container_name\":"
		"\"web\","
		"\"aliases\":[\"web\",\"w\"],\"address\":\"172.18.0.2\",\"prefix_length\":16,"
		"\"gateway\":\"172.18.0.1\",\"address6\":\"fd00:1::2\",\"prefix_length6\":64,"
		"\"gateway6\":\"fd00:1::1\",\"mac\":\"02:42:ac:12:00:02\",\"interface\":\"eth0\","
		"\"order\":1,\"gateway_priority\":-5,\"link_local\":[\"169.254.1.2\"],"
		"\"sysctls\":[\"net.ipv4.conf.IFNAME.log_martians=1\"],\"links\":[\"db=pg\"],"
		"\"dns\":[\"192.0.2.53\"],\"ports\":[{\"host_ip\":\"127.0.0.1\",\"host_port\":8080,"
		"\"container_port\":80,\"both\":false,\"protocol\":\"tcp\"},{\"host_port\":65535,"
		"\"container_port\":53,\"both\":true,\"protocol\":\"sctp\"}]}";
	struct endpoint endpoint = { 0 };
	struct json *json = NULL, *again;
	char *printed;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(endpoint_from_json(json, &endpoint, NULL), 0);
	again = endpoint_to_json(&endpoint);
	printed = json_print(again);
	assert_string_equal(printed, text);
	endpoint_release(&endpoint);
	json_free(json);
	json_free(again);
	free(printed);
}

static void damaged_records_are_refused_by_field(void **state)
{
	static const struct row {
		const char *text;
		const char *message;
	} rows[] = {
		{ "{}", "version" },
		{ "{\"version\":2}", "version" },
		{ "{\"version\":1}", "network" },
		{ "{\"version\":1,\"network\":7}", "network" },
		{ "{\"version\":1,\"network\":\"n\",\"container_id\":\"c\","
		  "\"container_name\":\"w\",\"address\":\"172.18.0.2\",\"prefix_length\":300,"
		  "\"mac\":\"m\",\"interface\":\"e\"}",
			"prefix_length" },
		{ "{\"version\":1,\"network\":\"n\",\"container_id\":\"c\","
		  "\"container_name\":\"w\",\"address\":\"x\",\"prefix_length\":16,"
		  "\"mac\":\"m\",\"interface\":\"e\"}",
			"address" },
		{ "{\"version\":1,\"network\":\"n\",\"container_id\":\"c\","
		  "\"container_name\":\"w\",\"address\":\"172.18.0.2\",\"prefix_length\":16,"
		  "\"mac\":\"m\",\"interface\":\"e\",\"ports\":[{\"host_port\":70000,"
		  "\"container_port\":80,\"protocol\":\"tcp\"}]}",
			"host_port" },
		{ "{\"version\":1,\"network\":\"n\",\"container_id\":\"c\","
		  "\"container_name\":\"w\",\"address\":\"172.18.0.2\",\"prefix_length\":16,"
		  "\"mac\":\"m\",\"interface\":\"e\",\"ports\":[{\"host_port\":7,"
		  "\"container_port\":80,\"protocol\":\"udplite\"}]}",
			"protocol" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error err = ERROR_INIT;
		struct endpoint endpoint;
		struct json *json = NULL;

		assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), &json, NULL), 0);
		assert_int_equal(endpoint_from_json(json, &endpoint, &err), -EBADMSG);
		assert_non_null(strstr(error_text(&err), rows[i].message));
		error_release(&err);
		json_free(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_make_the_round_trip),
		cmocka_unit_test(endpoints_make_the_round_trip),
		cmocka_unit_test(damaged_records_are_refused_by_field),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
