/* SPDX-License-Identifier: GPL-2.0-or-later
 * table_test.c - widths and alignment. */
#include "cmd/table.h"

#include "support.h"

static char *print(const char *const *headers, size_t minimum_width, const char *const *cells)
{
	struct table *table = table_new(headers, minimum_width);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	for (; *cells; cells++)
		table_cell(table, *cells);
	table_print(table, out);
	fclose(out);
	table_free(table);
	return text;
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const headers[] = { "A", "LONG HEADER", "C", NULL };
	static const char *const cells[] = { "wide cell here", "x", "1", "y", "z", "2", NULL };
	cleanup_free char *text = print(headers, 10, cells);

	(void)state;
	assert_string_equal(text, "A                LONG HEADER   C\n"
				  "wide cell here   x             1\n"
				  "y                z             2\n");
}

static void the_minimum_width_counts_the_gap(void **state)
{
	static const char *const headers[] = { "NAME", "STATUS", NULL };
	static const char *const cells[] = { "a", "b", NULL };
	cleanup_free char *ten = print(headers, 10, cells);
	cleanup_free char *twenty = print(headers, 20, cells);

	(void)state;
	assert_string_equal(ten, "NAME      STATUS\na         b\n");
	assert_string_equal(twenty, "NAME                STATUS\na                   b\n");
}

static void width_counts_characters(void **state)
{
	static const char *const headers[] = { "COMMAND", "X", NULL };
	static const char *const cells[] = { "\"sh -c 'i=0; while t…\"", "1", NULL };
	cleanup_free char *text = print(headers, 10, cells);

	(void)state;
	assert_string_equal(text, "COMMAND                  X\n\"sh -c 'i=0; while t…\"   1\n");
}

static void row_11_3_escapes_are_as_wide_as_they_are_shown(void **state)
{
	static const char *const headers[] = { "COMMAND", "X", NULL };
	static const char *const cells[] = { "\033]0;title\a", "1", NULL };
	cleanup_free char *text = print(headers, 10, cells);

	(void)state;
	assert_string_equal(text, "COMMAND            X\n\\x1b]0;title\\x07   1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(the_minimum_width_counts_the_gap),
		cmocka_unit_test(width_counts_characters),
		cmocka_unit_test(row_11_3_escapes_are_as_wide_as_they_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
