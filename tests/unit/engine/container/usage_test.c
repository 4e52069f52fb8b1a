/* SPDX-License-Identifier: GPL-2.0-or-later
 * usage_test.c - the counts of a network namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/container/usage.h"

#define HEADER                                                                                \
	"Inter-|   Receive                                                |  Transmit\n"      \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets " \
	"errs drop fifo colls carrier compressed\n"

static void interfaces_are_added_up_and_loopback_is_left_out(void **state)
{
	static const struct {
		const char *text;
		uint64_t received, sent;
	} rows[] = {
		{ "", 0, 0 },
		{ HEADER "    lo:     100 1 0 0 0 0 0 0      100 1 0 0 0 0 0 0\n", 0, 0 },
		{ HEADER "    lo:     100 1 0 0 0 0 0 0      100 1 0 0 0 0 0 0\n"
			 "  eth0:    1000 1 0 0 0 0 0 0       20 1 0 0 0 0 0 0\n"
			 "  eth1:18446744073709550615 1 0 0 0 0 0 0 3 1 0 0 0 0 0 0\n",
			18446744073709551615ull, 23 },
		{ "eth0: 5 1 0 0\n", 0, 0 }, /* cut off */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t received, sent;

		network_usage_parse(rows[i].text, &received, &sent);
		assert_true(received == rows[i].received);
		assert_true(sent == rows[i].sent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_added_up_and_loopback_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
