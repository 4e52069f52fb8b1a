/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_text_test.c - rules in the words of nftables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/nft_text.h"

/* The lines without their comments, which must be there. */
static char *text_of(enum firewall_family family, const struct rule *rule)
{
	struct nft_lines lines = { NULL, 0 };
	struct error err = ERROR_INIT;
	struct strbuf text = STRBUF_INIT;

	if (nft_lines_add(&lines, family, rule, "tag", &err) < 0)
		strbuf_addf(&text, "%d %s\n", err.code, error_text(&err));
	for (size_t i = 0; i < lines.count; i++) {
		const char *comment = strstr(lines.items[i].text, " comment \"tag ");

		assert_non_null(comment);
		assert_memory_equal(comment + strlen(" comment \""), lines.items[i].comment,
			strlen(lines.items[i].comment));
		strbuf_add(&text, lines.items[i].text, (size_t)(comment - lines.items[i].text));
		strbuf_add_char(&text, '\n');
	}
	nft_lines_release(&lines);
	error_release(&err);
	return strbuf_steal(&text);
}

static const struct row {
	enum firewall_family family;
	struct rule rule;
	const char *expected;
} rows[] = {
	{ FIREWALL_V4, { .target = TARGET_ACCEPT }, "counter accept\n" },
	{ FIREWALL_V4, { .target = TARGET_CHAIN, .chain = "X", .destination_local = true },
		"fib daddr type local counter jump X\n" },
	{ FIREWALL_V4,
		{ .in = "mc-a",
			.out = "mc-+",
			.not_in = true,
			.not_out = true,
			.target = TARGET_DROP },
		"iifname != \"mc-a\" oifname != \"mc-*\" counter drop\n" },
	{ FIREWALL_V4,
		{ .source = { AF_INET, 16, { 172, 18 } },
			.destination = { AF_INET, 32, { 10, 0, 0, 1 } },
			.protocol = IPPROTO_UDP,
			.port = 53,
			.target = TARGET_DNAT,
			.to = { AF_INET, 32, { 172, 18, 0, 2 } },
			.to_port = 5353 },
		"ip saddr 172.18.0.0/16 ip daddr 10.0.0.1 udp dport 53 counter dnat to "
		"172.18.0.2:5353\n" },
	{ FIREWALL_V6,
		{ .source = { AF_INET6, 64, { 0xfd } },
			.protocol = IPPROTO_TCP,
			.port = 80,
			.target = TARGET_DNAT,
			.to = { AF_INET6, 128, { 0xfd, [15] = 2 } },
			.to_port = 8080 },
		"ip6 saddr fd00::/64 tcp dport 80 counter dnat to [fd00::2]:8080\n" },
	{ FIREWALL_V6, { .protocol = IPPROTO_ICMPV6, .icmp_type = 135, .target = TARGET_ACCEPT },
		"icmpv6 type 135 counter accept\n" },
	{ FIREWALL_V4, { .source_local = true, .states = STATE_DNAT, .target = TARGET_MASQUERADE },
		"fib saddr type local ct status dnat counter masquerade\n" },
	{ FIREWALL_V4, { .states = STATE_ESTABLISHED | STATE_DNAT, .target = TARGET_ACCEPT },
		"ct state established,related counter accept\n"
		"ct status dnat counter accept\n" },
	{ FIREWALL_V4,
		{ .states = STATE_ESTABLISHED | STATE_DNAT,
			.not_states = true,
			.target = TARGET_DROP },
		"ct state invalid,untracked counter drop\n"
		"ct state new ct status & dnat == 0 counter drop\n" },
	{ FIREWALL_V4, { .states = STATE_ESTABLISHED, .not_states = true, .target = TARGET_DROP },
		"ct state invalid,new,untracked counter drop\n" },
	{ FIREWALL_V4, { .states = STATE_DNAT, .not_states = true, .target = TARGET_DROP },
		"ct state invalid,untracked counter drop\n"
		"ct status & dnat == 0 counter drop\n" },
	{ FIREWALL_V4, { .in = "a\"b", .target = TARGET_DROP },
		"-22 nftables cannot be told the interface name 'a\"b'\n" },
};

static void rules_in_the_words_of_nftables(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = text_of(rows[i].family, &rows[i].rule);

		assert_string_equal(text, rows[i].expected);
		free(text);
	}
}

static void comments_tell_rules_apart_and_name_udp_ports(void **state)
{
	struct rule rule = { .protocol = IPPROTO_UDP, .port = 5300, .target = TARGET_DNAT };
	struct nft_lines lines = { NULL, 0 };

	(void)state;
	assert_int_equal(nft_lines_add(&lines, FIREWALL_V4, &rule, "t", NULL), 0);
	rule.to_port = 1;
	assert_int_equal(nft_lines_add(&lines, FIREWALL_V4, &rule, "t", NULL), 0);
	rule.protocol = IPPROTO_TCP;
	assert_int_equal(nft_lines_add(&lines, FIREWALL_V4, &rule, "t", NULL), 0);
	assert_int_equal(lines.count, 3);
	assert_string_not_equal(lines.items[0].comment, lines.items[1].comment);
	assert_int_equal(nft_comment_udp_port(lines.items[0].comment), 5300);
	assert_int_equal(nft_comment_udp_port(lines.items[2].comment), 0);
	assert_int_equal(nft_comment_udp_port(NULL), 0);
	assert_int_equal(nft_comment_udp_port("x udp 70000"), 0);
	nft_lines_release(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_in_the_words_of_nftables),
		cmocka_unit_test(comments_tell_rules_apart_and_name_udp_ports),
	};

	return cmocka_run_group_tests_name("nft_text", tests, NULL, NULL);
}
