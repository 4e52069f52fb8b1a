/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_follow.h - print the logs of several containers as one, by time, and go on as they grow. */
#ifndef MYCOMPOSE_CMD_LOG_FOLLOW_H
#define MYCOMPOSE_CMD_LOG_FOLLOW_H

#include "cmd/listed.h"
#include "cmd/log_printer.h"

struct log_follow_options {
	struct log_reader_options reader;
	struct log_printer_options printer;
	bool follow;
	const char *project; /* labels are names without "PROJECT-"; NULL = whole names */
};

struct log_follow;
struct log_follow *log_follow_new(struct app *app, const struct log_follow_options *options);
void log_follow_free(struct log_follow *follow);
/* Add a container unless it is known already. Its lines are shown from options.reader on, all of
 * them when it is added while others are followed. */
int log_follow_add(struct log_follow *follow, const struct listed *listed, struct error *err);

/* Print what is there; with `follow` go on until none of the containers is up and no command is
 * working on the project. `look` (may be NULL) is called twice a second to add containers that have
 * come since. Returns the exit code: 0, or 130 after SIGINT or SIGTERM. */
int log_follow_run(struct log_follow *follow,
	int (*look)(struct log_follow *follow, void *arg, struct error *err), void *arg,
	struct error *err);

/* --since and --until: RFC 3339, seconds since 1970, or a duration back from now ("42m"). */
int log_time_parse(
	const char *flag, const char *text, int64_t now_ns, int64_t *ret_ns, struct error *err);
/* --tail: "all" or a number. */
int log_tail_parse(const char *text, int64_t *ret, struct error *err);

#endif
