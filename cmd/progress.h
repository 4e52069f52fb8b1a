/* SPDX-License-Identifier: GPL-2.0-or-later
 * progress.h - what is being done, on stderr: a redrawn block on a terminal, lines elsewhere. */
#ifndef MYCOMPOSE_CMD_PROGRESS_H
#define MYCOMPOSE_CMD_PROGRESS_H

#include "cmd/verb.h"
#include "compose/apply.h"

enum progress_mode {
	PROGRESS_TTY,
	PROGRESS_PLAIN,
	PROGRESS_JSON,
	PROGRESS_QUIET,
	PROGRESS_TTY_MONO, /* a terminal, without colours */
};

/* From --progress, COMPOSE_PROGRESS, --ansi and the terminal. -EINVAL: `unsupported --progress
 * value "x"`. */
int progress_mode_choose(const struct app *app, enum progress_mode *ret, struct error *err);

struct progress;
struct progress *progress_new(enum progress_mode mode, bool dry_run);
/* Leaves the block as it stands and shows the cursor again. */
void progress_free(struct progress *progress);
void progress_event(struct progress *progress, const struct progress_event *event);
/* Take a terminal's block away, so that other lines can be written where it stood; the next event
 * or tick draws it below them. */
void progress_hide(struct progress *progress);
/* Redraw a terminal's block if its spinner is due; cheap otherwise. */
void progress_tick(struct progress *progress);

#endif
