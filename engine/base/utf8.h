/* SPDX-License-Identifier: GPL-2.0-or-later
 * utf8.h - tell text from bytes that are none. */
#ifndef MYCOMPOSE_BASE_UTF8_H
#define MYCOMPOSE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The length of the well-formed sequence `s` starts with (Unicode, table 3-7: no overlong form, no
 * surrogate, nothing over U+10FFFF) and its code point; 0 when there is none. As in Go, the caller
 * then replaces one byte and goes on. */
size_t utf8_decode(const char *s, size_t length, uint32_t *ret_point);

#endif
