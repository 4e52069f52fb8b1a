/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - the page that tells users which keys work. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_SUPPORT_H
#define MYCOMPOSE_COMPOSE_SUPPORT_H

#include "engine/base/strbuf.h"

/* docs/compose-support.md: every row of the key tables with its status, in Markdown. */
void support_page(struct strbuf *out);

#endif
