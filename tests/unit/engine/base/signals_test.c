/* SPDX-License-Identifier: GPL-2.0-or-later
 * signals_test.c - signals by name and number. */
#include "engine/base/signals.h"

#include <signal.h>

#include "support.h"

static void names_and_numbers_are_read(void **state)
{
	const struct {
		const char *text;
		int number; /* 0: refused */
	} cases[] = {
		{ "SIGTERM", SIGTERM },
		{ "term", SIGTERM },
		{ "sigquit", SIGQUIT },
		{ "15", 15 },
		{ "9", SIGKILL },
		{ "WINCH", SIGWINCH },
		{ "SIGCHLD", SIGCHLD },
		{ "CLD", SIGCHLD },
		{ "IOT", SIGABRT },
		{ "IO", SIGIO },
		{ "POLL", SIGPOLL },
		{ "SIGRTMIN", SIGRTMIN },
		{ "SIGRTMIN+3", SIGRTMIN + 3 },
		{ "rtmax-14", SIGRTMAX - 14 },
		{ "64", 64 },
		{ "65", 0 },
		{ "0", 0 },
		{ "-1", 0 },
		{ "", 0 },
		{ "SIG", 0 },
		{ "SIGSIGTERM", 0 },
		{ "SIG15", 0 },
		{ "TERM ", 0 },
		{ "RTMIN+31", 0 },
		{ "RTMIN-1", 0 },
		{ "RTMAX+1", 0 },
		{ "RTMIN+", 0 },
		{ "NOPE", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		int number = 0;
		int r = signal_parse(cases[i].text, &number, &err);

		if (number != cases[i].number)
			fail_msg("'%s' is %d", cases[i].text, number);
		assert_int_equal(r, cases[i].number ? 0 : -EINVAL);
		if (r < 0)
			assert_non_null(strstr(error_text(&err), "invalid signal: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
