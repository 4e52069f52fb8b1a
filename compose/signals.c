/* SPDX-License-Identifier: GPL-2.0-or-later
 * signals.c - names of signals to numbers. */
#include "compose/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/numbers.h"

/* RTMIN and RTMAX are where images' documentation counts from (34 and 64), not what libc keeps for
 * itself. */
#define FIRST_REALTIME 34
#define LAST_REALTIME  64

static int realtime_number(const char *name)
{
	int64_t offset = 0;
	int base;

	if (strncasecmp(name, "RTMIN", 5) == 0)
		base = FIRST_REALTIME;
	else if (strncasecmp(name, "RTMAX", 5) == 0)
		base = LAST_REALTIME;
	else
		return -EINVAL;
	name += 5;
	if (*name == '+' && parse_i64(name + 1, 0, 30, &offset) < 0)
		return -EINVAL;
	if (*name == '-' && parse_i64(name, -30, 0, &offset) < 0)
		return -EINVAL;
	if (*name && *name != '+' && *name != '-')
		return -EINVAL;
	base += (int)offset;
	return base >= FIRST_REALTIME && base <= LAST_REALTIME ? base : -EINVAL;
}

int signal_number(const char *name)
{
	static const struct {
		const char *alias;
		int number;
	} aliases[] = { { "CLD", SIGCHLD }, { "IOT", SIGABRT }, { "POLL", SIGIO } };
	uint64_t number;

	if (parse_u64(name, 1, LAST_REALTIME, &number) == 0)
		return (int)number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < 32; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(known, name) == 0)
			return i;
	}
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcasecmp(aliases[i].alias, name) == 0)
			return aliases[i].number;
	return realtime_number(name);
}
