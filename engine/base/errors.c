/* SPDX-License-Identifier: GPL-2.0-or-later
 * errors.c - the error object: set, wrap, move. */
#include "engine/base/errors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

void error_release(struct error *err)
{
	if (!err)
		return;
	free(err->message);
	*err = (struct error)ERROR_INIT;
}

/* Takes `message` over. An exit code set before the message belongs to this failure; one that came
 * with an older message belongs to that one and goes with it. */
static int error_store(struct error *err, int code, char *message)
{
	if (err->message)
		err->exit_code = 0;
	free(err->message);
	err->message = message;
	err->code = code;
	return code;
}

/* A foreign call may fail without an errno; a failure must still read as one. */
static int failure_code(int code)
{
	return code < 0 ? code : -EIO;
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;
	char *message;

	code = failure_code(code);
	if (!err)
		return code;
	va_start(ap, fmt);
	message = xvasprintf(fmt, ap); /* before the old text is freed: it may be an argument */
	va_end(ap);
	return error_store(err, code, message);
}

int error_sys(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;
	char *what, *message;

	code = failure_code(code);
	if (!err)
		return code;
	va_start(ap, fmt);
	what = xvasprintf(fmt, ap);
	va_end(ap);
	message = xasprintf("%s: %s", what, strerror(-code));
	free(what);
	return error_store(err, code, message);
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	va_list ap;
	char *context, *message;

	if (!err)
		return -EIO;
	va_start(ap, fmt);
	context = xvasprintf(fmt, ap);
	va_end(ap);
	message = xasprintf("%s: %s", context, error_text(err));
	free(context);
	free(err->message);
	err->message = message;
	err->code = failure_code(err->code);
	return err->code;
}

int error_move(struct error *to, struct error *from)
{
	int code = from->code;

	if (to == from)
		return code;
	if (to) {
		error_release(to);
		*to = *from;
		*from = (struct error)ERROR_INIT;
	} else {
		error_release(from);
	}
	return code;
}

const char *error_text(const struct error *err)
{
	if (err && err->message)
		return err->message;
	return err && err->code ? strerror(-err->code) : "unknown error";
}
