/* SPDX-License-Identifier: GPL-2.0-or-later
 * progress_screen_test.c - the block's bytes: first frame, redraw, what does not fit. */
#include "cmd/progress_screen.h"

#include "support.h"

#define SECOND 1000000000LL

static struct progress_row row(
	const char *id, const char *text, enum progress_status status, int64_t ended_ns)
{
	return (struct progress_row){ (char *)id, (char *)text, NULL, status, 0, ended_ns };
}

static char *draw(struct progress_screen *screen, size_t expected_lines)
{
	struct strbuf out = STRBUF_INIT;

	assert_int_equal(progress_screen_draw(screen, &out), expected_lines);
	return strbuf_steal(&out);
}

static void the_first_frame_hides_the_cursor_and_counts_what_is_done(void **state)
{
	struct progress_row rows[] = {
		row("Network demo_default", "Created", PROGRESS_DONE, SECOND / 10),
		row("Container demo-web-1", "Starting", PROGRESS_WORKING, 0),
	};
	struct progress_screen screen = {
		.rows = rows, .count = 2, .lines = 24, .now_ns = 2 * SECOND
	};
	cleanup_free char *text = draw(&screen, 3);

	(void)state;
	assert_string_equal(text, "\033[?25l[+] Running 1/2\033[K\n"
				  " ✔ Network demo_default  Created      0.1s\033[K\n"
				  " ⠋ Container demo-web-1  Starting     2.0s\033[K\n");
}

static void later_frames_begin_where_the_first_did(void **state)
{
	struct progress_row rows[] = { row("Image bb", "Pulling", PROGRESS_WORKING, 0) };
	struct progress_screen screen = { .rows = rows,
		.count = 1,
		.lines = 24,
		.now_ns = 3 * PROGRESS_FRAME_NS,
		.drawn_lines = 2 };
	cleanup_free char *text = draw(&screen, 2);

	(void)state;
	assert_string_equal(text, "\033[2A\r[+] Running 0/1\033[K\n"
				  " ⠸ Image bb  Pulling      0.3s\033[K\n");
}

static void icons_have_colours_only_when_asked_for(void **state)
{
	struct progress_row rows[] = {
		row("a", "Started", PROGRESS_DONE, SECOND),
		row("b", "Warn", PROGRESS_WARNING, SECOND),
		row("c", "Error", PROGRESS_ERROR, SECOND),
	};
	struct progress_screen screen = { .rows = rows, .count = 3, .lines = 24, .color = true };
	cleanup_free char *colored = draw(&screen, 4);
	cleanup_free char *plain = NULL;

	(void)state;
	assert_non_null(strstr(colored, " \033[32m✔\033[0m a  Started      1.0s"));
	assert_non_null(strstr(colored, " \033[33;1m!\033[0m b "));
	assert_non_null(strstr(colored, " \033[31m✘\033[0m c "));
	screen.color = false;
	plain = draw(&screen, 4);
	assert_non_null(strstr(plain, "\n ✘ c  Error"));
	assert_null(strstr(plain, "\033[3"));
}

static void what_has_no_room_is_counted_and_what_works_is_shown_first(void **state)
{
	struct progress_row rows[10];
	struct progress_screen screen = { .rows = rows, .count = 10, .lines = 6 };
	cleanup_free char *text = NULL;
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		rows[i] = row("done", "Started", PROGRESS_DONE, SECOND);
	rows[9] = row("busy", "Starting", PROGRESS_WORKING, 0);
	text = draw(&screen, 5);
	assert_non_null(strstr(text, "[+] Running 9/10"));
	assert_non_null(strstr(text, " ⠋ busy  Starting"));
	assert_non_null(strstr(text, "\n … 7 more\033[K\n"));
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 5); /* one less than the terminal has */
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct progress_row rows[] = {
		row("Container a-name-that-is-really-quite-long-1", "Starting", PROGRESS_WORKING,
			0),
	};
	struct progress_screen screen = { .rows = rows, .count = 1, .lines = 24, .columns = 20 };
	cleanup_free char *text = draw(&screen, 2);

	(void)state;
	assert_non_null(strstr(text, "\n ⠋ Container a-name\033[K\n"));
}

static void a_shorter_block_leaves_nothing_of_a_longer_one(void **state)
{
	struct progress_row rows[] = { row("a", "Started", PROGRESS_DONE, SECOND) };
	struct progress_screen screen = { .rows = rows, .count = 1, .lines = 24, .drawn_lines = 9 };
	cleanup_free char *text = draw(&screen, 2);

	(void)state;
	assert_string_equal(text + strlen(text) - 3, "\033[J");
}

static void dry_run_and_details_are_shown(void **state)
{
	struct progress_row rows[] = { row("a", "Error", PROGRESS_ERROR, SECOND) };
	struct progress_screen screen = { .rows = rows, .count = 1, .lines = 24, .dry_run = true };
	cleanup_free char *text = NULL;

	(void)state;
	rows[0].details = (char *)"no \033[2Jspace";
	text = draw(&screen, 2);
	assert_non_null(
		strstr(text, " ✘ DRY-RUN MODE - a  Error        1.0s no \\x1b[2Jspace\033[K\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_frame_hides_the_cursor_and_counts_what_is_done),
		cmocka_unit_test(later_frames_begin_where_the_first_did),
		cmocka_unit_test(icons_have_colours_only_when_asked_for),
		cmocka_unit_test(what_has_no_room_is_counted_and_what_works_is_shown_first),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(a_shorter_block_leaves_nothing_of_a_longer_one),
		cmocka_unit_test(dry_run_and_details_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
