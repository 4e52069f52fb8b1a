/* SPDX-License-Identifier: GPL-2.0-or-later
 * numbers.h - every text that becomes a number goes through here, and back.
 *
 * Parsers take the whole string (no blanks, no rest) and check the range before they multiply.
 * They return 0, -EINVAL (not such a thing) or -ERANGE; messages are the caller's, who knows the
 * thing's name. */
#ifndef MYCOMPOSE_BASE_NUMBERS_H
#define MYCOMPOSE_BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
int parse_i64(const char *s, int64_t min, int64_t max, int64_t *ret);
int parse_octal(const char *s, uint32_t max, uint32_t *ret);
/* Bytes, as docker/go-units RAMInBytes reads them: "100m", "1.5g", "64 KiB", "512"; b k m g t p
 * (powers of 1024), any case. */
int parse_bytes(const char *s, uint64_t *ret_bytes);
/* Go's time.ParseDuration plus Compose's d/w: "1m30s", "500ms", "1.5h"; a bare "0" is fine, another
 * bare number is not. */
int parse_duration(const char *s, int64_t *ret_ns);
/* CPUs as a decimal ("0.5") to thousandths of a CPU, at least 1. */
int parse_cpus(const char *s, uint64_t *ret_permille);
/* A cpuset list "0-2,5", checked for form only. */
int parse_cpuset(const char *s);

/* In decimal; the text is somewhere in `buf`. */
#define NUMBER_TEXT_SIZE 21
const char *format_u64(uint64_t value, char buf[static NUMBER_TEXT_SIZE]);
const char *format_i64(int64_t value, char buf[static NUMBER_TEXT_SIZE]);
/* Go's time.Duration.String(): "1m30s", "2h0m0s", "500ms", "0s". */
char *format_duration(int64_t ns);
/* Decimal units, three digits (go-units HumanSize): "1.98MB". */
char *format_size(uint64_t bytes);
/* Binary units (go-units BytesSize): "12.5MiB". */
char *format_size_binary(uint64_t bytes);

#endif
