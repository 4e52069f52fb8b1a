/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_stat.h - what one reads in /proc/PID/stat: proc_pid_stat(5). May depend on: ids.h. */
#ifndef MYCOMPOSE_BASE_PROCESS_STAT_H
#define MYCOMPOSE_BASE_PROCESS_STAT_H

#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/ids.h"

#define PROCESS_STAT_MAX 4096 /* bytes of the file */

struct process_stat {
	struct process_id process;
	char state; /* 'Z', 'X' and 'x' have ended */
	pid_t parent;
	pid_t session;
	unsigned int terminal; /* device number, 0 = none */
	uint64_t user_ticks;
	uint64_t system_ticks;
};

/* The file's text; -EBADMSG when it is none. */
int process_stat_parse(const char *text, struct process_stat *ret);
/* -ESRCH when there is no such process. */
int process_stat_read(pid_t pid, struct process_stat *ret, struct error *err);

#endif
