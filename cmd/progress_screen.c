/* SPDX-License-Identifier: GPL-2.0-or-later
 * progress_screen.c - draw the block. */
#include "cmd/progress_screen.h"

#include <string.h>

#include "cmd/escape.h"
#include "engine/base/memory.h"

#define ERASE_TO_END "\033[K"

static const char *icon_of(const struct progress_row *row, int64_t now_ns)
{
	static const char *const frames[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };

	switch (row->status) {
	case PROGRESS_DONE:
		return "✔";
	case PROGRESS_WARNING:
		return "!";
	case PROGRESS_ERROR:
		return "✘";
	case PROGRESS_WORKING:
		break;
	}
	return frames[(size_t)(now_ns / PROGRESS_FRAME_NS) % ARRAY_LEN(frames)];
}

static const char *color_of(const struct progress_row *row)
{
	static const char *const colors[] = {
		[PROGRESS_WORKING] = "\033[33m",
		[PROGRESS_DONE] = "\033[32m",
		[PROGRESS_WARNING] = "\033[33;1m",
		[PROGRESS_ERROR] = "\033[31m",
	};

	return colors[row->status];
}

static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* At most `columns` characters of `text`; 0 = all. */
static void add_cut(struct strbuf *out, const char *text, size_t columns)
{
	size_t shown = 0;
	const char *end = text;

	for (; *end; end++) {
		if (((unsigned char)*end & 0xc0) == 0x80)
			continue;
		if (columns && shown == columns)
			break;
		shown++;
	}
	strbuf_add(out, text, (size_t)(end - text));
}

static void add_padded(struct strbuf *out, const char *text, size_t width)
{
	size_t used = width_of(text);

	strbuf_add_str(out, text);
	for (; used < width; used++)
		strbuf_add_char(out, ' ');
}

static void draw_row(const struct progress_screen *screen, const struct progress_row *row,
	size_t id_width, struct strbuf *out)
{
	int64_t end_ns = row->ended_ns ? row->ended_ns : screen->now_ns;
	cleanup_strbuf struct strbuf plain = STRBUF_INIT, line = STRBUF_INIT;

	if (screen->dry_run)
		strbuf_add_str(&plain, "DRY-RUN MODE - ");
	add_padded(&plain, row->id, id_width);
	strbuf_addf(&plain, "  %-10s %5.1fs", row->text, (double)(end_ns - row->began_ns) / 1e9);
	if (row->details)
		strbuf_addf(&plain, " %s", row->details);
	escape_add(&line, strbuf_text(&plain), "");
	strbuf_addf(out, " %s%s%s ", screen->color ? color_of(row) : "",
		icon_of(row, screen->now_ns), screen->color ? "\033[0m" : "");
	/* Blank, icon, blank; and the last column stays free, where some terminals wrap already. */
	add_cut(out, strbuf_text(&line), screen->columns > 4 ? screen->columns - 4 : 0);
	strbuf_add_str(out, ERASE_TO_END "\n");
}

/* Where not all have room, those that work come first, then those that failed. */
static size_t choose(const struct progress_screen *screen, size_t room, bool *shown)
{
	static const enum progress_status order[] = { PROGRESS_WORKING, PROGRESS_ERROR,
		PROGRESS_WARNING, PROGRESS_DONE };
	size_t count = 0;

	for (size_t rank = 0; rank < ARRAY_LEN(order); rank++) {
		for (size_t i = 0; i < screen->count && count < room; i++) {
			if (screen->rows[i].status == order[rank]) {
				shown[i] = true;
				count++;
			}
		}
	}
	return count;
}

size_t progress_screen_draw(const struct progress_screen *screen, struct strbuf *out)
{
	cleanup_free bool *shown = xcalloc(screen->count + 1, sizeof(*shown));
	/* The header, and the line on which the cursor waits below the block. */
	size_t room = screen->lines > 3 ? screen->lines - 2 : 1;
	size_t finished = 0, width = 0, count;

	if (screen->count > room)
		room--; /* for the line that counts the rest */
	count = choose(screen, room, shown);
	for (size_t i = 0; i < screen->count; i++) {
		finished += screen->rows[i].status != PROGRESS_WORKING;
		if (shown[i] && width_of(screen->rows[i].id) > width)
			width = width_of(screen->rows[i].id);
	}
	if (screen->drawn_lines)
		strbuf_addf(out, "\033[%zuA\r", screen->drawn_lines);
	else
		strbuf_add_str(out, SCREEN_HIDE_CURSOR);
	strbuf_addf(out, "[+] Running %zu/%zu" ERASE_TO_END "\n", finished, screen->count);
	for (size_t i = 0; i < screen->count; i++)
		if (shown[i])
			draw_row(screen, &screen->rows[i], width, out);
	if (count < screen->count)
		strbuf_addf(out, " … %zu more" ERASE_TO_END "\n", screen->count - count);
	/* A terminal that has become smaller leaves lines of the block before. */
	count += 1 + (count < screen->count);
	if (count < screen->drawn_lines)
		strbuf_add_str(out, "\033[J");
	return count;
}
