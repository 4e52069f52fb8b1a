/* SPDX-License-Identifier: GPL-2.0-or-later
 * host_facts.h - what this host offers to containers: one list for `info` and `check`. */
#ifndef MYCOMPOSE_CMD_HOST_FACTS_H
#define MYCOMPOSE_CMD_HOST_FACTS_H

#include <stddef.h>

#include "cmd/verb.h"

enum fact_state {
	FACT_GOOD,
	FACT_LACKS,   /* some files cannot be honoured here */
	FACT_MISSING, /* no container can be run */
};
extern const char *const fact_state_names[];

struct fact {
	const char *key;   /* "cgroupVersion" */
	const char *title; /* "cgroup version" */
	char *value;
	enum fact_state state;
	char *advice; /* what to do; NULL when all is well */
};

struct facts {
	struct fact *items;
	size_t count;
};
/* Ask all; takes some milliseconds. What cannot be found out is a fact, too. */
void facts_collect(const struct app *app, struct facts *ret);
void facts_release(struct facts *facts);

#endif
