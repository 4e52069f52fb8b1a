/* SPDX-License-Identifier: GPL-2.0-or-later
 * utf8.c - tell text from bytes that are none. */
#include "engine/base/utf8.h"

/* Rows by the first byte. The second byte has a range of its own; those after it are 80..BF. */
static const struct {
	unsigned char first_low, first_high, second_low, second_high, length, mask;
} forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f }, /* C0, C1: overlong */
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f }, /* below A0: overlong */
	{ 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f },
	{ 0xed, 0xed, 0x80, 0x9f, 3, 0x0f }, /* above 9F: surrogates */
	{ 0xee, 0xef, 0x80, 0xbf, 3, 0x0f },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 }, /* below 90: overlong */
	{ 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 }, /* above 8F: over U+10FFFF */
};

size_t utf8_decode(const char *s, size_t length, uint32_t *ret_point)
{
	const unsigned char *bytes = (const unsigned char *)s;

	if (length == 0)
		return 0;
	if (bytes[0] < 0x80) {
		*ret_point = bytes[0];
		return 1;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		uint32_t point;

		if (bytes[0] < forms[i].first_low || bytes[0] > forms[i].first_high)
			continue;
		if (length < forms[i].length || bytes[1] < forms[i].second_low ||
			bytes[1] > forms[i].second_high)
			return 0;
		point = bytes[0] & forms[i].mask;
		for (size_t n = 1; n < forms[i].length; n++) {
			if ((bytes[n] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (bytes[n] & 0x3f);
		}
		*ret_point = point;
		return forms[i].length;
	}
	return 0;
}
