/* SPDX-License-Identifier: GPL-2.0-or-later
 * times.h - clocks and how times are written.
 *
 * Wall time is only ever recorded and shown; whatever waits uses the monotonic clock. Unit:
 * nanoseconds. */
#ifndef MYCOMPOSE_BASE_TIMES_H
#define MYCOMPOSE_BASE_TIMES_H

#include <stdint.h>

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS  1000000LL

int64_t time_now(void);	      /* CLOCK_REALTIME since 1970 */
int64_t time_monotonic(void); /* CLOCK_MONOTONIC */

/* RFC 3339 in UTC with nanoseconds, trailing zeros dropped as Go's RFC3339Nano does:
 * "2026-11-24T05:19:33.81056222Z". Heap. */
char *time_format_rfc3339(int64_t ns);
/* Always nine digits (docker's log time stamps). buf holds at least 31 bytes. */
void time_format_log(int64_t ns, char buf[static 31]);
/* RFC 3339 with optional fraction and zone; also a date alone or date and time without zone (taken
 * as UTC). -EINVAL. */
int time_parse_rfc3339(const char *s, int64_t *ret_ns);
/* "2026-11-24 05:19:26 +0000 UTC", docker's CreatedAt. Heap. */
char *time_format_created_at(int64_t ns);
/* go-units HumanDuration: "Less than a second", "About a minute", "3 weeks". Heap. */
char *time_format_human(int64_t ns);

#endif
