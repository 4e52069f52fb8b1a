/* SPDX-License-Identifier: GPL-2.0-or-later
 * complete.h - what may follow on a command line, for a shell that completes it. */
#ifndef MYCOMPOSE_CMD_COMPLETE_H
#define MYCOMPOSE_CMD_COMPLETE_H

#include "cmd/verb.h"

#define COMPLETE_WORD "__complete" /* in place of a verb; the words of the line so far follow */

/* Print one candidate a line: the flags, verbs and services that may stand where the last of
 * `words` stands (it may be ""). From the same tables as parsing and --help. */
int complete_words(struct app *app, const struct verb *const *verbs,
	const struct flag *global_flags, char **words, struct error *err);

#endif
