/* SPDX-License-Identifier: GPL-2.0-or-later
 * helper_process.h - a part of a verb's work in a process of its own, which may enter namespaces
 * that the verb must not. May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_HELPER_PROCESS_H
#define MYCOMPOSE_CMD_HELPER_PROCESS_H

#include <sys/types.h>

#include "engine/base/errors.h"

struct helper_process {
	pid_t pid;
	int report_fd;
};

/* Runs `work` in a child, which then ends. Descriptors are the caller's in both. */
int helper_process_start(struct helper_process *ret, int (*work)(void *arg, struct error *err),
	void *arg, struct error *err);
/* Wait for its end: what `work` returned, with its message. */
int helper_process_finish(struct helper_process *helper, struct error *err);

#endif
