/* SPDX-License-Identifier: GPL-2.0-or-later
 * problems.h - places in the user's files, and the list of what is wrong there.
 *
 * A load goes on after an error as far as that makes sense, so that one run tells all of them (up
 * to PROBLEM_LIMIT). May depend on: engine/base/. Ownership: marks point at file names owned by
 * whoever keeps the document (the project's arena); a problem owns copies of everything it shows,
 * so that it outlives the failed load. */
#ifndef MYCOMPOSE_COMPOSE_PROBLEMS_H
#define MYCOMPOSE_COMPOSE_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"

/* Where a node stands; line and column count from 1. `file` is NULL for what no file says (a
 * default, a flag). */
struct mark {
	const char *file;
	unsigned int line;
	unsigned int column;
};

#define PROBLEM_LIMIT 50

struct problem {
	char *path;	   /* "services.web.ports[0]", "" when none */
	char *file;	   /* NULL: no place in a file */
	unsigned int line; /* 0: the file as a whole */
	unsigned int column;
	char *text;	   /* "services.web.ports[0]: port 70000 is out of range" */
	char *source_line; /* the line of the file, NULL when unknown */
};

/* The text of a file that is being loaded, borrowed; only read to copy the lines that problems are
 * on. */
struct problem_source {
	const char *file;
	const char *text;
	size_t length;
};

struct problems {
	struct problem *items;
	size_t count;
	size_t dropped; /* found beyond PROBLEM_LIMIT */
	struct problem_source *sources;
	size_t source_count;
};

#define PROBLEMS_INIT         \
	{                     \
		0, 0, 0, 0, 0 \
	}
#define cleanup_problems __attribute__((cleanup(problems_release)))
void problems_release(struct problems *problems);

/* Make the lines of `file` known for excerpts. The text must live until problems_forget_sources or
 * the last problems_add. */
void problems_add_source(
	struct problems *problems, const char *file, const char *text, size_t length);
void problems_forget_sources(struct problems *problems);

/* Add one; `path` may be NULL or "". */
void problems_add(struct problems *problems, const struct mark *mark, const char *path,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Is one of the first `count` problems at `path` or below it? */
bool problems_lie_below(const struct problems *problems, size_t count, const char *path);

/* Turn the list into an error: "FILE:LINE:COL: path: text", one line each, in order of appearance.
 * Returns -EINVAL, or 0 and an untouched `err` when the list is empty. */
int problems_to_error(const struct problems *problems, struct error *err);

/* The line the problem is on and a caret under its column; nothing when the line is unknown.
 * Control bytes are escaped. */
void problem_excerpt(const struct problem *problem, struct strbuf *out);

#endif
