/* SPDX-License-Identifier: GPL-2.0-or-later
 * times.c - clocks and how times are written. */
#include "engine/base/times.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/memory.h"

static int64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0, 0 };

	clock_gettime(clock, &now); /* fails for unknown clocks only */
	return (int64_t)now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

int64_t time_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t time_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Split into calendar fields (UTC) and nanoseconds 0..999999999, before 1970 too. */
static void split_time(int64_t ns, struct tm *ret_tm, int *ret_fraction)
{
	time_t seconds = ns / NS_PER_SEC;
	int fraction = (int)(ns % NS_PER_SEC);

	if (fraction < 0) {
		fraction += NS_PER_SEC;
		seconds--;
	}
	gmtime_r(&seconds, ret_tm);
	*ret_fraction = fraction;
}

void time_format_log(int64_t ns, char buf[static 31])
{
	struct tm tm;
	int fraction;
	size_t n;

	split_time(ns, &tm, &fraction);
	n = strftime(buf, 31, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 31 - n, ".%09dZ", fraction);
}

char *time_format_rfc3339(int64_t ns)
{
	char buf[31];
	size_t end;

	time_format_log(ns, buf);
	end = strlen(buf) - 1; /* at the Z */
	while (buf[end - 1] == '0')
		end--;
	if (buf[end - 1] == '.')
		end--;
	buf[end] = '\0';
	return xasprintf("%sZ", buf);
}

char *time_format_created_at(int64_t ns)
{
	char buf[64];
	struct tm tm;
	int fraction;

	split_time(ns, &tm, &fraction);
	strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S +0000 UTC", &tm);
	return xstrdup(buf);
}

/* Exactly `count` digits. */
static bool take_number(const char **s, int count, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (**s - '0');
	}
	*ret = value;
	return true;
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool take_date(const char **s, struct tm *tm)
{
	if (!take_number(s, 4, &tm->tm_year) || !take_char(s, '-') ||
		!take_number(s, 2, &tm->tm_mon) || !take_char(s, '-') ||
		!take_number(s, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

/* ".5" and the like, to nanoseconds; further digits are passed over. */
static bool take_fraction(const char **s, int64_t *ret_ns)
{
	int64_t unit = NS_PER_SEC / 10, ns = 0;

	if (!take_char(s, '.'))
		return true;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
		ns += (**s - '0') * unit;
	*ret_ns = ns;
	return true;
}

static bool take_clock(const char **s, struct tm *tm, int64_t *ret_ns)
{
	if (!take_number(s, 2, &tm->tm_hour) || !take_char(s, ':') ||
		!take_number(s, 2, &tm->tm_min))
		return false;
	if (!take_char(s, ':'))
		return true; /* hours and minutes alone */
	return take_number(s, 2, &tm->tm_sec) && take_fraction(s, ret_ns);
}

static bool take_zone(const char **s, int *ret_seconds)
{
	int sign = **s == '-' ? -1 : 1, hours, minutes;

	if (take_char(s, 'Z') || take_char(s, 'z') || !**s)
		return true;
	if (!take_char(s, '+') && !take_char(s, '-'))
		return false;
	if (!take_number(s, 2, &hours) || !take_char(s, ':') || !take_number(s, 2, &minutes) ||
		hours > 23 || minutes > 59)
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* timegm() makes 1 March of 30 February; a date that does not come back as it went in was none. */
static bool calendar_seconds(const struct tm *tm, int64_t *ret)
{
	struct tm check = *tm;

	*ret = timegm(&check);
	return check.tm_year == tm->tm_year && check.tm_mon == tm->tm_mon &&
	       check.tm_mday == tm->tm_mday && check.tm_hour == tm->tm_hour &&
	       check.tm_min == tm->tm_min && check.tm_sec == tm->tm_sec;
}

int time_parse_rfc3339(const char *s, int64_t *ret_ns)
{
	struct tm tm = { .tm_sec = 0 };
	int64_t fraction = 0, seconds, ns;
	int zone = 0;

	if (!take_date(&s, &tm))
		return -EINVAL;
	if (take_char(&s, 'T') || take_char(&s, 't') || take_char(&s, ' ')) {
		if (!take_clock(&s, &tm, &fraction) || !take_zone(&s, &zone))
			return -EINVAL;
	}
	if (*s || !calendar_seconds(&tm, &seconds))
		return -EINVAL;
	if (__builtin_mul_overflow(seconds - zone, NS_PER_SEC, &ns) ||
		__builtin_add_overflow(ns, fraction, &ns))
		return -EINVAL; /* nanoseconds reach from 1677 to 2262 */
	*ret_ns = ns;
	return 0;
}

char *time_format_human(int64_t ns)
{
	const int64_t day = 24;
	int64_t seconds = ns / NS_PER_SEC, minutes = seconds / 60;
	int64_t hours = (seconds + 1800) / 3600;

	if (seconds < 1)
		return xstrdup("Less than a second");
	if (seconds == 1)
		return xstrdup("1 second");
	if (seconds < 60)
		return xasprintf("%lld seconds", (long long)seconds);
	if (minutes == 1)
		return xstrdup("About a minute");
	if (minutes < 60)
		return xasprintf("%lld minutes", (long long)minutes);
	if (hours == 1)
		return xstrdup("About an hour");
	if (hours < 2 * day)
		return xasprintf("%lld hours", (long long)hours);
	if (hours < 14 * day)
		return xasprintf("%lld days", (long long)(hours / day));
	if (hours < 60 * day)
		return xasprintf("%lld weeks", (long long)(hours / day / 7));
	if (hours < 730 * day)
		return xasprintf("%lld months", (long long)(hours / day / 30));
	return xasprintf("%lld years", (long long)(seconds / 3600 / day / 365));
}
