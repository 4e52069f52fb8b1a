/* SPDX-License-Identifier: GPL-2.0-or-later
 * escape.h - words that others chose, made harmless for a terminal (HARDENING 11.3).
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_ESCAPE_H
#define MYCOMPOSE_CMD_ESCAPE_H

#include "engine/base/strbuf.h"

/* Append `text` with its control bytes (C0, DEL, C1 in UTF-8) as \xNN; `keep` lists those that stay
 * ("\n" in messages). */
void escape_add(struct strbuf *out, const char *text, const char *keep);
/* The same as a heap string. */
char *escape_control(const char *text);

#endif
