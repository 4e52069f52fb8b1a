/* SPDX-License-Identifier: GPL-2.0-or-later
 * ids.h - random identifiers, and the identity of a process. */
#ifndef MYCOMPOSE_BASE_IDS_H
#define MYCOMPOSE_BASE_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"

#define ID_LENGTH	64 /* hex digits of an object's id */
#define ID_SHORT_LENGTH 12 /* as shown in tables */

void id_random(char id[static ID_LENGTH + 1]);

/* A pid alone may be recycled: pid, start time (field 22 of /proc/PID/stat, clock ticks) and boot
 * id name a process. See proc_pid_stat(5). */
struct process_id {
	pid_t pid;
	uint64_t start_time;
};

/* -ESRCH when there is no such process. */
int process_identify(pid_t pid, struct process_id *ret, struct error *err);
/* A pidfd for exactly that process: pidfd_open, then the start time is compared. -ESRCH when it is
 * gone. Returns the fd. */
int process_open(const struct process_id *id, struct error *err);
bool process_is_alive(const struct process_id *id); /* a zombie is not alive */
/* The same where "cannot tell" must not pass for "dead": negative then. */
int process_find_alive(const struct process_id *id, bool *ret_alive, struct error *err);
/* /proc/sys/kernel/random/boot_id, 36 characters. */
int boot_id_read(char boot_id[static 37], struct error *err);

#endif
