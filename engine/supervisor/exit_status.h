/* SPDX-License-Identifier: GPL-2.0-or-later
 * exit_status.h - how a process that we hold a pidfd of has ended.
 * May depend on: libc. */
#ifndef MYCOMPOSE_SUPERVISOR_EXIT_STATUS_H
#define MYCOMPOSE_SUPERVISOR_EXIT_STATUS_H

enum exit_lookup {
	EXIT_KNOWN,
	EXIT_LATER,  /* ended, but its parent has not reaped it: the kernel tells only after that */
	EXIT_UNKNOWN /* nobody can say */
};

/* Reap our child, or ask the kernel about somebody else's (PIDFD_GET_INFO, Linux 6.15). The code is
 * docker's: 0..255, or 128 + signal. */
enum exit_lookup exit_status_read(int pidfd, int *ret_code);

#endif
