/* SPDX-License-Identifier: GPL-2.0-or-later
 * interpolate_test.c - ${VARIABLES} in values, and .env files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "compose/dotenv.h"
#include "compose/interpolate.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

struct world {
	struct arena *arena;
	struct strmap environment;
	struct strmap unset;
	struct interpolation in;
};

static void world_open(struct world *w)
{
	*w = (struct world){ .arena = arena_new() };
	strmap_set(&w->environment, "V", (void *)"val");
	strmap_set(&w->environment, "E", (void *)"");
	strmap_set(&w->environment, "D", (void *)"$V ${V}");
	w->in = (struct interpolation){
		.arena = w->arena, .environment = &w->environment, .unset = &w->unset
	};
}

static void world_close(struct world *w)
{
	strmap_release(&w->environment);
	strmap_release(&w->unset);
	arena_free(w->arena);
}

static void every_form_expands(void **state)
{
	static const char *const rows[][2] = {
		{ "plain", "plain" },
		{ "$V", "val" },
		{ "${V}", "val" },
		{ "$V-$V", "val-val" },
		{ "$U", "" },
		{ "${U:-d}", "d" },
		{ "${E:-d}", "d" },
		{ "${E-d}", "" },
		{ "${V:+r}", "r" },
		{ "${E:+r}", "" },
		{ "${E+r}", "r" },
		{ "${U+r}", "" },
		{ "${V:?m}", "val" },
		{ "${E?m}", "" },
		{ "$$", "$" },
		{ "$$V", "$V" },
		{ "$$$V", "$val" },
		{ "$", "$" },
		{ "a $ b", "a $ b" },
		{ "$1", "$1" },
		{ "${U:-${V}}", "val" },
		{ "${U:-a${W:-b${V}c}d}", "abvalcd" },
		{ "${U:-{}}", "{}" },
		{ "${U:-a}b}", "ab}" },
		{ "${U:-a-b:-c}", "a-b:-c" },
		{ "$D", "$V ${V}" },
	};
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *out = NULL, *problem = NULL;

		assert_int_equal(interpolate_text(&w.in, rows[i][0], &out, &problem), 0);
		assert_string_equal(out, rows[i][1]);
	}
	world_close(&w);
}

static void wrong_forms_are_told(void **state)
{
	static const char *const rows[][2] = {
		{ "${", "invalid interpolation format" },
		{ "${}", "invalid interpolation format" },
		{ "${1}", "invalid interpolation format" },
		{ "${V", "invalid interpolation format" },
		{ "${V!}", "invalid interpolation format" },
		{ "${V:=x}", "invalid interpolation format" },
		{ "${ V }", "invalid interpolation format" },
		{ "${V:-${1}}", "invalid interpolation format" },
		{ "${U:?TEXT}", "required variable U is missing a value: TEXT" },
		{ "${E:?}", "required variable E is missing a value" },
		{ "${U?no $V}", "required variable U is missing a value: no val" },
	};
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *out = NULL, *problem = NULL;

		assert_true(interpolate_text(&w.in, rows[i][0], &out, &problem) < 0);
		if (!strstr(problem, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], problem);
	}
	world_close(&w);
}

static void unset_variables_are_noted_once(void **state)
{
	const char *out, *problem;
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(interpolate_text(&w.in, "$U $U ${W:-d} ${X+r}", &out, &problem), 0);
	assert_int_equal(w.unset.count, 1);
	assert_string_equal(w.unset.entries[0].key, "U");
	world_close(&w);
}

static void row_10_7_nesting_is_bounded(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *out, *problem = NULL;
	struct world w;

	(void)state;
	world_open(&w);
	for (int i = 0; i < 10000; i++)
		strbuf_add_str(&text, "${U:-");
	for (int i = 0; i < 10000; i++)
		strbuf_add_char(&text, '}');
	assert_true(interpolate_text(&w.in, text.data, &out, &problem) < 0);
	assert_string_equal(problem, "interpolation nests too deeply");
	world_close(&w);
}

static int parse(
	struct world *w, const char *text, struct strmap *variables, struct problems *problems)
{
	return dotenv_parse(w->arena, ".env", text, strlen(text), &w->environment, variables,
		&w->unset, problems);
}

static void dotenv_lines_mean_what_users_expect(void **state)
{
	static const struct {
		const char *text;
		const char *key;
		const char *value; /* NULL: not there */
	} rows[] = {
		{ "A=1\n", "A", "1" },
		{ "A=1", "A", "1" },
		{ "\xef\xbb\xbf"
		  "A=1\r\nB=2\r\n",
			"A", "1" },
		{ "export A=x\n", "A", "x" },
		{ "A: v\n", "A", "v" },
		{ "A = v \n", "A", "v" },
		{ "A=\n", "A", "" },
		{ "A='x' # c\n", "A", "x" },
		{ "A=\"a # b\" # c\n", "A", "a # b" },
		{ "A=a # c\n", "A", "a" },
		{ "A=a#c\n", "A", "a#c" },
		{ "A= # x\n", "A", "# x" },
		{ "A='it\\'s'\n", "A", "it's" },
		{ "A='$V \\n'\n", "A", "$V \\n" },
		{ "A=\"$V\\n\\\"\\$V\"\n", "A", "val\n\"$V" },
		{ "A=\"two\nlines\"\nB=1\n", "A", "two\nlines" },
		{ "B=b\nA=${B}c\n", "A", "bc" },
		{ "V=file\nA=$V\n", "A", "val" },
		{ "A=${U:-d}\n", "A", "d" },
		{ "A='a' b\n", "A", "a" },
		{ "# c\n\n  A=1\n", "A", "1" },
		{ "V\n", "V", "val" },
		{ "U\n", "U", NULL },
		{ "K-2=x\n", "K-2", "x" },
		{ "A=1\nA=2\n", "A", "2" },
		{ "A=$(touch /tmp/x)\n", "A", "$(touch /tmp/x)" },
	};
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strmap variables = STRMAP_INIT;
		cleanup_problems struct problems problems = PROBLEMS_INIT;
		const char *value;

		if (parse(&w, rows[i].text, &variables, &problems) < 0)
			fail_msg("%s: %s", rows[i].text, problems.items[0].text);
		value = strmap_get(&variables, rows[i].key);
		if (!rows[i].value)
			assert_null(value);
		else if (!value || strcmp(value, rows[i].value) != 0)
			fail_msg("%s: got '%s'", rows[i].text, value ? value : "nothing");
		strmap_release(&variables);
	}
	world_close(&w);
}

