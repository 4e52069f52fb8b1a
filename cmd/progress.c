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
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

#define FRAME_NS (100 * NS_PER_MS)

struct row {
	char *id;
	char *text;
	char *details;
	enum progress_status status;
	int64_t began_ns;
	int64_t ended_ns; /* 0 while it works */
};

struct progress {
	enum progress_mode mode;
	bool dry_run;
	struct row *rows; /* one per id, in order of appearance */
	size_t count;
	size_t drawn_lines;
	int64_t drawn_ns;
};

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

	if (!wanted)
		wanted = app_getenv(app, "COMPOSE_PROGRESS");
	if (!wanted || !strcmp(wanted, "auto")) {
		const char *ansi = app->global.ansi;
		bool plain = ansi && !strcmp(ansi, "never");

		*ret = isatty(STDERR_FILENO) && !plain ? PROGRESS_TTY : PROGRESS_PLAIN;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (!strcmp(wanted, modes[i].name)) {
			*ret = modes[i].mode;
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

static struct row *row_for(struct progress *progress, const char *id)
{
	struct row *row;

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
	struct row *row = row_for(progress, event->id);

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

	if (progress->dry_run)
		json_set_bool(line, "dry-run", true);
	json_set_string(line, "id", event->id);
	json_set_string(line, "status", names[event->status]);
	json_set_string(line, "text", event->text);
	json_set_string(line, "details", event->details);
	text = json_print_go(line);
	fprintf(stderr, "%s\n", text);
}

static const char *icon_of(const struct row *row, int64_t now)
{
	static const char *const frames[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" };

	switch (row->status) {
	case PROGRESS_DONE:
		return "\033[32m✔\033[0m";
	case PROGRESS_WARNING:
		return "\033[33m!\033[0m";
	case PROGRESS_ERROR:
		return "\033[31m✘\033[0m";
	case PROGRESS_WORKING:
		break;
	}
	return frames[(now / FRAME_NS) % (int64_t)ARRAY_LEN(frames)];
}

static size_t terminal_rows(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 4)
		return 24;
	return size.ws_row;
}

static void draw_row(const struct progress *progress, const struct row *row, int width, int64_t now,
	struct strbuf *out)
{
	double seconds = (double)((row->ended_ns ? row->ended_ns : now) - row->began_ns) / 1e9;

	strbuf_addf(out, " %s %s%-*s  %-10s %5.1fs", icon_of(row, now),
		progress->dry_run ? "DRY-RUN MODE - " : "", width, row->id, row->text, seconds);
	if (row->details && row->status != PROGRESS_ERROR)
		strbuf_addf(out, " %s", row->details);
	strbuf_add_str(out, "\033[K\n");
}

/* One write per frame, so that the terminal never shows half of one. */
static void draw(struct progress *progress)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int64_t now = time_monotonic();
	size_t finished = 0, shown = progress->count, room = terminal_rows() - 2;
	int width = 0;

	for (size_t i = 0; i < progress->count; i++) {
		finished += progress->rows[i].status != PROGRESS_WORKING;
		if ((int)strlen(progress->rows[i].id) > width)
			width = (int)strlen(progress->rows[i].id);
	}
	if (shown > room)
		shown = room - 1;
	if (progress->drawn_lines)
		strbuf_addf(&out, "\033[%zuA\r", progress->drawn_lines);
	else
		strbuf_add_str(&out, "\033[?25l");
	strbuf_addf(&out, "[+] Running %zu/%zu\033[K\n", finished, progress->count);
	for (size_t i = 0; i < shown; i++)
		draw_row(progress, &progress->rows[i], width, now, &out);
	if (shown < progress->count)
		strbuf_addf(&out, " … %zu more\033[K\n", progress->count - shown);
	progress->drawn_lines = 1 + shown + (shown < progress->count);
	fwrite(out.data, 1, out.length, stderr);
	fflush(stderr);
	progress->drawn_ns = now;
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
		update_row(progress, event);
		progress_tick(progress);
		break;
	}
}

void progress_hide(struct progress *progress)
{
	if (!progress || progress->mode != PROGRESS_TTY || !progress->drawn_lines)
		return;
	fprintf(stderr, "\033[%zuA\r\033[J", progress->drawn_lines);
	fflush(stderr);
	progress->drawn_lines = 0;
	progress->drawn_ns = 0;
}

void progress_tick(struct progress *progress)
{
	if (progress->mode == PROGRESS_TTY && progress->count &&
		time_monotonic() - progress->drawn_ns >= FRAME_NS)
		draw(progress);
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	if (progress->mode == PROGRESS_TTY && progress->count) {
		draw(progress);
		fputs("\033[?25h", stderr);
	}
	for (size_t i = 0; i < progress->count; i++) {
		free(progress->rows[i].id);
		free(progress->rows[i].text);
		free(progress->rows[i].details);
	}
	free(progress->rows);
	free(progress);
}
