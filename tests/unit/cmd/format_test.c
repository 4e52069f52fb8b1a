/* SPDX-License-Identifier: GPL-2.0-or-later
 * format_test.c - tables, JSON, templates. */
#include "cmd/format.h"

#include "support.h"

static const struct format_column columns[] = {
	{ "Name", "NAME", true },
	{ "Ports", "PORTS", true },
	{ "ExitCode", "EXIT CODE", false },
	{ NULL, NULL, false },
};

static void add_item(struct format_items *items, const char *name, const char *ports, int code)
{
	char *labels[] = { (char *)"tier=front", (char *)"a=x,y", NULL };
	struct json *fields = json_new_object(), *inner = json_new_object();

	json_set_int(fields, "ExitCode", code);
	json_set_string(fields, "Name", name);
	json_set_string(fields, "Ports", ports);
	json_set_string(inner, "Status", "running");
	json_set(fields, "State", inner);
	format_items_add(items, fields, labels);
}

/* What is printed, or the message. Heap. */
static char *print(const char *format, bool json_array, const struct format_items *items)
{
	struct format_listing listing = { columns, 10, json_array };
	cleanup_error struct error err = ERROR_INIT;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int r = format_print(format, &listing, items, out, &err);

	fclose(out);
	if (r < 0) {
		assert_int_equal(length, 0);
		free(text);
		return xasprintf("error: %s", error_text(&err));
	}
	return text;
}

static void forms_of_one_listing(void **state)
{
	static const struct {
		const char *format;
		bool json_array;
		const char *expected;
	} cases[] = {
		{ NULL, false, "NAME      PORTS\nweb       80->80/tcp\nd         \n" },
		{ "table", false, "NAME      PORTS\nweb       80->80/tcp\nd         \n" },
		{ "json", false,
			"{\"ExitCode\":0,\"Name\":\"web\",\"Ports\":\"80-\\u003e80/"
			"tcp\",\"State\":{"
			"\"Status\":\"running\"}}\n{\"ExitCode\":3,\"Name\":\"d\",\"Ports\":\"\","
			"\"State\":{\"Status\":\"running\"}}\n" },
		{ "json", true,
			"[{\"ExitCode\":0,\"Name\":\"web\",\"Ports\":\"80-\\u003e80/tcp\","
			"\"State\":{"
			"\"Status\":\"running\"}},{\"ExitCode\":3,\"Name\":\"d\",\"Ports\":\"\","
			"\"State\":{\"Status\":\"running\"}}]\n" },
		{ "{{.Name}}", false, "web\nd\n" },
		{ "{{ .Name }}={{.ExitCode}}", false, "web=0\nd=3\n" },
		{ "{{.Name}}\\t{{.ExitCode}}", false, "web\t0\nd\t3\n" },
		{ "{{.Label \"tier\"}} {{.Label \"a\"}}{{.Label \"none\"}}", false,
			"front x,y\nfront x,y\n" },
		{ "{{json .Name}} {{upper .Name}} {{title .Name}} {{len .Name}}", false,
			"\"web\" WEB Web 3\n\"d\" D D 1\n" },
		{ "{{.State.Status}} {{json .State}}", false,
			"running {\"Status\":\"running\"}\nrunning {\"Status\":\"running\"}\n" },
		{ "a {{- .Name -}} b", false, "awebb\nadb\n" },
		{ "table {{.Name}}\\t{{.ExitCode}}", false,
			"NAME      EXIT CODE\nweb       0\nd         3\n" },
		{ "table {{.Name}} ({{.Ports}})", false, "NAME (PORTS)\nweb (80->80/tcp)\nd ()\n" },
		{ "{{.Nope}}", false, "error: template: can't evaluate field Nope" },
		{ "{{.Name", false, "error: template: unclosed action in \"{{.Name\"" },
		{ "{{range .}}", false, "error: template: \"{{range .}}\" is not supported" },
		{ "{{.Name | x}}", false, "error: template: \"{{.Name | x}}\" is not supported" },
	};
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;

	(void)state;
	add_item(&items, "web", "80->80/tcp", 0);
	add_item(&items, "d", "", 3);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *text = print(cases[i].format, cases[i].json_array, &items);

		assert_string_equal(text, cases[i].expected);
	}
}

static void an_empty_listing_has_a_header_in_tables_only(void **state)
{
	const struct format_items items = FORMAT_ITEMS_INIT;
	cleanup_free char *table = print(NULL, false, &items);
	cleanup_free char *lines = print("json", false, &items);
	cleanup_free char *array = print("json", true, &items);
	cleanup_free char *template = print("{{.Name}}", false, &items);

	(void)state;
	assert_string_equal(table, "NAME      PORTS\n");
	assert_string_equal(lines, "");
	assert_string_equal(array, "[]\n");
	assert_string_equal(template, "");
}

static void row_11_3_control_bytes_reach_no_terminal(void **state)
{
	static const struct {
		const char *format;
		const char *expected;
	} cases[] = {
		{ NULL, "NAME              PORTS\n\\x1b[2J\\x07\\x9b   x\n" },
		{ "{{.Name}}", "\\x1b[2J\\x07\\x9b\n" },
		{ "table {{.Name}}", "NAME\n\\x1b[2J\\x07\\x9b\n" },
	};
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;

	(void)state;
	add_item(&items, "\033[2J\a\xc2\x9b", "x", 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *text = print(cases[i].format, false, &items);

		assert_string_equal(text, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_of_one_listing),
		cmocka_unit_test(an_empty_listing_has_a_header_in_tables_only),
		cmocka_unit_test(row_11_3_control_bytes_reach_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
