/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns_message_test.c - the DNS codec: well-formed, malformed and random messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/dns_message.h"

#define HEAD   "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
#define HEAD_1 "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01"
#define HEAD_2 "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x02"
#define A_IN   "\x00\x01\x00\x01"
#define OPT    "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
#define L63    \
	"\x3f" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L61    \
	"\x3d" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L62    \
	"\x3e" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BYTES(s) s, sizeof(s) - 1

/* The parser sees a copy of exactly that size, so that ASan sees every byte too many. */
static int parse(const char *bytes, size_t length, struct dns_query *query)
{
	uint8_t *copy = xmalloc(length ? length : 1);
	int r;

	memcpy(copy, bytes, length);
	r = dns_query_parse(copy, length, query);
	free(copy);
	return r;
}

static void queries_are_parsed_or_refused(void **state)
{
	static const struct row {
		const char *what;
		const char *bytes;
		size_t length;
		int result;
		const char *name;
		uint16_t udp_size;
	} rows[] = {
		{ "plain", BYTES(HEAD "\3wEb\0" A_IN), DNS_NOERROR, "web", 512 },
		{ "two labels", BYTES(HEAD "\3web\5front\0" A_IN), DNS_NOERROR, "web.front", 512 },
		{ "root", BYTES(HEAD "\0" A_IN), DNS_NOERROR, "", 512 },
		{ "EDNS", BYTES(HEAD_1 "\1a\0" A_IN OPT), DNS_NOERROR, "a", 1232 },
		{ "EDNS small", BYTES(HEAD_1 "\1a\0" A_IN "\0\0\x29\0\x10\0\0\0\0\0\0"),
			DNS_NOERROR, "a", 512 },
		{ "EDNS data", BYTES(HEAD_1 "\1a\0" A_IN "\0\0\x29\4\xd0\0\0\0\0\0\4\0\3\0\0"),
			DNS_NOERROR, "a", 1232 },
		{ "another record", BYTES(HEAD_1 "\1a\0" A_IN "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd"),
			DNS_NOERROR, "a", 512 },
		{ "longest name", BYTES(HEAD L63 L63 L63 L61 "\0" A_IN), DNS_NOERROR, NULL, 512 },
		{ "dot in a label", BYTES(HEAD "\3a.b\0" A_IN), DNS_NOERROR, "", 512 },
		{ "NUL in a label", BYTES(HEAD "\3a\0b\0" A_IN), DNS_NOERROR, "", 512 },
		{ "trailing bytes", BYTES(HEAD "\1a\0" A_IN "xx"), DNS_NOERROR, "a", 512 },
		{ "empty", "", 0, -EBADMSG, NULL, 0 },
		{ "short header", BYTES("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00"), -EBADMSG,
			NULL, 0 },
		{ "a response", BYTES("\x12\x34\x81\x00\x00\x01\0\0\0\0\0\0\1a\0" A_IN), -EBADMSG,
			NULL, 0 },
		{ "UPDATE", BYTES("\x12\x34\x28\x00\x00\x01\0\0\0\0\0\0\1a\0" A_IN), DNS_NOTIMP,
			NULL, 0 },
		{ "no question", BYTES("\x12\x34\x01\x00\x00\x00\0\0\0\0\0\0"), DNS_FORMERR, NULL,
			0 },
		{ "two questions", BYTES("\x12\x34\x01\0\0\2\0\0\0\0\0\0\1a\0" A_IN "\1b\0" A_IN),
			DNS_FORMERR, NULL, 0 },
		{ "an answer", BYTES("\x12\x34\x01\0\0\1\0\1\0\0\0\0\1a\0" A_IN), DNS_FORMERR, NULL,
			0 },
		{ "header only", BYTES(HEAD), DNS_FORMERR, NULL, 0 },
		{ "name without end", BYTES(HEAD "\3web"), DNS_FORMERR, NULL, 0 },
		{ "label beyond end", BYTES(HEAD "\x3fweb"), DNS_FORMERR, NULL, 0 },
		{ "no type", BYTES(HEAD "\3web\0"), DNS_FORMERR, NULL, 0 },
		{ "half a class", BYTES(HEAD "\3web\0\0\1\0"), DNS_FORMERR, NULL, 0 },
		{ "pointer in the question", BYTES(HEAD "\xc0\x0c" A_IN), DNS_FORMERR, NULL, 0 },
		{ "label of 64", BYTES(HEAD "\x40" L63 "\0" A_IN), DNS_FORMERR, NULL, 0 },
		{ "name too long", BYTES(HEAD L63 L63 L63 L62 "\0" A_IN), DNS_FORMERR, NULL, 0 },
		{ "two OPT", BYTES(HEAD_2 "\1a\0" A_IN OPT OPT), DNS_FORMERR, NULL, 0 },
		{ "missing record", BYTES(HEAD_1 "\1a\0" A_IN), DNS_FORMERR, NULL, 0 },
		{ "short record", BYTES(HEAD_1 "\1a\0" A_IN "\0\0\x29\x10\0"), DNS_FORMERR, NULL,
			0 },
		{ "record data beyond end", BYTES(HEAD_1 "\1a\0" A_IN "\0\0\x29\x10\0\0\0\0\0\0\5"),
			DNS_FORMERR, NULL, 0 },
		{ "half a pointer", BYTES(HEAD_1 "\1a\0" A_IN "\xc0"), DNS_FORMERR, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_query query;
		int r = parse(rows[i].bytes, rows[i].length, &query);

		if (r != rows[i].result)
			fail_msg("%s: %d instead of %d", rows[i].what, r, rows[i].result);
		if (rows[i].name)
			assert_string_equal(query.name, rows[i].name);
		if (rows[i].udp_size)
			assert_int_equal(query.udp_size, rows[i].udp_size);
	}
}

static void replies_repeat_the_question_and_keep_to_the_limit(void **state)
{
	static const uint8_t message[] = HEAD_1 "\3WeB\0" A_IN OPT;
	struct dns_query query;
	struct dns_reply reply;
	uint8_t *out;
	size_t added = 0, length;

	(void)state;
	assert_int_equal(dns_query_parse(message, sizeof(message) - 1, &query), DNS_NOERROR);
	for (size_t limit = DNS_UDP_PLAIN; limit <= DNS_UDP_MAX; limit += 7) {
		out = xmalloc(limit);
		dns_reply_begin(&reply, out, limit, message, &query, DNS_NOERROR);
		for (added = 0; dns_reply_add_a(&reply, 5, 0x0a000001); added++)
			;
		length = dns_reply_end(&reply);
		assert_true(length <= limit && length + 16 > limit);
		assert_int_equal(added, (limit - 21 - 11) / 16);
		assert_memory_equal(out, "\x12\x34\x83\x80\x00\x01", 6); /* truncated */
		assert_int_equal(out[6] << 8 | out[7], added);
		assert_int_equal(out[11], 1); /* OPT */
		assert_memory_equal(out + 12, "\3WeB\0" A_IN, 9);
		assert_memory_equal(out + 21, "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16);
		free(out);
	}
	/* an unparsable query has no question to repeat */
	assert_int_equal(parse(HEAD, 12, &query), DNS_FORMERR);
	out = xmalloc(DNS_HEADER);
	dns_reply_begin(&reply, out, DNS_HEADER, (const uint8_t *)HEAD, &query, DNS_FORMERR);
	assert_int_equal(dns_reply_end(&reply), DNS_HEADER);
	assert_memory_equal(out, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0", 12);
	free(out);
}

static void pointer_names_are_encoded(void **state)
{
	static const uint8_t message[] = HEAD "\1a\0\0\x0c\0\1";
	static const struct row {
		const char *name;
		bool fits;
	} rows[] = {
		{ "web-1.front", true },
		{ "a..b", false },
		{ ".", false },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	};
	struct dns_query query;
	uint8_t out[DNS_UDP_PLAIN];

	(void)state;
	assert_int_equal(dns_query_parse(message, sizeof(message) - 1, &query), DNS_NOERROR);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_reply reply;

		dns_reply_begin(&reply, out, sizeof(out), message, &query, DNS_NOERROR);
		assert_int_equal(dns_reply_add_ptr(&reply, 5, rows[i].name), rows[i].fits);
		dns_reply_end(&reply);
		assert_int_equal(out[7], rows[i].fits);
	}
}

static void only_answers_to_the_question_are_taken(void **state)
{
	static const uint8_t query[] = HEAD "\3WeB\0" A_IN;
	static const struct row {
		const char *bytes;
		size_t length;
		bool taken;
	} rows[] = {
		{ BYTES("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3web\0" A_IN), true },
		{ BYTES("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3WEB\0" A_IN "rest"), true },
		{ BYTES("\xab\xce\x81\x80\0\1\0\0\0\0\0\0\3web\0" A_IN), false },
		{ BYTES("\xab\xcd\x01\x80\0\1\0\0\0\0\0\0\3web\0" A_IN), false },
		{ BYTES("\xab\xcd\x81\x80\0\0\0\0\0\0\0\0\3web\0" A_IN), false },
		{ BYTES("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3wed\0" A_IN), false },
		{ BYTES("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3web\0\0\x1c\0\1"), false },
		{ BYTES("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3web\0\0\1\0"), false },
		{ BYTES("\xab\xcd"), false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *copy = xmalloc(rows[i].length);

		memcpy(copy, rows[i].bytes, rows[i].length);
		assert_int_equal(
			dns_answers(copy, rows[i].length, query, sizeof(query) - 1, 0xabcd),
			rows[i].taken);
		free(copy);
	}
}

static void foreign_answers_are_cut_to_the_askers_size(void **state)
{
	static const uint8_t query[] = HEAD "\3WeB\0" A_IN;
	uint8_t answer[800] = "\xab\xcd\x81\x80\0\1\0\x2f\0\1\0\2\3web\0" A_IN;
	struct dns_query parsed;

	(void)state;
	assert_int_equal(dns_query_parse(query, sizeof(query) - 1, &parsed), DNS_NOERROR);
	assert_int_equal(dns_answer_adapt(answer, sizeof(answer), query, &parsed, 800), 800);
	assert_memory_equal(answer, "\x12\x34\x81\x80\0\1\0\x2f\0\1\0\2\3WeB\0", 17);
	assert_int_equal(dns_answer_adapt(answer, sizeof(answer), query, &parsed, 512), 21);
	assert_memory_equal(answer, "\x12\x34\x83\x80\0\1\0\0\0\0\0\0\3WeB\0", 17);
}

static void reverse_names_become_addresses(void **state)
{
	static const struct row {
		const char *name;
		uint32_t address; /* 0: none */
	} rows[] = {
		{ "2.0.18.172.in-addr.arpa", 0xac120002 },
		{ "255.255.255.255.in-addr.arpa", 0xffffffff },
		{ "0.18.172.in-addr.arpa", 0 },
		{ "2.0.18.172.in-addr.arpa.x", 0 },
		{ "x.2.0.18.172.in-addr.arpa", 0 },
		{ ".in-addr.arpa", 0 },
		{ "in-addr.arpa", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t address = 0;
		int r = dns_reverse_parse(rows[i].name, &address);

		assert_int_equal(r, rows[i].address ? 0 : -EINVAL);
		assert_int_equal(address, rows[i].address);
	}
}

/* xorshift: the same messages each run. */
static uint32_t draw(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void damaged_messages_stay_within_bounds(void **state)
{
	static const char base[] =
		HEAD_2 "\3web\5front\0" A_IN "\xc0\x0c\0\1\0\1\0\0\0\0\0\4abcd" OPT;
	uint32_t seed = 20261124;
	size_t parsed_well = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		size_t length = draw(&seed) % 4 ? sizeof(base) - 1 : draw(&seed) % sizeof(base);
		uint8_t *message = xmalloc(length ? length : 1);
		uint8_t out[DNS_UDP_MAX];
		struct dns_reply reply;
		struct dns_query query;
		int r;

		memcpy(message, base, length);
		for (uint32_t hits = draw(&seed) % 4; hits && length; hits--)
			message[draw(&seed) % length] = (uint8_t)draw(&seed);
		r = dns_query_parse(message, length, &query);
		assert_true(strlen(query.name) < DNS_NAME_TEXT);
		assert_true(query.question_end <= length);
		if (r >= 0) {
			dns_reply_begin(
				&reply, out, query.udp_size, message, &query, (enum dns_rcode)r);
			dns_reply_add_a(&reply, 1, 1);
			assert_true(dns_reply_end(&reply) <= query.udp_size);
			dns_answers(
				message, length, (const uint8_t *)base, sizeof(base) - 1, 0x1234);
		}
		parsed_well += r == DNS_NOERROR;
		free(message);
	}
	assert_true(parsed_well > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_are_parsed_or_refused),
		cmocka_unit_test(replies_repeat_the_question_and_keep_to_the_limit),
		cmocka_unit_test(pointer_names_are_encoded),
		cmocka_unit_test(only_answers_to_the_question_are_taken),
		cmocka_unit_test(foreign_answers_are_cut_to_the_askers_size),
		cmocka_unit_test(reverse_names_become_addresses),
		cmocka_unit_test(damaged_messages_stay_within_bounds),
	};

	return cmocka_run_group_tests_name("dns_message", tests, NULL, NULL);
}
