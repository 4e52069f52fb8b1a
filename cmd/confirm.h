/* SPDX-License-Identifier: GPL-2.0-or-later
 * confirm.h - ask before something is removed. */
#ifndef MYCOMPOSE_CMD_CONFIRM_H
#define MYCOMPOSE_CMD_CONFIRM_H

#include <stdbool.h>

/* Print the question as it is on stdout and read one line from stdin; its end means no. */
bool confirm(const char *question);

#endif
