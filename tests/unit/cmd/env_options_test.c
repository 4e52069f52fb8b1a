/* SPDX-License-Identifier: GPL-2.0-or-later
 * env_options_test.c - -e and --env-file. */
#include "cmd/env_options.h"

#include <unistd.h>

#include "support.h"

static char *environment[] = { (char *)"HOST=h", (char *)"SET=s", NULL };

/* A file that is gone when the test ends; its path is under /proc/self/fd. */
static char *file_of(const char *text, int *ret_fd)
{
	FILE *file = tmpfile();

	fputs(text, file);
	fflush(file);
	*ret_fd = fileno(file);
	return xasprintf("/proc/self/fd/%d", *ret_fd);
}

static void later_wins_and_bare_names_come_from_outside(void **state)
{
	char *words[] = { (char *)"A=2", (char *)"SET", (char *)"UNSET", (char *)"E=", NULL };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **env = NULL;
	int fd;
	cleanup_free char *path = file_of("# comment\n\nA=1\nB=a b # c\r\n  HOST\n", &fd);
	char *files[] = { path, NULL };

	(void)state;
	assert_int_equal(env_options_collect(files, words, environment, &env, &err), 0);
	assert_words(env, "|", "A=2|B=a b # c|HOST=h|SET=s|E=");
	close(fd);
}

static void bad_names_are_refused(void **state)
{
	static const char *const cases[] = { "=x", "", "A B=1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *words[] = { (char *)cases[i], NULL };
		cleanup_error struct error err = ERROR_INIT;
		cleanup_strv char **env = NULL;

		assert_int_equal(
			env_options_collect(NULL, words, environment, &env, &err), -EINVAL);
		assert_null(env);
	}
}

static void a_missing_file_is_named(void **state)
{
	char *files[] = { (char *)"/nonexistent/env", NULL };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **env = NULL;

	(void)state;
	assert_int_equal(env_options_collect(files, NULL, environment, &env, &err), -ENOENT);
	assert_non_null(strstr(error_text(&err), "/nonexistent/env"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_wins_and_bare_names_come_from_outside),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
