/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz.h - what the fuzz targets share. */
#ifndef MYCOMPOSE_TESTS_FUZZ_H
#define MYCOMPOSE_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise is as bad as a crash. */
#define fuzz_fail(...)                        \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		abort();                      \
	} while (0)

#endif
