/* SPDX-License-Identifier: GPL-2.0-or-later
 * address6_test.c - IPv6 subnets as values, and the choice of a free address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/address6.h"
#include "engine/net/dns_message.h"

static void subnets_are_cut_to_their_base(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL = refused */
	} rows[] = {
		{ "fd00:1::/64", "fd00:1::/64" },
		{ "fd00:1::5/64", "fd00:1::/64" },
		{ "fd00:1:ffff:ffff::/36", "fd00:1:f000::/36" },
		{ "2001:DB8::/32", "2001:db8::/32" },
		{ "fd00::8/126", "fd00::8/126" },
		{ "fd00::9/126", "fd00::8/126" },
		{ "fd00::/127", NULL },
		{ "fd00::/0", NULL },
		{ "fd00::", NULL },
		{ "fd00::/64x", NULL },
		{ "fd00::%eth0/64", NULL },
		{ "[fd00::]/64", NULL },
		{ "ff02::/64", NULL },
		{ "::1/120", NULL },
		{ "::ffff:10.0.0.0/120", NULL },
		{ "10.0.0.0/24", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[SUBNET6_TEXT];
		struct subnet6 subnet;
		int r = subnet6_parse(rows[i].text, &subnet);

		assert_int_equal(r == 0, rows[i].expected != NULL);
		if (r < 0)
			continue;
		subnet6_format(&subnet, text);
		assert_string_equal(text, rows[i].expected);
	}
	assert_true(subnet6_parse(NULL, &(struct subnet6){ 0 }) < 0);
}

static struct subnet6 subnet_of(const char *text)
{
	struct subnet6 subnet;

	assert_int_equal(subnet6_parse(text, &subnet), 0);
	return subnet;
}

static void subnets_overlap_when_one_holds_the_other(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "fd00:1::/64", "fd00:1::/64", true },
		{ "fd00:1::/64", "fd00::/16", true },
		{ "fd00:1::/64", "fd00:1:0:1::/64", false },
		{ "fd00::/126", "fd00::4/126", false },
		{ "fd00::/125", "fd00::4/126", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet6 a = subnet_of(rows[i].a), b = subnet_of(rows[i].b);

		assert_int_equal(subnet6_overlaps(&a, &b), rows[i].overlap);
		assert_int_equal(subnet6_overlaps(&b, &a), rows[i].overlap);
	}
}

/* Taken addresses, each with a space behind it. */
static bool is_free(const struct in6_addr *address, void *data)
{
	char text[ADDRESS6_TEXT], word[ADDRESS6_TEXT + 1];

	address6_format(address, text);
	snprintf(word, sizeof(word), "%s ", text);
	return !strstr(data, word);
}

static void the_next_free_address_is_chosen(void **state)
{
	static const struct {
		const char *subnet, *range, *cursor, *taken, *expected; /* NULL = none */
	} rows[] = {
		{ "fd00::/64", NULL, NULL, "", "fd00::1" },
		{ "fd00::/64", NULL, NULL, "fd00::1 fd00::2 ", "fd00::3" },
		{ "fd00::/64", NULL, "fd00::7", "", "fd00::8" },
		{ "fd00::/64", "fd00::100/120", NULL, "", "fd00::100" },
		{ "fd00::/64", "fd00::100/120", "fd00::1ff", "", "fd00::100" },
		{ "fd00::/64", "fd00::100/126", "fd00::102", "fd00::103 fd00::100 ", "fd00::101" },
		{ "fd00::/126", NULL, NULL, "fd00::1 fd00::2 fd00::3 ", NULL },
		{ "fd00::/126", NULL, "fd00::2", "fd00::3 ", "fd00::1" },
		{ "fd00::/64", NULL, "fd00::ffff:ffff:ffff:ffff", "", "fd00::1" },
		{ "fd00::/64", NULL, "fe00::5", "", "fd00::1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct address6_pool pool = { .subnet = subnet_of(rows[i].subnet) };
		struct in6_addr found;
		char text[ADDRESS6_TEXT];
		bool any;

		pool.range = rows[i].range ? subnet_of(rows[i].range) : pool.subnet;
		if (rows[i].cursor)
			assert_int_equal(address6_parse(rows[i].cursor, &pool.cursor), 0);
		any = address6_next(&pool, is_free, (void *)(uintptr_t)rows[i].taken, &found);
		assert_int_equal(any, rows[i].expected != NULL);
		if (!any)
			continue;
		address6_format(&found, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void unique_local_subnets_are_in_their_range(void **state)
{
	static const uint8_t random[5] = { 0x12, 0x34, 0x56, 0x78, 0x9a };
	struct subnet6 subnet = subnet6_unique_local(random);
	char text[SUBNET6_TEXT];

	(void)state;
	subnet6_format(&subnet, text);
	assert_string_equal(text, "fd12:3456:789a::/64");
}

static void reverse_names_are_read(void **state)
{
	static const char name[] =
		"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.0.0.d.f."
		"ip6.arpa";
	char text[ADDRESS6_TEXT], wrong[sizeof(name)];
	struct in6_addr address;

	(void)state;
	assert_int_equal(dns_reverse6_parse(name, address.s6_addr), 0);
	address6_format(&address, text);
	assert_string_equal(text, "fd00:9::2");
	memcpy(wrong, name, sizeof(name));
	wrong[4] = 'g';
	assert_true(dns_reverse6_parse(wrong, address.s6_addr) < 0);
	wrong[4] = '0';
	wrong[5] = '0';
	assert_true(dns_reverse6_parse(wrong, address.s6_addr) < 0);
	assert_true(dns_reverse6_parse(name + 2, address.s6_addr) < 0);
	assert_true(dns_reverse6_parse("ip6.arpa", address.s6_addr) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subnets_are_cut_to_their_base),
		cmocka_unit_test(subnets_overlap_when_one_holds_the_other),
		cmocka_unit_test(the_next_free_address_is_chosen),
		cmocka_unit_test(unique_local_subnets_are_in_their_range),
		cmocka_unit_test(reverse_names_are_read),
	};

	return cmocka_run_group_tests_name("address6", tests, NULL, NULL);
}
