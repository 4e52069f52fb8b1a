/* SPDX-License-Identifier: GPL-2.0-or-later
 * detach.h - go on in the background after a command has ended in the foreground.
 * May depend on: engine/base/.
 *
 * The fork comes first, before anything is done: the child does the whole work, still at the user's
 * terminal, and the parent only waits to pass on its outcome. So whatever the child clones is its
 * own, and stays so when the parent leaves. */
#ifndef MYCOMPOSE_SUPERVISOR_DETACH_H
#define MYCOMPOSE_SUPERVISOR_DETACH_H

#include "engine/base/errors.h"

/* Returns in the child only, with the fd for detach_report. The parent ends with the code reported,
 * or as the child ended without a report. Signals sent to the parent alone are passed on. */
int detach_fork(int *ret_report_fd, struct error *err);
/* A session of its own, stdio on /dev/null, "/" as working directory; then the parent is told, so
 * that whoever waits for it finds terminal and pipes let go. Closes *report_fd. */
int detach_finish(int *report_fd, int exit_code, struct error *err);

#endif
