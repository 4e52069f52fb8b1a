/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_test.c - lines on stderr, with and without a terminal. */
#include "engine/base/log.h"

#include "support.h"

static int log_examples(void *arg)
{
	dup2(*(int *)arg, STDERR_FILENO);
	log_debug("hidden");
	log_info("hidden");
	log_warning("the \"%s\" variable is not set", "TAG");
	log_set_level(LOG_LEVEL_DEBUG);
	log_info("back\\slash, \xc3\xa4, \xff");
	log_debug("line\nbreak\ttab \x1b]52;c;x\a \x7f \xc2\x9b \xe2\x80\xae \x01");
	return 0;
}

/* What the child writes into `write_fd`, read from `read_fd`. */
static void run_examples(int write_fd, int read_fd, char *text, size_t size)
{
	ssize_t n;

	assert_int_equal(in_child(log_examples, &write_fd), 0);
	n = read(read_fd, text, size - 1); /* less than a pipe or a terminal holds */
	assert_true(n > 0);
	text[n] = '\0';
}

static void row_11_3_logfmt_quotes_as_go_does(void **state)
{
	static const char *const expected[] = {
		"level=warning msg=\"the \\\"TAG\\\" variable is not set\"",
		"level=info msg=\"back\\\\slash, \xc3\xa4, \\xff\"",
		"level=debug msg=\"line\\nbreak\\ttab \\x1b]52;c;x\\a \\x7f \\u009b \\u202e "
		"\\x01\"",
	};
	char text[2048], *save = NULL, *line;
	size_t i = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	run_examples(ends[1], ends[0], text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(i < ARRAY_LEN(expected));
		assert_int_equal(strncmp(line, "time=\"20", 8), 0);
		assert_int_equal(strcspn(line, "Z"), 25); /* to the second, UTC */
		assert_string_equal(line + 28, expected[i++]);
	}
	assert_int_equal(i, ARRAY_LEN(expected));
	close(ends[0]);
	close(ends[1]);
}

static void row_11_3_terminal_gets_no_control_bytes(void **state)
{
	static const char expected[] =
		"WARN[0000] the \"TAG\" variable is not set\r\n"
		"INFO[0000] back\\slash, \xc3\xa4, \\xff\r\n"
		"DEBU[0000] line\\nbreak\\ttab \\x1b]52;c;x\\a \\x7f \\u009b \\u202e \\x01\r\n";
	int control = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal;
	char text[2048];

	(void)state;
	if (control < 0 || grantpt(control) < 0 || unlockpt(control) < 0) {
		print_message("needs a pseudo-terminal (/dev/ptmx)\n");
		skip();
	}
	terminal = open(ptsname(control), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(terminal >= 0);
	run_examples(terminal, control, text, sizeof(text));
	assert_string_equal(text, expected);
	close(terminal);
	close(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_11_3_logfmt_quotes_as_go_does),
		cmocka_unit_test(row_11_3_terminal_gets_no_control_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
