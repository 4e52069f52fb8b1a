/* SPDX-License-Identifier: GPL-2.0-or-later
 * ps_filter.h - docker's `ps --filter`: same keys are alternatives, different keys must all hold.
 */
#ifndef MYCOMPOSE_CMD_PS_FILTER_H
#define MYCOMPOSE_CMD_PS_FILTER_H

#include "cmd/listed.h"

struct ps_filter;

/* "KEY=VALUE" words. -EINVAL: "invalid filter 'x'". The engine stays the caller's. */
int ps_filter_parse(
	char *const *words, const struct engine *engine, struct ps_filter **ret, struct error *err);
void ps_filter_free(struct ps_filter *filter);
/* For listed_filter. */
bool ps_filter_accepts(const struct listed *listed, void *filter);
/* A filter on the state implies containers that do not run. */
bool ps_filter_has_status(const struct ps_filter *filter);

#endif
