/* SPDX-License-Identifier: GPL-2.0-or-later
 * flags.h - option tables: one row drives parsing, --help and the conflict messages.
 * May depend on: engine/base/. Syntax as docker's (pflag): --flag=v, --flag v, -fv, bundled
 * booleans (-it), -- ends flags, --bool=false. */
#ifndef MYCOMPOSE_CMD_FLAGS_H
#define MYCOMPOSE_CMD_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"

enum flag_kind {
	FLAG_BOOL,   /* bool */
	FLAG_STRING, /* char *, heap; the last one wins */
	FLAG_LIST,   /* char **, heap strv; repeats append */
	FLAG_INT,    /* int64_t */
};

struct flag {
	char short_name; /* 0 = none */
	const char *long_name;
	enum flag_kind kind;
	size_t offset;	      /* of the target in the options struct */
	const char *argument; /* placeholder in help: "SEC"; NULL for booleans */
	const char *help;     /* one sentence without a full stop; NULL = hidden */
	size_t given_offset;  /* of a bool set true when the flag was given; 0 = not wanted (the
				 first member is never one) */
};
#define FLAG_END                                     \
	{                                            \
		0, NULL, FLAG_BOOL, 0, NULL, NULL, 0 \
	}

/* Parse args[0..] into `options` (zeroed or preset by the caller). Stops at the first word that is
 * no flag when `interspersed` is false, else flags may stand anywhere before "--". The rest is
 * returned as a heap vector of the caller's. Errors in pflag's words: "unknown flag: --x", "unknown
 * shorthand flag: 'x' in -x", "flag needs an argument: --x", with the nearest name as a hint.
 * -EAGAIN (no message): -h/--help was asked for. */
int flags_parse(const struct flag *flags, void *options, char *const *args, bool interspersed,
	char ***ret_rest, struct error *err);
/* Free what flags_parse allocated. */
void flags_release(const struct flag *flags, void *options);
/* The option block of --help, aligned, sorted by long name. */
void flags_help(const struct flag *flags, struct strbuf *out);

#endif
