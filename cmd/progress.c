/* SPDX-License-Identifier: GPL-2.0-or-later
 * progress.c - the four forms of progress: tty, plain, json, quiet. */
#include "cmd/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/app.h"
#include "cmd/progress_screen.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

struct progress {
	enum progress_mode mode;
	bool dry_run;
	struct progress_row *rows; /* one per id, in order of appearance */
	size_t count;
	size_t drawn_lines;
	int64_t drawn_ns;
};

static bool is_tty(const struct progress *progress)
{
	return progress->mode == PROGRESS_TTY || progress->mode == PROGRESS_TTY_MONO;
}

int progress_mode_choose(const struct app *app, enum progress_mode *ret, struct error *err)
{
	static const struct {
		const char *name;
		enum progress_mode mode;
	} modes[] = {
		{ "tty", PROGRESS_TTY },
		{ "plain", PROGRESS_PLAIN },
		{ "json", PROGRESS_JSON },
		{ "quiet", PROGRESS_QUIET },
		{ "none", PROGRESS_QUIET },
	};
	const char *wanted = app->global.progress;
	enum ansi ansi;
	int r;

	if (!wanted)
		wanted = app_getenv(app, "COMPOSE_PROGRESS");
	r = app_ansi_choose(app, STDERR_FILENO, &ansi, err);
	if (r < 0)
		return r;
	if (!wanted || !*wanted || !strcmp(wanted, "auto"))
		wanted = isatty(STDERR_FILENO) && ansi != ANSI_NEVER ? "tty" : "plain";
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (!strcmp(wanted, modes[i].name)) {
			*ret = modes[i].mode;
			if (*ret == PROGRESS_TTY && ansi != ANSI_COLOR)
				*ret = PROGRESS_TTY_MONO;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "unsupported --progress value \"%s\"", wanted);
}

struct progress *progress_new(enum progress_mode mode, bool dry_run)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->mode = mode;
	progress->dry_run = dry_run;
	return progress;
}

static struct progress_row *row_for(struct progress *progress, const char *id)
{
	struct progress_row *row;

	for (size_t i = 0; i < progress->count; i++)
		if (!strcmp(progress->rows[i].id, id))
			return &progress->rows[i];
	row = array_add(progress->rows, progress->count);
	row->id = xstrdup(id);
	row->began_ns = time_monotonic();
	return row;
}

static void update_row(struct progress *progress, const struct progress_event *event)
{
	struct progress_row *row = row_for(progress, event->id);

	free(row->text);
	free(row->details);
	row->text = xstrdup(event->text);
	row->details = xstrdup(event->details);
	if (row->ended_ns && event->status == PROGRESS_WORKING)
		row->began_ns = time_monotonic();
	row->status = event->status;
	row->ended_ns = event->status == PROGRESS_WORKING ? 0 : time_monotonic();
}

static void print_json(const struct progress *progress, const struct progress_event *event)
{
	static const char *const names[] = { "Working", "Done", "Warning", "Error" };
	cleanup_json struct json *line = json_new_object();
	cleanup_free char *text = NULL;

	json_set_string(line, "details", event->details);
	if (progress->dry_run)
		json_set_bool(line, "dry-run", true);
	json_set_string(line, "id", event->id);
	json_set_string(line, "status", names[event->status]);
	json_set_string(line, "text", event->text);
	text = json_print_go(line);
	fprintf(stderr, "%s\n", text);
}

/* One write per frame, so that the terminal never shows half of one. */
static void draw(struct progress *progress)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct winsize size = { 0 };
	struct progress_screen screen = {
		.rows = progress->rows,
		.count = progress->count,
		.lines = 24,
		.dry_run = progress->dry_run,
		.color = progress->mode == PROGRESS_TTY,
		.now_ns = time_monotonic(),
		.drawn_lines = progress->drawn_lines,
	};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) {
		screen.lines = size.ws_row >= 4 ? size.ws_row : 24;
		screen.columns = size.ws_col;
	}
	progress->drawn_lines = progress_screen_draw(&screen, &out);
	fwrite(out.data, 1, out.length, stderr);
	fflush(stderr);
	progress->drawn_ns = screen.now_ns;
}

void progress_event(struct progress *progress, const struct progress_event *event)
{
	switch (progress->mode) {
	case PROGRESS_QUIET:
		break;
	case PROGRESS_JSON:
		print_json(progress, event);
		break;
	case PROGRESS_PLAIN:
		fprintf(stderr, " %s%s  %s\n", progress->dry_run ? "DRY-RUN MODE - " : "",
			event->id, event->text);
		break;
	case PROGRESS_TTY:
	case PROGRESS_TTY_MONO:
		update_row(progress, event);
		progress_tick(progress);
		break;
	}
}

void progress_hide(struct progress *progress)
{
	if (!progress || !is_tty(progress) || !progress->drawn_lines)
		return;
	fprintf(stderr, "\033[%zuA\r\033[J" SCREEN_SHOW_CURSOR, progress->drawn_lines);
	fflush(stderr);
	progress->drawn_lines = 0;
	progress->drawn_ns = 0;
}

void progress_tick(struct progress *progress)
{
	if (is_tty(progress) && progress->count &&
		time_monotonic() - progress->drawn_ns >= PROGRESS_FRAME_NS)
		draw(progress);
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	if (is_tty(progress) && progress->count) {
		draw(progress);
		fputs(SCREEN_SHOW_CURSOR, stderr);
	}
	for (size_t i = 0; i < progress->count; i++) {
		free(progress->rows[i].id);
		free(progress->rows[i].text);
		free(progress->rows[i].details);
	}
	free(progress->rows);
	free(progress);
}
