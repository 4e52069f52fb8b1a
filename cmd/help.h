/* SPDX-License-Identifier: GPL-2.0-or-later
 * help.h - --help, printed from the tables. */
#ifndef MYCOMPOSE_CMD_HELP_H
#define MYCOMPOSE_CMD_HELP_H

#include <stdio.h>

#include "cmd/verb.h"

void help_program(const struct verb *const *verbs, const struct flag *global_flags, FILE *out);
void help_group(const struct verb *group, const char *path, FILE *out);
void help_verb(const struct verb *verb, const char *path, FILE *out);

#endif
