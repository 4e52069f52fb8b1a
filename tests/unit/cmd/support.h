/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - what the tests of cmd/ share: cmocka in its order, output caught in memory. */
#ifndef MYCOMPOSE_TESTS_UNIT_CMD_SUPPORT_H
#define MYCOMPOSE_TESTS_UNIT_CMD_SUPPORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/errors.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* A vector's words with `separator` between them against a text. */
static inline void assert_words(char *const *words, const char *separator, const char *expected)
{
	cleanup_free char *joined = strv_join(words, separator);

	assert_string_equal(joined, expected);
}

#endif
