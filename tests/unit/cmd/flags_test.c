/* SPDX-License-Identifier: GPL-2.0-or-later
 * flags_test.c - option tables: parsing, messages, help. */
#include "cmd/flags.h"

#include "support.h"

struct options {
	bool anchor;
	bool all;
	bool tty;
	bool tty_given;
	char *name;
	char **env;
	int64_t timeout;
};

#define O(field) offsetof(struct options, field)
static const struct flag table[] = {
	{ 'a', "all", FLAG_BOOL, O(all), NULL, "All", 0 },
	{ 't', "tty", FLAG_BOOL, O(tty), NULL, "A terminal", O(tty_given) },
	{ 'n', "name", FLAG_STRING, O(name), "NAME", "A name", 0 },
	{ 'e', "env", FLAG_LIST, O(env), "KEY=VALUE", "A variable", 0 },
	{ 0, "timeout", FLAG_INT, O(timeout), "SEC", "A time", 0 },
	{ 'h', "hostname", FLAG_STRING, O(name), "NAME", NULL, 0 },
	FLAG_END,
};

static int parse(const char *line, bool interspersed, struct options *options, char ***rest,
	struct error *err)
{
	cleanup_strv char **words = strv_split(line, " ");
	char *none[] = { NULL };

	*options = (struct options){ 0 };
	return flags_parse(table, options, words ? words : none, interspersed, rest, err);
}

static void spellings_of_values(void **state)
{
	static const struct {
		const char *line;
		const char *shown; /* all tty name env timeout | rest */
	} cases[] = {
		{ "", "0 0 - [] 0 |" },
		{ "-at --name=x", "1 1 x [] 0 |" },
		{ "-nx", "0 0 x [] 0 |" },
		{ "-n=x", "0 0 x [] 0 |" },
		{ "-n x -n y", "0 0 y [] 0 |" },
		{ "-atn x", "1 1 x [] 0 |" },
		{ "-e A=1 --env B=2 --env=C", "0 0 - [A=1,B=2,C] 0 |" },
		{ "--timeout 7", "0 0 - [] 7 |" },
		{ "--timeout=-1", "0 0 - [] -1 |" },
		{ "--all=false --tty=1", "0 1 - [] 0 |" },
		{ "word -a", "0 0 - [] 0 |word -a" },
		{ "-a -- -t", "1 0 - [] 0 |-t" },
		{ "-a - -t", "1 0 - [] 0 |- -t" },
		{ "--name -a", "0 0 -a [] 0 |" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct options options;
		cleanup_error struct error err = ERROR_INIT;
		cleanup_strv char **rest = NULL;
		cleanup_free char *env = NULL;
		cleanup_free char *words = NULL;
		cleanup_free char *shown = NULL;

		assert_int_equal(parse(cases[i].line, false, &options, &rest, &err), 0);
		env = strv_join(options.env, ",");
		words = strv_join(rest, " ");
		shown = xasprintf("%d %d %s [%s] %lld |%s", options.all, options.tty,
			options.name ? options.name : "-", env, (long long)options.timeout, words);
		assert_string_equal(shown, cases[i].shown);
		flags_release(table, &options);
	}
}

static void flags_after_operands_where_the_verb_allows_it(void **state)
{
	struct options options;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **rest = NULL;

	(void)state;
	assert_int_equal(parse("web -a db -- -t", true, &options, &rest, &err), 0);
	assert_true(options.all);
	assert_false(options.tty);
	assert_words(rest, " ", "web db -t");
	flags_release(table, &options);
}

static void a_flag_that_was_given_is_known_whatever_its_value(void **state)
{
	struct options options;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **rest = NULL;

	(void)state;
	assert_int_equal(parse("--tty=false", false, &options, &rest, &err), 0);
	assert_false(options.tty);
	assert_true(options.tty_given);
}

static void messages_in_the_words_users_know(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "--unrelated", "unknown flag: --unrelated" },
		{ "--nam x", "unknown flag: --nam (did you mean --name?)" },
		{ "-x", "unknown shorthand flag: 'x' in -x" },
		{ "-ax", "unknown shorthand flag: 'x' in -ax" },
		{ "--name", "flag needs an argument: --name" },
		{ "-n", "flag needs an argument: 'n' in -n" },
		{ "--all=maybe",
			"invalid argument \"maybe\" for \"--all\" flag: neither true nor false" },
		{ "--timeout 1s",
			"invalid argument \"1s\" for \"--timeout\" flag: not a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct options options;
		cleanup_error struct error err = ERROR_INIT;
		cleanup_strv char **rest = NULL;

		assert_int_equal(parse(cases[i].line, false, &options, &rest, &err), -EINVAL);
		assert_string_equal(error_text(&err), cases[i].message);
		flags_release(table, &options);
	}
}

static void help_is_asked_for_by_its_long_name_and_by_a_lone_h(void **state)
{
	struct options options;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **rest = NULL;

	(void)state;
	assert_int_equal(parse("--help", false, &options, &rest, &err), -EAGAIN);
	assert_int_equal(parse("-h", false, &options, &rest, &err), -EAGAIN);
	assert_int_equal(parse("-h box", false, &options, &rest, &err), 0);
	assert_string_equal(options.name, "box");
	flags_release(table, &options);
}

static void help_is_sorted_and_leaves_hidden_flags_out(void **state)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	(void)state;
	flags_help(table, &out);
	assert_string_equal(strbuf_text(&out), "  -a, --all             All\n"
					       "  -e, --env KEY=VALUE   A variable\n"
					       "  -n, --name NAME       A name\n"
					       "      --timeout SEC     A time\n"
					       "  -t, --tty             A terminal\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_of_values),
		cmocka_unit_test(flags_after_operands_where_the_verb_allows_it),
		cmocka_unit_test(a_flag_that_was_given_is_known_whatever_its_value),
		cmocka_unit_test(messages_in_the_words_users_know),
		cmocka_unit_test(help_is_asked_for_by_its_long_name_and_by_a_lone_h),
		cmocka_unit_test(help_is_sorted_and_leaves_hidden_flags_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
