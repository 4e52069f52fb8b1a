/* SPDX-License-Identifier: GPL-2.0-or-later
 * self_exe.h - keep the program's own file out of reach of containers.
 * May depend on: engine/base/.
 *
 * Until its execve, a container's first process is a copy of ours, and an image can name
 * /proc/self/exe as what to run (or as a script's interpreter): our binary then runs inside, and
 * root there could write to the host's file through /proc/PID/exe (CVE-2019-5736). What decides is
 * the mount that the running file was opened through. So a program that starts containers runs
 * itself once more through a read-only mount of its file that is attached nowhere: every write
 * through it gives EROFS, whatever capabilities the writer has, and nobody can remount it.
 * Costs one dynamic link, about 2.3 ms a command (a sealed memfd copy: the same plus the copy, and
 * the copy's memory). A supervisor forked from such a program is covered. */
#ifndef MYCOMPOSE_CONTAINER_SELF_EXE_H
#define MYCOMPOSE_CONTAINER_SELF_EXE_H

#include <stdbool.h>

#include "engine/base/errors.h"

bool self_exe_is_protected(void);
/* Does not return when it re-executes; returns 0 when it need not. For main(), before anything
 * that cannot be done twice. `argv` and `environ` are passed on. */
int self_exe_protect(char *const *argv, struct error *err);

#endif
