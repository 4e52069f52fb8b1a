/* SPDX-License-Identifier: GPL-2.0-or-later
 * log.h - warnings and debug lines on stderr, in the form Compose users know.
 *
 * Off a terminal: time="2026-11-24T05:22:29Z" level=warning msg="…"; on one: WARN[0000] ….
 * Errors are not logged: they travel in struct error and cmd/ prints them once.
 * The level and the sink are the program's only mutable globals; main sets them once, before
 * anything else runs. */
#ifndef MYCOMPOSE_BASE_LOG_H
#define MYCOMPOSE_BASE_LOG_H

enum log_level { LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
