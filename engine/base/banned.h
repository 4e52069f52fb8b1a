/* SPDX-License-Identifier: GPL-2.0-or-later
 * banned.h - calls that have no safe use become build errors; included into every file by the
 * Makefile. In their place: snprintf or strbuf, xstrdup, parse_* of numbers.h, strtok_r or
 * strv_split, getenv in cmd/ only. */
#ifndef MYCOMPOSE_BASE_BANNED_H
#define MYCOMPOSE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll

#endif
