/* SPDX-License-Identifier: GPL-2.0-or-later
 * numbers_format.c - numbers into the texts users know from Go programs: durations and sizes. */
#include <stdbool.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"

const char *format_u64(uint64_t value, char buf[static NUMBER_TEXT_SIZE])
{
	char *first = buf + NUMBER_TEXT_SIZE - 1;

	*first = '\0';
	do
		*--first = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	return first;
}

const char *format_i64(int64_t value, char buf[static NUMBER_TEXT_SIZE])
{
	const char *digits = format_u64(value < 0 ? -(uint64_t)value : (uint64_t)value, buf);

	if (value >= 0)
		return digits;
	/* The longest has 19 digits: there is room before them. */
	buf[digits - buf - 1] = '-';
	return digits - 1;
}

/* value / 10^digits as a decimal, without zeros at the end of the fraction. */
static void add_fraction(struct strbuf *buf, uint64_t value, int digits)
{
	uint64_t scale = 1, fraction;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	strbuf_add_u64(buf, value / scale);
	fraction = value % scale;
	if (fraction > 0)
		strbuf_add_char(buf, '.');
	for (; fraction > 0; fraction %= scale) {
		scale /= 10;
		strbuf_add_char(buf, (char)('0' + fraction / scale));
	}
}

char *format_duration(int64_t ns)
{
	const uint64_t second = 1000000000;
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, minutes;
	struct strbuf buf = STRBUF_INIT;

	if (ns < 0)
		strbuf_add_char(&buf, '-');
	if (left == 0) {
		strbuf_add_str(&buf, "0s");
	} else if (left < 1000) {
		strbuf_add_u64(&buf, left);
		strbuf_add_str(&buf, "ns");
	} else if (left < 1000000) {
		add_fraction(&buf, left, 3);
		strbuf_add_str(&buf, "\u00b5s");
	} else if (left < second) {
		add_fraction(&buf, left, 6);
		strbuf_add_str(&buf, "ms");
	} else {
		minutes = left / (60 * second);
		if (minutes >= 60) {
			strbuf_add_u64(&buf, minutes / 60);
			strbuf_add_char(&buf, 'h');
		}
		if (minutes > 0) {
			strbuf_add_u64(&buf, minutes % 60);
			strbuf_add_char(&buf, 'm');
		}
		add_fraction(&buf, left % (60 * second), 9);
		strbuf_add_char(&buf, 's');
	}
	return strbuf_steal(&buf);
}

/* The largest unit that leaves at least 1; `precision` significant digits. */
static char *format_with_unit(
	uint64_t bytes, double base, int precision, const char *const *units, size_t count)
{
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= base && i + 1 < count; i++)
		value /= base;
	return xasprintf("%.*g%s", precision, value, units[i]);
}

char *format_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };

	return format_with_unit(bytes, 1000.0, 3, units, ARRAY_LEN(units));
}

char *format_size_binary(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	return format_with_unit(bytes, 1024.0, 4, units, ARRAY_LEN(units));
}
