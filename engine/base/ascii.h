/* SPDX-License-Identifier: GPL-2.0-or-later
 * ascii.h - classes of characters by ASCII alone.
 *
 * The formats we read (names, numbers, reference syntax) mean ASCII, whatever the locale is, and a
 * char of either sign may be asked for. */
#ifndef MYCOMPOSE_BASE_ASCII_H
#define MYCOMPOSE_BASE_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static inline bool ascii_is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool ascii_is_alpha(char c)
{
	return ascii_is_lower(c) || ascii_is_upper(c);
}

static inline bool ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

static inline bool ascii_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What takes up a column: neither a control character nor a byte of a longer sequence. */
static inline bool ascii_is_print(char c)
{
	return c >= ' ' && c <= '~';
}

static inline bool ascii_is_control(char c)
{
	return (c >= '\0' && c < ' ') || c == '\x7f';
}

static inline char ascii_to_lower(char c)
{
	return ascii_is_upper(c) ? (char)(c | 0x20) : c;
}

static inline char ascii_to_upper(char c)
{
	return ascii_is_lower(c) ? (char)(c & ~0x20) : c;
}

#endif
