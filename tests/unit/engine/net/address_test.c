/* SPDX-License-Identifier: GPL-2.0-or-later
 * address_test.c - subnets, MACs and the choice of a free address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/address.h"

static void subnets_are_parsed_with_host_bits_cleared(void **state)
{
	static const struct row {
		const char *text;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ "172.18.0.0/16", "172.18.0.0/16" },
		{ "172.18.9.9/16", "172.18.0.0/16" },
		{ "10.0.0.0/30", "10.0.0.0/30" },
		{ "0.0.0.0/1", "0.0.0.0/1" },
		{ "10.0.0.0/31", NULL },
		{ "10.0.0.0/0", NULL },
		{ "10.0.0.0", NULL },
		{ "10.0.0/24", NULL },
		{ "10.0.0.0/ 24", NULL },
		{ "10.0.0.0/24x", NULL },
		{ "300.0.0.0/24", NULL },
		{ "1111111111111111.0.0.0/24", NULL },
		{ "fd00::/64", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet subnet;
		char text[SUBNET_TEXT];

		if (!rows[i].expected) {
			assert_true(subnet_parse(rows[i].text, &subnet) < 0);
			continue;
		}
		assert_int_equal(subnet_parse(rows[i].text, &subnet), 0);
		subnet_format(&subnet, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void overlap_is_symmetric(void **state)
{
	static const struct row {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "172.18.0.0/16", "172.18.5.0/24", true },
		{ "172.18.0.0/16", "172.18.0.0/16", true },
		{ "172.18.0.0/16", "172.19.0.0/16", false },
		{ "172.16.0.0/12", "172.31.255.0/24", true },
		{ "10.0.0.0/30", "10.0.0.4/30", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet a, b;

		assert_int_equal(subnet_parse(rows[i].a, &a), 0);
		assert_int_equal(subnet_parse(rows[i].b, &b), 0);
		assert_int_equal(subnet_overlaps(&a, &b), rows[i].overlap);
		assert_int_equal(subnet_overlaps(&b, &a), rows[i].overlap);
	}
}

static void default_pools_are_dockers(void **state)
{
	static const struct row {
		size_t index;
		const char *text;
	} rows[] = {
		{ 0, "172.17.0.0/16" },
		{ 1, "172.18.0.0/16" },
		{ 14, "172.31.0.0/16" },
		{ 15, "192.168.0.0/20" },
		{ 30, "192.168.240.0/20" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet pool = default_pool(rows[i].index);
		char text[SUBNET_TEXT];

		subnet_format(&pool, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void macs_are_parsed_strictly(void **state)
{
	static const char *const bad[] = { "", "02:42:ac:12:00", "02:42:ac:12:00:0g",
		"03:42:ac:12:00:02", "0242.ac12.0002", "02:42:ac:12:00:02:", "02:42:ac:12:00:2" };
	uint8_t mac[6];
	char text[MAC_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(mac_parse(bad[i], mac) < 0);
	mac_from_address(0xac120002, text);
	assert_string_equal(text, "02:42:ac:12:00:02");
	assert_int_equal(mac_parse("02:42:AC:12:00:02", mac), 0);
	assert_memory_equal(mac, "\x02\x42\xac\x12\x00\x02", 6);
}

struct taken {
	const char *addresses; /* blank separated */
};

static bool is_free(uint32_t address, void *data)
{
	const struct taken *taken = data;
	char text[ADDRESS_TEXT + 1];

	address_format(address, text);
	memcpy(text + strlen(text), " ", 2);
	return !strstr(taken->addresses, text);
}

static void next_fit_takes_a_freed_address_last(void **state)
{
	static const struct row {
		const char *subnet, *range, *cursor, *taken, *expected;
	} rows[] = {
		{ "10.0.0.0/29", NULL, NULL, "", "10.0.0.1" },
		{ "10.0.0.0/29", NULL, NULL, "10.0.0.1 ", "10.0.0.2" },
		{ "10.0.0.0/29", NULL, "10.0.0.4", "10.0.0.1 ", "10.0.0.5" },
		{ "10.0.0.0/29", NULL, "10.0.0.6", "10.0.0.1 ", "10.0.0.2" },
		{ "10.0.0.0/29", NULL, "10.0.0.3", "10.0.0.1 10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6 ",
			"10.0.0.3" },
		{ "10.0.0.0/29", NULL, NULL,
			"10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 ", NULL },
		{ "10.0.0.0/24", "10.0.0.64/30", NULL, "", "10.0.0.64" },
		{ "10.0.0.0/24", "10.0.0.64/30", "10.0.0.67", "", "10.0.0.64" },
		{ "10.0.0.0/24", "10.0.0.252/30", NULL, "10.0.0.252 10.0.0.253 ", "10.0.0.254" },
		{ "10.0.0.0/24", "10.0.0.252/30", "10.0.0.254", "10.0.0.252 ", "10.0.0.253" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct taken taken = { rows[i].taken };
		struct address_pool pool = { .cursor = 0 };
		char text[ADDRESS_TEXT];
		uint32_t address;

		assert_int_equal(subnet_parse(rows[i].subnet, &pool.subnet), 0);
		pool.range = pool.subnet;
		if (rows[i].range)
			assert_int_equal(subnet_parse(rows[i].range, &pool.range), 0);
		if (rows[i].cursor)
			assert_int_equal(address_parse(rows[i].cursor, &pool.cursor), 0);
		if (!rows[i].expected) {
			assert_false(address_next(&pool, is_free, &taken, &address));
			continue;
		}
		assert_true(address_next(&pool, is_free, &taken, &address));
		address_format(address, text);
		assert_string_equal(text, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_are_parsed_with_host_bits_cleared),
		cmocka_unit_test(overlap_is_symmetric),
		cmocka_unit_test(default_pools_are_dockers),
		cmocka_unit_test(macs_are_parsed_strictly),
		cmocka_unit_test(next_fit_takes_a_freed_address_last),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
