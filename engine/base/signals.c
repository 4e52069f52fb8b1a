/* SPDX-License-Identifier: GPL-2.0-or-later
 * signals.c - signal names; the list is the C library's. */
#include "engine/base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"

static const struct {
	const char *name;
	int number;
} aliases[] = {
	{ "CLD", SIGCHLD },
	{ "IOT", SIGABRT },
	{ "IO", SIGIO },
};

static int find_plain(const char *name)
{
	for (int number = 1; number < NSIG; number++) {
		const char *known = sigabbrev_np(number);

		if (known && strcasecmp(name, known) == 0)
			return number;
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (strcasecmp(name, aliases[i].name) == 0)
			return aliases[i].number;
	}
	return -EINVAL;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2": systemd images stop by SIGRTMIN+3. */
static int find_real_time(const char *name)
{
	const int first = SIGRTMIN, last = SIGRTMAX;
	const bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	uint64_t offset = 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return -EINVAL;
	name += 5;
	if (*name && (*name != (from_min ? '+' : '-') ||
			     parse_u64(name + 1, 0, (uint64_t)(last - first), &offset) < 0))
		return -EINVAL;
	return from_min ? first + (int)offset : last - (int)offset;
}

int signal_parse(const char *text, int *ret, struct error *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;
	int found;

	if (parse_u64(text, 1, (uint64_t)SIGRTMAX, &number) == 0) {
		*ret = (int)number;
		return 0;
	}
	found = find_plain(name);
	if (found < 0)
		found = find_real_time(name);
	if (found < 0)
		return error_set(err, -EINVAL, "invalid signal: %s", text);
	*ret = found;
	return 0;
}
