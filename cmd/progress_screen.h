/* SPDX-License-Identifier: GPL-2.0-or-later
 * progress_screen.h - the block that shows progress on a terminal, as bytes. Pure: no clock, no fd.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_PROGRESS_SCREEN_H
#define MYCOMPOSE_CMD_PROGRESS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose/apply.h"
#include "engine/base/strbuf.h"

#define PROGRESS_FRAME_NS (100 * 1000000LL)

#define SCREEN_HIDE_CURSOR "\033[?25l"
#define SCREEN_SHOW_CURSOR "\033[?25h"

struct progress_row {
	char *id;
	char *text;
	char *details; /* NULL = none */
	enum progress_status status;
	int64_t began_ns;
	int64_t ended_ns; /* 0 while it works */
};

struct progress_screen {
	const struct progress_row *rows;
	size_t count;
	size_t lines;	/* of the terminal, at least 4 */
	size_t columns; /* 0 = not known: nothing is cut */
	bool dry_run;
	bool color;
	int64_t now_ns;	    /* on the rows' clock */
	size_t drawn_lines; /* that the block before this one has; 0 = it is the first */
};
/* Append what redraws the block in place: header, rows, "… N more" for those the terminal has no
 * room for (working ones are shown first). No line is longer than the terminal is wide, or the next
 * frame would not find its beginning. Returns the lines of the block. */
size_t progress_screen_draw(const struct progress_screen *screen, struct strbuf *out);

#endif
