/* SPDX-License-Identifier: GPL-2.0-or-later
 * numbers.c - texts into numbers; the forms are those of docker/go-units and Go's time package. */
#include "engine/base/numbers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/ascii.h"

/* Digits of `base` from *s on; *s is left behind them. -EINVAL when there is none, -ERANGE (after
 * all were passed) on overflow. */
static int take_digits(const char **s, unsigned int base, uint64_t *ret)
{
	const char *start = *s;
	bool overflow = false;
	uint64_t value = 0;

	for (; **s >= '0' && **s < (char)('0' + base); (*s)++)
		overflow |= __builtin_mul_overflow(value, (uint64_t)base, &value) ||
			    __builtin_add_overflow(value, (uint64_t)(**s - '0'), &value);
	if (*s == start)
		return -EINVAL;
	*ret = value;
	return overflow ? -ERANGE : 0;
}

/* A whole string of digits. */
static int parse_whole(const char *s, unsigned int base, uint64_t *ret)
{
	int r = take_digits(&s, base, ret);

	return *s ? -EINVAL : r;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	int r = parse_whole(s, 10, &value);

	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *s == '-';
	uint64_t magnitude;
	int64_t value;
	int r = parse_whole(s + negative, 10, &magnitude);

	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	/* Unsigned, for the magnitude of INT64_MIN has no signed form. */
	value = (int64_t)(negative ? -magnitude : magnitude);
	if (value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_octal(const char *s, uint32_t max, uint32_t *ret)
{
	uint64_t value;
	int r = parse_whole(s, 8, &value);

	if (r < 0)
		return r;
	if (value > max)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

/* A decimal "12", "1.5", ".5" or "5." from *s on: the whole part, and the fraction as digits over
 * `scale`. Fraction digits that no longer fit are below every unit we have and are dropped. */
struct decimal {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale; /* a power of ten */
};

static int take_decimal(const char **s, struct decimal *ret)
{
	struct decimal d = { 0, 0, 1 };
	bool digits = ascii_is_digit(**s);
	int r = digits ? take_digits(s, 10, &d.whole) : 0;

	if (**s == '.') {
		(*s)++;
		digits |= ascii_is_digit(**s);
		for (; ascii_is_digit(**s); (*s)++) {
			if (d.scale > UINT64_MAX / 100)
				continue;
			d.fraction = d.fraction * 10 + (uint64_t)(**s - '0');
			d.scale *= 10;
		}
	}
	if (!digits)
		return -EINVAL;
	*ret = d;
	return r;
}

/* d * unit, rounded down; -ERANGE above INT64_MAX + `over`. */
static int decimal_times(const struct decimal *d, uint64_t unit, uint64_t over, uint64_t *ret)
{
	uint64_t value, part = 0;

	if (d->fraction > 0)
		part = (uint64_t)((__uint128_t)d->fraction * unit / d->scale);
	if (__builtin_mul_overflow(d->whole, unit, &value) ||
		__builtin_add_overflow(value, part, &value) || value > INT64_MAX + over)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* "", "b", or one of k m g t p with nothing, "b" or "ib" after it, in any case. */
static int byte_unit(const char *suffix, uint64_t *ret)
{
	static const char units[] = "kmgtp";
	const char *unit = *suffix ? strchr(units, ascii_to_lower(*suffix)) : NULL;

	if (unit) {
		suffix++;
		if (ascii_to_lower(suffix[0]) == 'i' && suffix[1])
			suffix++;
	}
	if (ascii_to_lower(*suffix) == 'b')
		suffix++;
	if (*suffix)
		return -EINVAL;
	*ret = unit ? 1ULL << (10 * (unit - units + 1)) : 1;
	return 0;
}

int parse_bytes(const char *s, uint64_t *ret_bytes)
{
	struct decimal d;
	uint64_t unit;
	int number = take_decimal(&s, &d), r;

	if (number == -EINVAL)
		return number;
	if (*s == ' ')
		s++;
	r = byte_unit(s, &unit);
	if (r < 0)
		return r;
	return number < 0 ? number : decimal_times(&d, unit, 0, ret_bytes);
}

#define NS_PER_HOUR 3600000000000ULL

static const struct {
	const char *name;
	uint64_t ns;
} duration_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\u00b5s", 1000 }, /* micro sign */
	{ "\u03bcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", NS_PER_HOUR },
	{ "d", 24 * NS_PER_HOUR },
	{ "w", 7 * 24 * NS_PER_HOUR },
};

/* A unit goes on until the next number begins, so "1ms" is never one minute and a rest. */
static int take_duration_unit(const char **s, uint64_t *ret)
{
	size_t length = 0;

	while ((*s)[length] && !ascii_is_digit((*s)[length]) && (*s)[length] != '.')
		length++;

	for (size_t i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
		if (strlen(duration_units[i].name) != length ||
			memcmp(*s, duration_units[i].name, length) != 0)
			continue;
		*s += length;
		*ret = duration_units[i].ns;
		return 0;
	}
	return -EINVAL;
}

int parse_duration(const char *s, int64_t *ret_ns)
{
	bool negative = *s == '-', overflow = false;
	uint64_t total = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		struct decimal d;
		uint64_t unit, part = 0;
		int r = take_decimal(&s, &d);

		if (r == -EINVAL || take_duration_unit(&s, &unit) < 0)
			return -EINVAL;
		overflow |= r < 0 || decimal_times(&d, unit, negative, &part) < 0 ||
			    __builtin_add_overflow(total, part, &total);
	}
	if (overflow || total > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret_ns = (int64_t)(negative ? -total : total);
	return 0;
}

int parse_cpus(const char *s, uint64_t *ret_permille)
{
	struct decimal d;
	uint64_t permille = 0;
	int r = take_decimal(&s, &d);

	if (r == -EINVAL || *s)
		return -EINVAL;
	if (r == 0)
		r = decimal_times(&d, 1000, 0, &permille);
	if (r < 0)
		return r;
	if (permille == 0)
		return -ERANGE;
	*ret_permille = permille;
	return 0;
}

int parse_cpuset(const char *s)
{
	for (;;) {
		uint64_t first, last;
		int r = take_digits(&s, 10, &first);

		if (r < 0)
			return r;
		if (*s == '-') {
			s++;
			r = take_digits(&s, 10, &last);
			if (r < 0)
				return r;
			if (last < first)
				return -EINVAL;
		}
		if (!*s)
			return 0;
		if (*s++ != ',')
			return -EINVAL;
	}
}
