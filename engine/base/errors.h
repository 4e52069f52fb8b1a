/* SPDX-License-Identifier: GPL-2.0-or-later
 * errors.h - the one error object.
 *
 * A fallible function takes `struct error *err` last and returns 0 (or a useful non-negative
 * number) on success and a negative errno on failure; `err` then holds the same code and a message.
 * The lowest level says what failed, each caller prepends which thing of the user's it was for, and
 * only cmd/ prints.
 *
 * Ownership: the message belongs to the error; error_release() frees it and is safe on ERROR_INIT.
 * An error that already holds a message is overwritten by error_set (the old text is freed and its
 * exit_code cleared; an exit_code set before the first message stays). `err` may be NULL where the
 * caller does not care; the return codes stay the same, but for error_wrap, which has no object to
 * take the code from and says -EIO: functions that are called with NULL return their own code
 * beside it. */
#ifndef MYCOMPOSE_BASE_ERRORS_H
#define MYCOMPOSE_BASE_ERRORS_H

#include <stdarg.h>

struct error {
	int code;      /* negative errno, 0 when unset */
	int exit_code; /* what the process should exit with, 0 = the verb's default (1) */
	char *message;
};

#define ERROR_INIT      \
	{               \
		0, 0, 0 \
	}
#define cleanup_error __attribute__((cleanup(error_release)))

void error_release(struct error *err);

/* Set code and message. `code` is a negative errno. Returns `code`. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, and appends ": " and the text of the errno. */
int error_sys(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prepend "CONTEXT: " to what is there. Returns the code the error holds (never 0). */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Move `from` into `to` (which is released first); `from` is empty afterwards. Returns the code. */
int error_move(struct error *to, struct error *from);

/* The message, or a text made from the code; never NULL. */
const char *error_text(const struct error *err);

#endif
