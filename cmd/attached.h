/* SPDX-License-Identifier: GPL-2.0-or-later
 * attached.h - `up` in the foreground: the project's output on the terminal until it ends or is
 * told to.
 *
 * Works the same whether this process supervises the project or joins one that another process
 * supervises (then the log files are followed). First SIGINT or SIGTERM: stop in reverse dependency
 * order; second: SIGKILL to all. When nobody reads stdout any more that counts as the first. Output
 * that its reader does not take is kept, and then makes the containers wait, never the supervisor.
 */
#ifndef MYCOMPOSE_CMD_ATTACHED_H
#define MYCOMPOSE_CMD_ATTACHED_H

#include "cmd/project_run.h"

struct attached_options {
	struct log_printer_options printer;
	char *const *services; /* whose output is shown */
	char *const *awaited;  /* it ends when all of these have; what else runs then goes on */
	bool abort_on_exit;
	bool abort_on_failure;
	const char *exit_code_from; /* service, NULL = none */
};

struct attached;
/* Before run->plan is applied: prints "Attaching to …" and takes the run's hooks, tick and event.
 */
int attached_begin(struct project_run *run, const struct attached_options *options,
	struct attached **ret, struct error *err);
/* Once run->control is open: catch signals, follow the log files when the supervisor is elsewhere.
 */
int attached_connect(struct attached *attached, struct error *err);
/* After apply (result r): show until all have ended or a signal came, stop then. Returns the exit
 * code. */
int attached_run(struct attached *attached, int r, struct error *err);
void attached_free(struct attached *attached);

#endif