static void dotenv_errors_name_their_line(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
		const char *message;
	} rows[] = {
		{ "A=1\nB='x\ny", 2, "unterminated quoted value" },
		{ "A B=1\n", 1, "key cannot contain a space" },
		{ "A=1\n=v\n", 2, "a variable name is missing" },
		{ "A+=1\n", 1, "unexpected character \"+\" in variable name" },
		{ "A=1\nB=${\n", 2, "invalid interpolation format" },
	};
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strmap variables = STRMAP_INIT;
		cleanup_problems struct problems problems = PROBLEMS_INIT;

		assert_true(parse(&w, rows[i].text, &variables, &problems) < 0);
		assert_int_equal(problems.items[0].line, rows[i].line);
		if (!strstr(problems.items[0].text, rows[i].message))
			fail_msg("%s", problems.items[0].text);
		strmap_release(&variables);
	}
	world_close(&w);
}

static void row_10_7_doubling_forty_times_is_stopped(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct strmap variables = STRMAP_INIT;
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	struct world w;

	(void)state;
	world_open(&w);
	strbuf_add_str(&text, "A0=xxxxxxxx\n");
	for (int i = 1; i <= 40; i++)
		strbuf_addf(&text, "A%d=$A%d$A%d\n", i, i - 1, i - 1);
	assert_true(parse(&w, text.data, &variables, &problems) < 0);
	assert_non_null(strstr(problems.items[0].text, "grows beyond"));
	strmap_release(&variables);
	world_close(&w);
}

static void raw_format_takes_the_line_as_it_is(void **state)
{
	static const char text[] = "A='x' # c\nB=$V\n";
	struct strmap variables = STRMAP_INIT;
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	struct world w;

	(void)state;
	world_open(&w);
	assert_int_equal(
		dotenv_parse_raw(w.arena, "f", text, strlen(text), &variables, &problems), 0);
	assert_string_equal(strmap_get(&variables, "A"), "'x' # c");
	assert_string_equal(strmap_get(&variables, "B"), "$V");
	strmap_release(&variables);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_expands),
		cmocka_unit_test(wrong_forms_are_told),
		cmocka_unit_test(unset_variables_are_noted_once),
		cmocka_unit_test(row_10_7_nesting_is_bounded),
		cmocka_unit_test(dotenv_lines_mean_what_users_expect),
		cmocka_unit_test(dotenv_errors_name_their_line),
		cmocka_unit_test(row_10_7_doubling_forty_times_is_stopped),
		cmocka_unit_test(raw_format_takes_the_line_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
